# shellcheck shell=bash
# What is said when a step fails: its last words, and what may lie behind them.

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
