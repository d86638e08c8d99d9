# shellcheck shell=bash
# The step runner. A step NAME is four functions:
#   NAME_describe  one line on what it does
#   NAME_probe     exits 0 when nothing is left to do; prints why, or what is missing
#   NAME_apply     does it
#   NAME_verify    fails unless it works
# A step runs in a subshell of its own with errexit on. It is never called under if, || or !, which
# would switch errexit off inside it.

# guarded COMMAND...: runs it in such a subshell; its exit code is in RC.
guarded() {
  set +e
  (
    set -Eeuo pipefail
    "$@"
  )
  RC=$?
  set -e
}

# logged FILE COMMAND...: in a subshell of its own. Were the whole call redirected, what a trap says while
# it runs would go there, too, instead of to the person who has pressed Ctrl-C.
logged() {
  exec >>"$1" 2>&1
  shift
  "$@"
}

# probe STEP: its probe's exit code is in RC and the last line that it printed in REASON.
probe() {
  set +e
  REASON=$(
    set -Eeuo pipefail
    export PYTHONDONTWRITEBYTECODE=1
    probe_step "$1" 2>&1
  )
  RC=$?
  set -e
  REASON=${REASON##*$'\n'}
}

# Step $1 as number $2 of $3: skipped when its probe says so, else applied and verified.
run_step() {
  local step=$1 number=$2 total=$3 started=$SECONDS log ticker=''
  log=$STATE_DIR/logs/$step.log
  STEP_LABEL=$(printf '[%*d/%d] %-12s' ${#total} "$number" "$total" "$step")
  note "step $number of $total, $step" "$log"

  if [[ $step != "$FORCE_STEP" ]]; then
    probe "$step"
    if ((RC == 0)); then
      say "$STEP_LABEL ${DIM}skipped: $REASON${PLAIN}"
      record_step "$step" skipped 0
      return 0
    fi
  fi

  printf '\n== %s %s\n' "$(date -u +%FT%TZ)" "$step" >>"$log" || cannot_write "$log"
  touch -d '1 second ago' "$STATE_DIR/step.begun" || cannot_write "$STATE_DIR/step.begun"
  if ((TERMINAL)) && ! sudo_may_ask; then
    show_progress "$log" 9>&- &
    ticker=$!
  else
    say "$STEP_LABEL $("${step}_describe")"
  fi
  guarded logged "$log" apply_step "$step"
  if [[ -n $ticker ]]; then
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    printf '\r\e[K'
  fi

  if ((RC != 0)); then
    explain_failure "$step" "$RC" "$log" 2>&1 | tee "${FAILURE_RECORD:-/dev/null}" >&2 || true
    record_step "$step" failed $((SECONDS - started))
    exit $((RC == 3 || RC == 130 ? RC : 1))
  fi
  rm -f "$STATE_DIR/step.begun"
  record_step "$step" applied $((SECONDS - started))
  say "$STEP_LABEL ${GREEN}done${PLAIN} in $(duration $((SECONDS - started)))"
  print_deviations "$step"
}

# note WHAT LOG: what is done at the moment, for `status`. A disk that is full shows soon enough.
note() {
  { printf 'doing=%s\nsince=%s\nlog=%s\n' "$1" "$EPOCHSECONDS" "$2" >"$STATE_DIR/run.step"; } 2>/dev/null || true
}

# Python takes compiled modules as it finds them, and a full disk leaves some that break off in the
# middle. Those written since the beginning of a step that did not end well are compiled anew.
discard_half_compiled() {
  [[ -f $STATE_DIR/step.begun ]] || return 0
  find "$VENV_DIR" "$STATE_DIR/bootstrap" "$ROOT/src" -name '*.pyc' -newer "$STATE_DIR/step.begun" -delete 2>/dev/null || true
  rm "$STATE_DIR/step.begun"
}

# A step with a deviation is not done as far as a strict run is concerned.
probe_step() {
  if ((STRICT)) && [[ -n $(refused_deviations "$1") ]]; then
    say 'done, but not as pinned'
    return 1
  fi
  "${1}_probe"
}

apply_step() {
  forget_deviations "$1"
  "${1}_apply"
  "${1}_verify"
}

# One line that is rewritten every second: how long the step has taken, and what its log says last.
show_progress() {
  local log=$1 started=$SECONDS last columns
  while kill -0 $$ 2>/dev/null; do # $$ is the program, not this subshell
    columns=$(stty size 2>/dev/null </dev/tty | cut -d' ' -f2) || columns=''
    ((columns)) || columns=80
    last=$(tail -c 400 "$log" | tr '\r' '\n' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | awk 'NF && !/^== / {line = $0} END {print line}')
    last="$STEP_LABEL $(duration $((SECONDS - started)))  $last"
    printf '\r\e[K%s' "${last:0:columns-1}"
    sleep 1
  done
}

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
  printf 'cd %q && %s%sbash %q%s' "$PWD" "$given" "${*/%/ }" "$(program)" "$RESUME_OPTIONS"
}

# This program, as it is called from here.
program() { if [[ $PWD == "$ROOT" ]]; then printf eval_setup.sh; else printf '%s' "$ROOT/eval_setup.sh"; fi; }

# again WORDS: a command of this program for the same STATE_DIR.
again() {
  if is_exported STATE_DIR; then printf 'STATE_DIR=%q ' "$STATE_DIR"; fi
  printf 'bash %q %s' "$(program)" "$*"
}

interrupted() {
  say ''
  say 'Interrupted. The same command goes on from here.'
  # shellcheck disable=SC2119
  say "    $(resume_command)"
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

# Appends to steps.tsv: step, state, seconds, time of finish.
record_step() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(date -u +%FT%TZ)" >>"$STATE_DIR/steps.tsv" ||
    cannot_write "$STATE_DIR/steps.tsv"
}

cannot_write() { die 1 "cannot write $1. Is its disk full? df -h $(dirname "$1")"; }

# --- deviations: what departs from the pinned environment, as rows of deviations.tsv ---------------
# A step owns the rows whose id is its name, or starts with its name and a dot.

# deviation ID EXPECTED ACTUAL CONSEQUENCE: recorded; in a strict run, fatal unless accepted. The rows
# are sorted, so that they do not tell how often, and in which order, steps were run.
deviation() {
  local rows=$STATE_DIR/deviations.tsv
  {
    cat "$rows" 2>/dev/null || true
    printf '%s\t%s\t%s\t%s\n' "$@"
  } | LC_ALL=C sort >"$rows.part" || cannot_write "$rows"
  mv "$rows.part" "$rows"
  say "deviation $1: expected $2, have $3: $4"
  if ((STRICT)) && [[ " $ACCEPTED_DEVIATIONS " != *" $1 "* ]]; then
    die 3 "a strict run refuses this deviation. SKIP_ENV_CHECK=1 goes on and records it in every report."
  fi
}

deviations_of() {
  [[ -f $STATE_DIR/deviations.tsv ]] || return 0
  awk -F'\t' -v step="$1" '$1 == step || index($1, step ".") == 1' "$STATE_DIR/deviations.tsv"
}

refused_deviations() {
  local id
  while IFS=$'\t' read -r id _; do
    [[ " $ACCEPTED_DEVIATIONS " == *" $id "* ]] || printf '%s\n' "$id"
  done < <(deviations_of "$1")
}

forget_deviations() {
  [[ -f $STATE_DIR/deviations.tsv ]] || return 0
  awk -F'\t' -v step="$1" '$1 != step && index($1, step ".") != 1' "$STATE_DIR/deviations.tsv" \
    >"$STATE_DIR/deviations.tsv.part"
  mv "$STATE_DIR/deviations.tsv.part" "$STATE_DIR/deviations.tsv"
}

print_deviations() {
  local id expected actual consequence
  while IFS=$'\t' read -r id expected actual consequence; do
    say "    ${YELLOW}deviation${PLAIN} $id: expected $expected, have $actual"
    say "    ${DIM}$consequence${PLAIN}"
  done < <(deviations_of "$1")
}

# --- stamps: for what cannot be probed in a moment, the key it was verified with -------------------
# Written beside its place and moved, so that it is there whole or not at all.
stamp() {
  printf '%s\n' "$2" >"$1.part"
  mv "$1.part" "$1"
}
stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# --- one provisioning at a time -------------------------------------------------------------------
# File descriptor 9 holds the lock. Steps inherit it: what a killed run has left at work still writes,
# and whoever comes next has to wait for it. The tmux server, which outlives us, does not; the session
# takes the lock over for its steps, and gives it up before the evaluation.
take_lock() {
  local holder
  exec 9>>"$STATE_DIR/lock"
  if ! flock -n 9; then
    holder=$(<"$STATE_DIR/lock")
    if [[ -n $holder ]] && kill -0 "$holder" 2>/dev/null; then
      die 3 "another eval_setup.sh, process $holder, is at work in $STATE_DIR. It is left alone. How far it is: $(again status)"
    fi
    say "A run that was killed has left a step at work in $STATE_DIR. Waiting for its end."
    flock -w "$LEFTOVER_TIMEOUT" 9 ||
      die 3 "it does not end. Look for it with: fuser -v $STATE_DIR/lock   and end it with kill."
  fi
  printf '%s\n' $$ >"$STATE_DIR/lock" || cannot_write "$STATE_DIR/lock"
}
release_lock() { exec 9>&-; }

# In the session, whose starter holds the lock until the session is there.
take_over_lock() {
  exec 9>>"$STATE_DIR/lock"
  flock -w "$LEFTOVER_TIMEOUT" 9 || die 3 "the lock of $STATE_DIR is not given up. Look: fuser -v $STATE_DIR/lock"
  printf '%s\n' $$ >"$STATE_DIR/lock" || cannot_write "$STATE_DIR/lock"
}
