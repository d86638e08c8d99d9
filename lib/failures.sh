# shellcheck shell=bash
# What is said when a step fails: its last words, what lies behind them, and how to go on.

explain_failure() {
  local step=$1 code=$2 log=$3
  {
    say ''
    say "${RED}error:${PLAIN} step $step failed with exit code $code. The last lines of $log:"
    tail -n 12 "$log" | sed 's/^/    /'
    first_error "$log"
    explain_circumstances "$step"
    say ''
    say "Nothing that was finished is lost. Once the cause is gone, go on with:"
    # shellcheck disable=SC2119
    say "    $(resume_command)"
  } >&2
}

# The first line of this attempt that speaks of an error, where the last lines leave it out.
first_error() {
  local line
  line=$(awk '/^== / {found = ""} !found && tolower($0) ~ /^e: |error:|mismatch|no space left/ {found = $0}
    END {print found}' "$1")
  [[ -z $line || $(tail -n 12 "$1") == *"$line"* ]] || printf 'It began with:\n    %s\n' "$line"
}

# What often lies behind the failure of step $1: a disk that has filled up, a host that has gone.
explain_circumstances() {
  local path free address
  for path in "$STATE_DIR" "${TMPDIR:-/tmp}" / "$(model_cache)"; do
    free=$(df -Pm -- "$(existing_parent "$path")" | awk 'NR == 2 {print $4}')
    ((free > FULL_DISK_MB)) || say "The disk of $path is full: $free MB are free. Make room."
  done
  while IFS=$'\t' read -r _ _ address _; do
    say "Out of reach now: $address. Wait for the network, or name a mirror (see --help)."
  done < <(find_network "$1")
}

interrupted() {
  say ''
  say 'Interrupted. The same command goes on from here.'
  # shellcheck disable=SC2119
  say "    $(resume_command)"
}

# What a person types to go on with the very same thing, from anywhere: the folder, the settings that
# were given, and those that are named here, the options. A value that holds a password is left to the
# person's own variable.
# shellcheck disable=SC2120  # preflight names a setting
resume_command() { # [SETTING=VALUE...]
  local name given=''
  for name in $(setting_names) HF_HOME HF_HUB_CACHE TMPDIR CUDA_VISIBLE_DEVICES PIP_INDEX_URL UV_INDEX_URL; do
    is_exported "$name" || continue
    if [[ ${!name} == *://*@* ]]; then
      given+="$name=\"\$$name\" "
    else
      printf -v given '%s%s=%q ' "$given" "$name" "${!name}"
    fi
  done
  printf 'cd %q && %s%sbash %q%s' "$PWD" "$given" "${*/%/ }" "$(eval_setup_path)" "$RESUME_OPTIONS"
}

# This program, as it is named from here.
eval_setup_path() { if [[ $PWD == "$ROOT" ]]; then printf eval_setup.sh; else printf '%s' "$ROOT/eval_setup.sh"; fi; }

# eval_setup_command WORDS: as it is typed here, for the same STATE_DIR.
eval_setup_command() {
  if is_exported STATE_DIR; then printf 'STATE_DIR=%q ' "$STATE_DIR"; fi
  printf 'bash %q %s' "$(eval_setup_path)" "$*"
}
