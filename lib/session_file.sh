# shellcheck shell=bash
# STATE_DIR/run.session hands on to the session what was settled in front of the person: the environment, the
# settings, the chosen steps and the driver's command line.

# What the session needs to know of what was settled here, besides the settings.
SESSION_VARIABLES=(DEMO LOOP STRICT YES FORCE_STEP RESUME_OPTIONS OFFLINE_PACKAGES STEPS_DONE LOG_OFFSET BEGUN)

# Writes the file that the session reads and deletes: 0600, because HF_TOKEN may be in it, and `tmux -e`
# would show a token to everyone.
write_session_file() {
  local file=$1
  rm -f "$file"
  (
    umask 077
    {
      printf 'cd %q\n' "$PWD"
      print_variables
      driver_command
      print_array CHOSEN_STEPS "${CHOSEN_STEPS[@]}"
      print_array DRIVER "${DRIVER[@]}"
    } >"$file"
  )
}

# What was exported is exported again, and what was not is not: see resume_command.
print_variables() {
  local name
  for name in $(compgen -e); do
    case $name in PWD | TERM) continue ;; esac
    ! is_passed_on "$name" || printf 'export %s=%q\n' "$name" "${!name}"
  done
  for name in $(setting_names) "${SESSION_VARIABLES[@]}"; do
    [[ -n ${!name+set} ]] || continue
    if is_exported "$name"; then printf 'export '; fi
    printf '%s=%q\n' "$name" "${!name}"
  done
}

print_array() {
  local name=$1
  shift
  printf '%s=(' "$name"
  (($# == 0)) || printf '%q ' "$@"
  printf ')\n'
}

# In the session: what counts was written down by whoever started it, and the tmux server may be older.
forget_variables() {
  local name
  for name in $(compgen -e) $(setting_names); do
    case $name in HOME | PATH | PWD | SHELL | TERM | STATE_DIR | LC_ALL | PYTHONNOUSERSITE | GIT_TERMINAL_PROMPT) ;;
    *) unset "$name" ;;
    esac
  done
}
