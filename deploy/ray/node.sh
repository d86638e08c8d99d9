#!/usr/bin/env bash
# Makes this machine a node of a Ray cluster, from the repository's root:
#   bash deploy/ray/node.sh head             the first one
#   bash deploy/ray/node.sh join HOST:6379   each other one
# Then, on the head: sigil-eval run --ray auto (docs/scaling.md). Ray's ports are open to whoever reaches
# them, and may run anything: keep them behind a firewall.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

STATE_DIR=${STATE_DIR:-$HOME/.sigilderg}
VENV_DIR=${VENV_DIR:-$STATE_DIR/venv}
STEPS=${STEPS:-system_deps python venv pytorch sigilderg rust sandbox cli_tools models evaluation}
export STATE_DIR VENV_DIR NONINTERACTIVE=1 RAY_USAGE_STATS_ENABLED=0

usage() {
  printf 'usage: bash deploy/ray/node.sh head | join HOST:PORT\n' >&2
  exit 2
}

set_up() {
  local step
  for step in $STEPS; do bash eval_setup.sh --only "$step"; done
  "$STATE_DIR/bootstrap/bin/uv" pip install --python "$VENV_DIR/bin/python" --require-hashes -r requirements/cluster.lock
}

# A token stays out of Ray's environment: nodes read it from Hugging Face's own file.
start_ray() {
  env -u HF_TOKEN -u HUGGING_FACE_HUB_TOKEN "$VENV_DIR/bin/ray" start --disable-usage-stats "$@"
}

# The head may not be there yet.
join() {
  local tries
  for tries in {1..60}; do
    if start_ray "--address=$1" "${@:2}"; then return; fi
    printf 'the head at %s does not answer yet (try %d of 60)\n' "$1" "$tries" >&2
    sleep 10
  done
  exit 1
}

case ${1:-} in
  head) [[ $# == 1 ]] || usage ;;
  join) [[ $# -ge 2 ]] || usage ;;
  *) usage ;;
esac
set_up
if [[ $1 == head ]]; then
  start_ray --head --port=6379 --include-dashboard=false
else
  join "${@:2}" # and options of `ray start`
fi
