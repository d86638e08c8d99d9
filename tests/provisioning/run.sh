#!/usr/bin/env bash
# The long suites of provisioning, all of them or some; see docs/provisioning.md. `rehearsal --loop`
# is run only where it is asked for.
#   bash tests/provisioning/run.sh [whole] [bats] [airgap] [github] [cloud]
#   bash tests/provisioning/run.sh rehearsal [--short] [--loop] | --mutations [NAME...]
#   bash tests/provisioning/run.sh matrix [--steps A,B] [--faults A,B] [--moments 0.2,0.5,0.8]
#   bash tests/provisioning/run.sh mutation [FUNCTION...]
#   bash tests/provisioning/run.sh origins
set -Eeuo pipefail

PYTHON=${PYTHON:-python3} # 3.11 or newer

need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || {
      echo "error: this needs $tool." >&2
      exit 2
    }
  done
}

main() {
  cd "$(dirname "${BASH_SOURCE[0]}")"
  need "$PYTHON" git curl
  case ${1:-all} in
    mutation) need bats ;;
    origins) ;;
    *) need debootstrap ;;
  esac
  case ${1:-all} in
    matrix | mutation | origins | rehearsal) "$PYTHON" "$1.py" "${@:2}" ;;
    all)
      "$PYTHON" journey.py
      "$PYTHON" rehearsal.py
      "$PYTHON" rehearsal.py --mutations
      "$PYTHON" matrix.py
      "$PYTHON" mutation.py
      ;;
    *) "$PYTHON" journey.py "$@" ;;
  esac
}

main "$@"
