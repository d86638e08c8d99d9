#!/usr/bin/env bash
# The long suites of provisioning; see docs/provisioning.md.
#   bash tests/provisioning/run.sh [whole] [bats] [airgap]
#   bash tests/provisioning/run.sh matrix [--steps A,B] [--faults A,B]
#   bash tests/provisioning/run.sh mutation [FUNCTION...]
set -Eeuo pipefail

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
  case ${1:-all} in
    matrix | mutation)
      need python3 bats
      exec python3 "$1.py" "${@:2}"
      ;;
    all)
      python3 journey.py
      python3 matrix.py
      python3 mutation.py
      ;;
    *)
      need python3 debootstrap
      exec python3 journey.py "$@"
      ;;
  esac
}

main "$@"
