#!/usr/bin/env bash
# Makes this machine a node of a Ray cluster, from the repository's root:
#   bash deploy/ray/node.sh head             the first one; options of `ray start` may follow
#   bash deploy/ray/node.sh join HOST:6379   each other one
#   bash deploy/ray/node.sh stay HOST:6379   the same, and this command lasts until the head is gone
# Then, on the head: sigil-eval run --ray auto (docs/scaling.md). Ray's ports are open to whoever reaches
# them, and may run anything: keep them behind a firewall.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

STATE_DIR=${STATE_DIR:-$HOME/.sigilderg}
VENV_DIR=${VENV_DIR:-$STATE_DIR/venv}
STEPS=${STEPS:-system_deps python venv pytorch sigilderg rust sandbox cli_tools models evaluation}
# Ray would turn its tokens on, on the head alone, where one lies in the user's home.
RAY_AUTH_MODE=${RAY_AUTH_MODE:-disabled}
export STATE_DIR VENV_DIR NONINTERACTIVE=1 RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE

usage() {
  printf 'usage: bash deploy/ray/node.sh head | join HOST:PORT | stay HOST:PORT\n' >&2
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
    if start_ray "--address=$1"; then return; fi
    printf 'the head at %s does not answer yet (try %d of 60)\n' "$1" "$tries" >&2
    sleep 10
  done
  exit 1
}

# Ray's own process ends when the head has not answered for a minute. `ray start --block` then ends with a
# failure, though the head's work may be done.
until_ray_has_ended() {
  while pgrep -u "$(id -u)" -x raylet >/dev/null; do sleep 5; done
  printf 'the head is gone: this node has nothing more to do\n'
}

case ${1:-} in
  head) ;;
  join | stay) [[ $# == 2 ]] || usage ;;
  *) usage ;;
esac
set_up
case $1 in
  head) start_ray --head --port=6379 --include-dashboard=false "${@:2}" ;;
  join) join "$2" ;;
  stay)
    join "$2"
    until_ray_has_ended
    ;;
esac
