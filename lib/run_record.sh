# shellcheck shell=bash
# The record of the run that goes on, or went on last, which every shell can read:
#   STATE_DIR/run.started   who runs, since when, and where
#   STATE_DIR/run.step      what is being done, since when, and its log
#   STATE_DIR/run.failure   the message of the step that failed
#   STATE_DIR/run.status    exit code and time of the end; written last, by the session itself
#   STATE_DIR/logs/session.log   what the session says, run after run

# run_field FILE NAME: a value of one of the files.
run_field() { sed -n "s/^$2=//p" "$STATE_DIR/$1" 2>/dev/null || true; }

# What another shell needs to know of this run.
record_start() {
  printf '%s=%s\n' output_dir "$OUTPUT_DIR" pid "$$" process_start "$(process_start $$)" boot_id "$(boot_id)" \
    started_at "$(date -u +%FT%TZ)" begun "${BEGUN:-$EPOCHSECONDS}" socket "${TMUX%%,*}" \
    log_offset "${LOG_OFFSET:-0}" resume "$(resume_command)" >"$STATE_DIR/run.started.part"
  mv "$STATE_DIR/run.started.part" "$STATE_DIR/run.started"
}

# record_doing WHAT LOG: what is done at the moment, for `status`. A disk that is full shows soon enough.
record_doing() {
  { printf 'doing=%s\nsince=%s\nlog=%s\n' "$1" "$EPOCHSECONDS" "$2" >"$STATE_DIR/run.step"; } 2>/dev/null || true
}

record_end() { # EXIT_CODE
  {
    printf 'exit_code=%s\nfinished_at=%s\nduring=%s\n' "$1" "$(date -u +%FT%TZ)" \
      "$(run_field run.step doing)" >"$STATE_DIR/run.status.part"
  } && mv "$STATE_DIR/run.status.part" "$STATE_DIR/run.status"
  rm -f "$STATE_DIR/run.step"
}

session_log() { printf '%s' "$STATE_DIR/logs/session.log"; }

run_is_alive() {
  local start
  [[ ! -f $STATE_DIR/run.status && $(run_field run.started boot_id) == "$(boot_id)" ]] || return 1
  start=$(run_field run.started process_start)
  [[ -n $start && $(process_start "$(run_field run.started pid)") == "$start" ]]
}

# Which start of the machine this is, and when a process began: another process may get its number.
boot_id() { cat /proc/sys/kernel/random/boot_id; }
process_start() {
  local fields
  fields=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -r -a fields <<<"${fields##*) }"                  # behind the name, which may hold anything
  [[ ${fields[0]} == Z ]] || printf '%s' "${fields[19]}" # the dead are listed until somebody gathers them
}

refuse_second_run() {
  local other
  other=$(our_tmux show-options -qv -t "=$SESSION:" @state_dir 2>/dev/null) || true
  if run_is_alive; then
    say "It is running already, in the tmux session $SESSION, and is left alone."
  elif [[ -n $other && $other != "$STATE_DIR" ]] && STATE_DIR=$other run_is_alive; then
    say "One with STATE_DIR=$other is running already, in the tmux session $SESSION, and is left alone."
    export STATE_DIR=$other
  else
    return 0
  fi
  say "    $(eval_setup_command attach)      to watch it"
  say "    $(eval_setup_command status)      to see how far it is"
  exit 3
}
