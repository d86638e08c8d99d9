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
  vllm        # vLLM draws what PyTorch draws; with WITH_VLLM=1 or --only
  sigilderg   # the ecosystem's packages do a job each
  rust        # the pinned compiler, and crates
  sandbox     # Firejail contains what it should
  cli_tools   # gh and hf, optional
  models      # what is evaluated, in the hub's cache
  evaluation  # the command sigil-eval; the driver has checked this run
)

# The environment and the settings: first those of the caller, which tmux is handed in a file, then
# those that --offline brings, then the defaults.
load_settings() {
  leave_variables_behind
  if [[ $MODE == run-session ]]; then
    forget_variables
    # shellcheck source=/dev/null
    source "$STATE_DIR/run.session"
    rm -f "$STATE_DIR/run.session"
  fi
  [[ -z $OFFLINE_DIR ]] || use_offline_folder "$OFFLINE_DIR"
  source "$ROOT/eval_setup_config.sh"
  choose_colours
  complete_environment
}

# A strict run refuses whatever departs from the pins. It is the rule on the target platform.
choose_mode() {
  STRICT=1 INTERACTIVE=0
  if ((DEMO)) || [[ $SKIP_ENV_CHECK == 1 ]]; then STRICT=0; fi
  if [[ $NONINTERACTIVE != 1 && -t 0 && -t 1 ]]; then INTERACTIVE=1; fi
  mapfile -t CHOSEN_STEPS < <(chosen_steps)
  STATE_DIR=$(realpath -m "$STATE_DIR") VENV_DIR=$(realpath -m "$VENV_DIR") OUTPUT_DIR=$(realpath -m "$OUTPUT_DIR")
  export UV_CACHE_DIR=${UV_CACHE_DIR:-$STATE_DIR/cache/uv}
  export UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1
}

# The one step that tmux needs, and what may need a password: here, in front of the person.
do_what_needs_a_person() {
  [[ ${CHOSEN_STEPS[0]} == system_deps ]] || return 0
  discard_half_compiled
  ask_before_installing
  run_step system_deps 1 "${#CHOSEN_STEPS[@]}"
  install_for_later
  STEPS_DONE=1
}

# Up to start_session in front of the person; from there on in a tmux session: see run_session.
evaluate() {
  check_settings
  confirm_no_sandbox
  trap 'interrupted; exit 130' INT
  refuse_second_run
  preflight
  take_lock
  refuse_second_run # one may have begun since
  record_platform_deviations
  if [[ -n $ONLY_STEP ]]; then
    provision
    exit 0
  fi
  do_what_needs_a_person
  start_session
  release_lock
  follow_session
  end_as_session_did
}

main() {
  parse_options "$@"
  load_settings
  [[ $MODE == run-session ]] || choose_mode
  case $MODE in
    run) evaluate ;;
    list) printf '%s\n' "${STEPS[@]}" ;;
    plan)
      check_settings
      plan
      ;;
    doctor) doctor ;;
    status) status ;;
    attach) attach ;;
    uninstall) uninstall ;;
    download-only) download_only "$DOWNLOAD_DIR" ;;
    run-session) run_session ;;
  esac
}

main "$@"
