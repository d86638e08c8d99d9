#!/usr/bin/env bash
# Sets a machine up and evaluates a base model against its QLoRA fine-tune on HumanEval-Rust.
# Read evaluate, near the end, first: it is a list of what happens. Each step is a file in lib/; every
# version, checksum and address is in eval_setup_config.sh.
#
# What it does to the machine: apt packages; one folder, STATE_DIR (~/.sigilderg), and a link to the
# command in it, ~/.local/bin/sigil-eval; as root also /usr/local/lib/sigilderg and the user
# sigil-sandbox. No shell start-up file is touched.
# shellcheck source-path=SCRIPTDIR disable=SC2034  # what is set here is read in lib/
# A line end of Windows breaks all lines but this one, which ends in a comment.
[ -f "$0" ] && command grep -q "$(printf '\r')" "$(command dirname "$0")"/*.sh "$(command dirname "$0")"/lib/*.sh && exec sh -c 'echo "error: the scripts in $(dirname "$0") have the line ends of Windows. Clone the repository on this machine." >&2; exit 2' "$0" #
# Another shell gets this far, too; and a start-up file, or a mode, of the caller's bends this one.
if [ -f "$0" ] && { [ -z "${BASH_VERSION:-}" ] || [ -n "${BASH_ENV+set}${POSIXLY_CORRECT+set}" ]; }; then
  exec env -u BASH_ENV -u POSIXLY_CORRECT bash "$0" "$@"
fi
set -Eeuo pipefail
unset CDPATH
# shellcheck disable=SC2046  # a list of words: a function of the caller's would stand in for a tool
unset -f $(compgen -A function)

if [[ ! -f $(dirname "${BASH_SOURCE[0]:-/}")/lib/all.sh ]]; then
  echo 'error: eval_setup.sh needs the files beside it. Clone the repository and run it there.' >&2
  exit 2
fi
source "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

# In this order. Each name is a step: NAME_describe, NAME_probe, NAME_apply, NAME_verify in lib/.
STEPS=(
  system_deps # apt packages
  python      # the pinned CPython
  venv        # its packages, by hash
  pytorch     # PyTorch computes; flash-attn where there is CUDA
  sigilderg   # the ecosystem's packages do a job each
  rust        # the pinned compiler, and crates
  sandbox     # Firejail contains what it should
  cli_tools   # gh and hf, optional
  models      # what is evaluated, in the hub's cache
  evaluation  # the command sigil-eval; the driver has checked this run
)
# Only on demand, by --only.
EXTRA_STEPS=(
  vllm # vLLM, in an environment of its own
)

usage() {
  cat <<'HELP'
Usage: bash eval_setup.sh [OPTION] [COMMAND]

Sets this machine up, generates Rust answers with a base model and its fine-tune, scores them in
Firejail, and writes the reports. Made for Ubuntu 22.04 with an H100; stops elsewhere unless told.

  --demo         the whole job on any Debian or Ubuntu machine, without a GPU, with tiny models
  --plan         print what would be done and why; write nothing
  --list         print the steps
  --only STEP    this step alone, without an evaluation; `vllm`, for --engine vllm, only so
  --from STEP    from this step on
  --force STEP   do this step even though it is done
  --download-only DIR   fetch everything that a machine without internet needs into DIR
  --offline DIR         set up, and evaluate, from such a folder
  --help         print this

  doctor         how this machine differs from the target
  status         which step it is at, how far the evaluation is, or how the last one ended
  attach         back to the session in which all this goes on
  uninstall      remove what was installed, after asking (--yes: without), and nothing else

Exit codes: 0 done, 1 a step failed, 2 bad usage, 3 not fit to start, 4 results incomplete,
130 interrupted.

HELP
  sed -n 's/^#: //p' "$ROOT/eval_setup_config.sh"
}

usage_error() {
  echo "error: $* See: bash eval_setup.sh --help" >&2
  exit 2
}

parse_options() {
  MODE=run DEMO=0 YES=0 ONLY_STEP='' FROM_STEP='' FORCE_STEP='' OFFLINE_DIR='' RESUME_OPTIONS=''
  while (($#)); do
    case $1 in
      --demo) DEMO=1 RESUME_OPTIONS+=' --demo' ;;
      --download-only | --offline)
        [[ -n ${2:-} ]] || usage_error "$1 wants the name of a folder."
        OFFLINE_DIR=$(realpath -m "$2")
        if [[ $1 == --offline ]]; then
          printf -v RESUME_OPTIONS '%s --offline %q' "$RESUME_OPTIONS" "$OFFLINE_DIR"
        else
          MODE=download-only DOWNLOAD_DIR=$OFFLINE_DIR OFFLINE_DIR=''
        fi
        shift
        ;;
      --plan | --list) MODE=${1#--} ;;
      --only | --from | --force)
        local known=("${STEPS[@]}")
        [[ $1 != --only ]] || known+=("${EXTRA_STEPS[@]}")
        [[ " ${known[*]} " == *" ${2:-} "* && -n ${2:-} ]] ||
          usage_error "$1 wants the name of a step, not '${2:-}'. The steps are: ${known[*]}."
        case $1 in
          --only) ONLY_STEP=$2 ;;
          --from) FROM_STEP=$2 ;;
          --force) FORCE_STEP=$2 ;;
        esac
        RESUME_OPTIONS+=" $1 $2"
        shift
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      --yes) YES=1 ;;
      doctor | status | attach | uninstall) MODE=$1 ;;
      run-session) # what tmux calls; see lib/tmux.sh
        MODE=$1 STATE_DIR=${2:?}
        shift
        ;;
      *) usage_error "unknown option '$1'." ;;
    esac
    shift
  done
}

# The environment and the settings: first those of the caller, or of whoever started this session, then
# those that --offline brings, then the defaults.
load_settings() {
  leave_behind
  if [[ $MODE == run-session ]]; then
    forget_passed_on
    # shellcheck source=/dev/null
    source "$STATE_DIR/run.session"
    rm -f "$STATE_DIR/run.session"
  fi
  [[ -z $OFFLINE_DIR ]] || use_carried "$OFFLINE_DIR"
  source "$ROOT/eval_setup_config.sh"
  choose_colours
  settle_environment
}

# A strict run refuses whatever departs from the pins. It is the rule on the target platform.
settle_mode() {
  STRICT=1 INTERACTIVE=0
  if ((DEMO)) || [[ $SKIP_ENV_CHECK == 1 ]]; then STRICT=0; fi
  if [[ $NONINTERACTIVE != 1 && -t 0 && -t 1 ]]; then INTERACTIVE=1; fi
  mapfile -t CHOSEN_STEPS < <(chosen_steps)
  STATE_DIR=$(realpath -m "$STATE_DIR") VENV_DIR=$(realpath -m "$VENV_DIR") OUTPUT_DIR=$(realpath -m "$OUTPUT_DIR")
  export UV_CACHE_DIR=${UV_CACHE_DIR:-$STATE_DIR/cache/uv}
  export UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1
}

chosen_steps() {
  local step on=1
  [[ -z $FROM_STEP ]] || on=0
  for step in "${STEPS[@]}" "${EXTRA_STEPS[@]}"; do
    [[ $step == "$ONLY_STEP" || " ${EXTRA_STEPS[*]} " != *" $step "* ]] || continue
    [[ $step != "$FROM_STEP" ]] || on=1
    if ((on)) && [[ -z $ONLY_STEP || $step == "$ONLY_STEP" ]]; then printf '%s\n' "$step"; fi
  done
}

plan() {
  local step
  for step in "${CHOSEN_STEPS[@]}"; do
    probe "$step"
    if ((RC == 0)) && [[ $step != "$FORCE_STEP" ]]; then
      printf '%-12s %-9s %s\n' "$step" 'done' "$REASON"
    else
      printf '%-12s %-9s %s\n' "$step" 'to do' "$("${step}_describe")"
      printf '%-22s %s\n' '' "$DIM$REASON$PLAIN"
    fi
  done
  say ''
  say "Then, in the tmux session $SESSION:"
  driver_command
  printf '    %q' "${DRIVER[0]}"
  printf ' %q' "${DRIVER[@]:1}"
  printf '\n'
}

# The one step that tmux needs, and what may need a password: here, in front of the person.
prepare() {
  [[ ${CHOSEN_STEPS[0]} == system_deps ]] || return 0
  discard_half_compiled
  ask_for_password
  run_step system_deps 1 "${#CHOSEN_STEPS[@]}"
  install_for_later
  STEPS_DONE=1
}

provision() {
  local step number=${STEPS_DONE:-0}
  discard_half_compiled
  for step in "${CHOSEN_STEPS[@]:number}"; do
    run_step "$step" $((++number)) "${#CHOSEN_STEPS[@]}"
  done
  rm -f "$STATE_DIR/run.step"
}

# Up to start_session in front of the person; from there on in a tmux session: see run_session.
evaluate() {
  check_settings
  confirm_no_sandbox
  trap 'interrupted; exit 130' INT
  refuse_second_run
  preflight
  mkdir -p "$STATE_DIR/logs"
  take_lock
  refuse_second_run # one may have begun since
  record_platform
  if [[ -n $ONLY_STEP ]]; then
    provision
    exit 0
  fi
  prepare
  start_session
  release_lock
  follow_session
  finish
}

main() {
  parse_options "$@"
  load_settings
  [[ $MODE == run-session ]] || settle_mode
  case $MODE in
    run) evaluate ;;
    list) printf '%s\n' "${STEPS[@]}" ;;
    plan) plan ;;
    doctor) doctor ;;
    status) status ;;
    attach) attach ;;
    uninstall) uninstall ;;
    download-only) download_only "$DOWNLOAD_DIR" ;;
    run-session) run_session ;;
  esac
}

main "$@"
