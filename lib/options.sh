# shellcheck shell=bash disable=SC2034  # what is set here is read by the other files
# The command line of eval_setup.sh.

usage() {
  cat <<'HELP'
Usage: bash eval_setup.sh [OPTION] [COMMAND]

Sets this machine up, generates Rust answers with a base model and its fine-tune, scores them in
Firejail, and writes the reports. Made for Ubuntu 22.04 with an H100; stops elsewhere unless told.

  --demo         the whole job on any Debian or Ubuntu machine, without a GPU, with tiny models
  --loop         from CRATES and TRAIN_CONFIG to a report: training data made of crates, checked, trained
                 on, and every checkpoint evaluated; with --demo in minutes, without a GPU
  --plan         print what would be done and why; write nothing
  --list         print the steps
  --only STEP    this step alone, without an evaluation
  --from STEP    from this step on
  --force STEP   do this step even though it is done
  --download-only DIR   fetch everything that a machine without internet needs into DIR
  --offline DIR         set up, and evaluate, from such a folder
  --help         print this

  doctor         how this machine differs from the target
  status         which step it is at, how far the evaluation is, or how the last one ended
  attach         back to the session in which all this goes on
  uninstall      remove what was installed, after asking (--yes: without), and nothing else

HELP
  examples
  sed -n 's/^#: //p' "$ROOT/eval_setup_config.sh"
}

examples() {
  cat <<'HELP'
Examples:
  bash eval_setup.sh --demo                         the whole job with tiny models, anywhere
  bash eval_setup.sh --demo --loop                  from three crates to a fine-tune and its report
  bash eval_setup.sh --plan                         what it would do here, and whether it begins
  NUM_SAMPLES=20 K_VALUES=1,10 bash eval_setup.sh   fewer answers for each problem
  bash eval_setup.sh --demo --only rust             one step, to see it work
  bash eval_setup.sh status                         from another terminal

Exit codes: 0 done, 1 a step failed, 2 bad usage, 3 not fit to start, 4 results incomplete,
130 interrupted.

HELP
}

# nearest WORD KNOWN...: ` Did you mean '...'?` for the known word that differs least, in half of its
# letters at most; nothing where there is none.
nearest() {
  awk 'BEGIN {
    word = ARGV[1]
    for (n = 2; n < ARGC; n++) {
      for (j = 0; j <= length(ARGV[n]); j++) row[j] = j
      for (i = 1; i <= length(word); i++) {
        diagonal = row[0]; row[0] = i
        for (j = 1; j <= length(ARGV[n]); j++) {
          best = diagonal + (substr(word, i, 1) != substr(ARGV[n], j, 1))
          if (row[j] + 1 < best) best = row[j] + 1
          if (row[j - 1] + 1 < best) best = row[j - 1] + 1
          diagonal = row[j]; row[j] = best
        }
      }
      if (best * 2 <= length(ARGV[n]) && (found == "" || best < least)) { least = best; found = ARGV[n] }
    }
    if (found != "") printf " Did you mean \047%s\047?", found
  }' "$@"
}

usage_error() {
  echo "error: $* See: bash eval_setup.sh --help" >&2
  exit 2
}

KNOWN_WORDS=(--demo --loop --plan --list --only --from --force --download-only --offline --yes --help doctor status attach uninstall)

parse_options() {
  MODE=run DEMO=0 LOOP=0 YES=0 ONLY_STEP='' FROM_STEP='' FORCE_STEP='' OFFLINE_DIR='' RESUME_OPTIONS=''
  while (($#)); do
    case $1 in
      --demo) DEMO=1 RESUME_OPTIONS+=' --demo' ;;
      --loop) LOOP=1 RESUME_OPTIONS+=' --loop' ;;
      --plan | --list) MODE=${1#--} ;;
      --yes) YES=1 ;;
      doctor | status | attach | uninstall) MODE=$1 ;;
      --only | --from | --force | --download-only | --offline)
        parse_value "$1" "${2:-}"
        shift
        ;;
      run-session) # what tmux calls; see lib/tmux.sh
        MODE=$1 STATE_DIR=${2:?}
        shift
        ;;
      -h | --help) usage | folded && exit 0 ;;
      --*=*) # --only=rust is --only rust
        set -- "${1%%=*}" "${1#*=}" "${@:2}"
        continue
        ;;
      *) usage_error "unknown option '$1'.$(nearest "$1" "${KNOWN_WORDS[@]}")" ;;
    esac
    shift
  done
}

# parse_value OPTION VALUE
parse_value() {
  case $1 in
    --download-only | --offline) parse_folder "$@" ;;
    *) parse_step "$@" ;;
  esac
}

# parse_step OPTION STEP
parse_step() {
  [[ " ${STEPS[*]} " == *" $2 "* && -n $2 ]] ||
    usage_error "$1 wants the name of a step, not '$2'.$(nearest "$2" "${STEPS[@]}") The steps are: ${STEPS[*]}."
  case $1 in
    --only) ONLY_STEP=$2 ;;
    --from) FROM_STEP=$2 ;;
    --force) FORCE_STEP=$2 ;;
  esac
  RESUME_OPTIONS+=" $1 $2"
}

# parse_folder OPTION FOLDER
parse_folder() {
  [[ -n $2 ]] || usage_error "$1 wants the name of a folder."
  if [[ $1 == --offline ]]; then
    OFFLINE_DIR=$(realpath -m "$2")
    printf -v RESUME_OPTIONS '%s --offline %q' "$RESUME_OPTIONS" "$OFFLINE_DIR"
  else
    MODE=download-only OFFLINE_DIR='' DOWNLOAD_DIR=$(realpath -m "$2")
  fi
}
