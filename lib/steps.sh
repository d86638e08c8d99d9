# shellcheck shell=bash
# The step runner. A step NAME is four functions:
#   NAME_describe  one line on what it does
#   NAME_probe     exits 0 when nothing is left to do; prints why, or what is missing
#   NAME_apply     does it
#   NAME_verify    fails unless it works
# and it may have two more, for what is better known beforehand:
#   NAME_needs           the addresses that it would ask, each by needs_answer
#   NAME_later_packages  the apt packages that it would install, in a session where nobody can type a password
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

provision() {
  local step number=${STEPS_DONE:-0}
  discard_half_compiled
  for step in "${CHOSEN_STEPS[@]:number}"; do
    run_step "$step" $((++number)) "${#CHOSEN_STEPS[@]}"
  done
  rm -f "$STATE_DIR/run.step"
}

# Step $1 as number $2 of $3: skipped when its probe says so, else applied and verified.
run_step() {
  local step=$1 started=$SECONDS log=$STATE_DIR/logs/$1.log
  STEP_LABEL=$(printf '[%*d/%d] %-12s' ${#3} "$2" "$3" "$step")
  record_doing "step $2 of $3, $step" "$log"
  if [[ $step == "$FORCE_STEP" ]]; then RC=1; else probe "$step"; fi
  if ((RC == 0)); then
    say "$STEP_LABEL ${DIM}skipped: $REASON${PLAIN}"
    record_step "$step" skipped 0
    return 0
  fi
  record_begin "$step" "$log"
  apply_with_progress "$step" "$log"
  ((RC == 0)) || end_failed "$step" "$RC" "$log" $((SECONDS - started))
  rm -f "$STATE_DIR/step.begun"
  record_step "$step" applied $((SECONDS - started))
  say "$STEP_LABEL ${GREEN}done${PLAIN} in $(duration $((SECONDS - started)))"
  print_deviations "$step"
}

record_begin() { # STEP LOG
  printf '\n== %s %s\n' "$(date -u +%FT%TZ)" "$1" >>"$2" || cannot_write "$2"
  touch -d '1 second ago' "$STATE_DIR/step.begun" || cannot_write "$STATE_DIR/step.begun"
}

# apply_with_progress STEP LOG: its exit code is in RC. A line that is rewritten tells a person how it goes.
apply_with_progress() {
  local progress=''
  if ((TERMINAL)) && ! sudo_may_ask; then
    show_progress "$2" 9>&- &
    progress=$!
  else
    say "$STEP_LABEL $("${1}_describe")"
  fi
  guarded logged "$2" apply_step "$1"
  [[ -n $progress ]] || return 0
  kill "$progress"
  wait "$progress" 2>/dev/null || true
  printf '\r\e[K'
}

# Ends the program: with 3 and 130 as the step did, else with 1.
end_failed() { # STEP CODE LOG SECONDS
  explain_failure "$1" "$2" "$3" 2>&1 | tee "${FAILURE_RECORD:-/dev/null}" >&2 || true
  record_step "$1" failed "$4"
  exit $(($2 == 3 || $2 == 130 ? $2 : 1))
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

# Appends to steps.tsv: step, state, seconds, time of finish.
record_step() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(date -u +%FT%TZ)" >>"$STATE_DIR/steps.tsv" ||
    cannot_write "$STATE_DIR/steps.tsv"
}

# Python takes compiled modules as it finds them, and a full disk leaves some that break off in the
# middle. Those written since the beginning of a step that did not end well are compiled anew.
discard_half_compiled() {
  [[ -f $STATE_DIR/step.begun ]] || return 0
  find "$VENV_DIR" "$STATE_DIR/bootstrap" "$ROOT/src" -name '*.pyc' -newer "$STATE_DIR/step.begun" -delete 2>/dev/null || true
  rm "$STATE_DIR/step.begun"
}
