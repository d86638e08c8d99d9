# shellcheck shell=bash
# The session in which everything goes on that needs no person any more, steps and evaluation, so that
# it outlives the connection that started it. Its tmux server is its own: neither the environment nor
# the settings of another one reach it.
#   STATE_DIR/run.session   what was settled, for the session to read and delete
#   STATE_DIR/run.started   who runs, since when, and where: see record_start
#   STATE_DIR/run.step      what is being done, since when, and its log
#   STATE_DIR/run.failure   the message of the step that failed
#   STATE_DIR/run.status    exit code and time of the end; written last, by the session itself
#   STATE_DIR/logs/session.log   what the session says, run after run

TMUX_SERVER=sigilderg

our_tmux() { tmux -L "$TMUX_SERVER" -f /dev/null "$@"; }

# run_field FILE NAME: a value of one of the files.
run_field() { sed -n "s/^$2=//p" "$STATE_DIR/$1" 2>/dev/null || true; }

# Which start of the machine this is, and when a process began: another process may get its number.
boot_id() { cat /proc/sys/kernel/random/boot_id; }
process_start() {
  local fields
  fields=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -r -a fields <<<"${fields##*) }"                  # behind the name, which may hold anything
  [[ ${fields[0]} == Z ]] || printf '%s' "${fields[19]}" # the dead are listed until somebody gathers them
}

run_is_alive() {
  local start
  [[ ! -f $STATE_DIR/run.status && $(run_field run.started boot_id) == "$(boot_id)" ]] || return 1
  start=$(run_field run.started process_start)
  [[ -n $start && $(process_start "$(run_field run.started pid)") == "$start" ]]
}

start_session() {
  mkdir -p "${OUTPUT_DIR:?}"
  rm -f "$STATE_DIR"/run.{status,started,failure,step}
  touch "$(session_log)" || cannot_write "$(session_log)"
  LOG_OFFSET=$(stat -c %s "$(session_log)") BEGUN=$((EPOCHSECONDS - SECONDS))
  write_session_file "$STATE_DIR/run.session"
  # The last run's session may be about to end, or be kept by a window of somebody's own.
  open_window new-session -d -s "$SESSION" -x 120 -y 40 2>/dev/null ||
    open_window new-window -t "=$SESSION:" 2>/dev/null ||
    open_window new-session -d -s "$SESSION" -x 120 -y 40 || cannot_start
  wait_until_started
  our_tmux set-option -t "=$SESSION:" @state_dir "$STATE_DIR" 2>/dev/null || true
  our_tmux set-option -t "=$SESSION:" status-left-length 20 2>/dev/null || true
  our_tmux set-option -t "=$SESSION:" status-right 'Ctrl-b d leaves, it goes on ' 2>/dev/null || true
}

open_window() {
  env -i HOME="$HOME" PATH="$PATH" SHELL=/bin/bash LC_ALL=C.UTF-8 ${TMUX_TMPDIR:+TMUX_TMPDIR="$TMUX_TMPDIR"} \
    tmux -L "$TMUX_SERVER" -f /dev/null "$@" -n evaluation bash "$ROOT/eval_setup.sh" run-session "$STATE_DIR" 9>&-
}

session_log() { printf '%s' "$STATE_DIR/logs/session.log"; }

wait_until_started() {
  for _ in {1..300}; do
    [[ ! -f $STATE_DIR/run.started ]] || return 0
    sleep 0.1
  done
  cannot_start
}

cannot_start() {
  rm -f "$STATE_DIR/run.session" # a token may be in it
  die 1 "the tmux session $SESSION did not start. Does this work: tmux -L $TMUX_SERVER new-session -s $SESSION"
}

# What the session does. One pipe for all that is said keeps its order; whoever looks on sees it as it
# is, the log has it plain, and what they do with it changes no exit code.
run_session() {
  local code
  # shellcheck disable=SC2034  # run_step writes it
  FAILURE_RECORD=$STATE_DIR/run.failure INTERACTIVE=0
  mkdir -p "$STATE_DIR/logs"
  record_start
  trap : INT # Ctrl-C in the session ends what is done there, not the record of how it ended
  trap '' QUIT
  stty -ixon </dev/tty 2>/dev/null || true # Ctrl-S would stop it all
  set +e
  (
    set -Eeuo pipefail
    do_everything
  ) 2>&1 </dev/null | tee -i -p /dev/tty | (
    trap '' INT HUP
    plain >>"$(session_log)"
  )
  code=${PIPESTATUS[0]}
  {
    printf 'exit_code=%s\nfinished_at=%s\nduring=%s\n' "$code" "$(date -u +%FT%TZ)" \
      "$(run_field run.step doing)" >"$STATE_DIR/run.status.part"
  } && mv "$STATE_DIR/run.status.part" "$STATE_DIR/run.status"
  rm -f "$STATE_DIR/run.step"
}

# What another shell needs to know of this run.
record_start() {
  printf '%s=%s\n' output_dir "$OUTPUT_DIR" pid "$$" process_start "$(process_start $$)" boot_id "$(boot_id)" \
    started_at "$(date -u +%FT%TZ)" begun "${BEGUN:-$EPOCHSECONDS}" socket "${TMUX%%,*}" \
    log_offset "${LOG_OFFSET:-0}" resume "$(resume_command)" >"$STATE_DIR/run.started.part"
  mv "$STATE_DIR/run.started.part" "$STATE_DIR/run.started"
}

do_everything() {
  trap 'interrupted; exit 130' INT
  take_over_lock
  provision
  release_lock
  trap : INT # the driver says itself how it goes on
  run_driver
}

run_driver() {
  note 'the evaluation' "$OUTPUT_DIR/run.log"
  printf '== %s %s\n' "$(date -u +%FT%TZ)" "${DRIVER[*]}" >>"$OUTPUT_DIR/run.log"
  set +e
  scoring_environment "${DRIVER[@]}" 2>&1 | tee -i -a "$OUTPUT_DIR/run.log"
  exit "${PIPESTATUS[0]}"
}

# Shows the session until it ends, or until the person turns away from it.
follow_session() {
  if ((INTERACTIVE)) && [[ -z ${TMUX:-} ]]; then
    say "Attaching to the tmux session $SESSION. Leave it with Ctrl-b d: it goes on without you."
    show_session && return 0
    run_is_alive || return 0 # it has ended already
    say 'This terminal cannot show it. Its log instead:'
  fi
  # tail ends by itself when what waits for the session does.
  while run_is_alive; do sleep 0.3; done &
  tail -c "+$((LOG_OFFSET + 1))" -f -s 0.3 --pid=$! "$(session_log)" &
  # shellcheck disable=SC2064  # the process id is that of now
  trap "kill $! 2>/dev/null; say ''; still_running; exit 130" INT TERM
  wait $! || true
  trap - INT TERM
}

# tmux knows no terminal that is newer than the machine.
show_session() {
  local attach=(tmux -S "$(run_field run.started socket)" attach-session -t "=$SESSION")
  "${attach[@]}" 2>/dev/null || { run_is_alive && TERM=xterm-256color "${attach[@]}" 2>/dev/null; }
}

still_running() {
  say "It goes on in the background, in the tmux session $SESSION. Back to it:"
  say "    $(again attach)"
  say "    $(again status)"
  say "To end it: tmux -L $TMUX_SERVER kill-session -t $SESSION"
}

# Ends the program as the session ended.
finish() {
  local code during
  if run_is_alive; then
    still_running
    exit 0
  fi
  if [[ ! -f $STATE_DIR/run.status ]]; then
    say_died
    exit 1
  fi
  code=$(run_field run.status exit_code) during=$(run_field run.status during)
  OUTPUT_DIR=$(run_field run.started output_dir)
  if ((INTERACTIVE)) && [[ -z ${TMUX:-} ]]; then show_end "$during"; fi
  say ''
  if ((code == 0)); then
    say "${GREEN}Done.${PLAIN} Provisioning and evaluation took $(duration $((EPOCHSECONDS - $(run_field run.started begun)))). Read $OUTPUT_DIR/combined_summary.md"
    say_what_next
  elif [[ $during == step* ]]; then
    say "${RED}It ended with exit code $code at $during.${PLAIN} All that was said: $(session_log)"
  else
    say "${RED}The evaluation ended with exit code $code.${PLAIN} Its log: $OUTPUT_DIR/run.log"
    ((code == 2)) || say_how_to_go_on
  fi
  exit "$code"
}

# What was seen last, for a terminal from which the session has vanished.
show_end() {
  if [[ $1 != step* ]]; then
    "$VENV_DIR/bin/sigil-eval" report "$OUTPUT_DIR" --terminal 2>/dev/null || tail -n 25 "$OUTPUT_DIR/run.log"
  elif [[ -f $STATE_DIR/run.failure ]]; then
    cat "$STATE_DIR/run.failure"
  else
    tail -c "+$((LOG_OFFSET + 1))" "$(session_log)" | tail -n 12
  fi
}

say_what_next() {
  local command
  command=$(sigil_eval_command)
  say 'What you can do now:'
  say "    $command reproduce $(printf %q "$OUTPUT_DIR")     check it, on this machine or another"
  say "    $command score SAMPLES.jsonl     judge samples of your own"
}

# As it can be typed here.
sigil_eval_command() {
  local found own=$STATE_DIR/bin/sigil-eval
  [[ -x $own ]] || own=$VENV_DIR/bin/sigil-eval
  found=$(type -P sigil-eval) || true
  if [[ -n $found && $(realpath "$found") == "$(realpath -m "$own")" ]]; then
    printf sigil-eval
  else
    printf '%q' "$own"
  fi
}

say_how_to_go_on() {
  say 'The same command goes on from there:'
  say "    $(run_field run.started resume)"
}

say_died() {
  if [[ -n $(run_field run.started boot_id) && $(run_field run.started boot_id) != "$(boot_id)" ]]; then
    say "The machine was restarted before it had ended. It was begun at $(run_field run.started started_at)."
  else
    say "It died without a word of its own (ended from outside, or out of memory), at: $(run_field run.step doing)"
  fi
  say_how_to_go_on
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
  say "    $(again attach)      to watch it"
  say "    $(again status)      to see how far it is"
  exit 3
}

status() {
  local code holder
  if run_is_alive; then
    say "running since $(run_field run.started started_at), in the tmux session $SESSION"
    say_doing
  elif lock_is_held; then
    holder=$(<"$STATE_DIR/lock")
    say "at work outside of a session, process $holder"
    say_doing
    return 0
  elif [[ -f $STATE_DIR/run.status ]]; then
    code=$(run_field run.status exit_code)
    say "finished at $(run_field run.status finished_at) with exit code $code"
    if ((code)); then say_how_it_failed; fi
  elif [[ -f $STATE_DIR/run.started ]]; then
    say_died
  else
    say 'not started: nothing was run from here yet'
    return 0
  fi
  say "results: $(run_field run.started output_dir)"
}

lock_is_held() { [[ -f $STATE_DIR/lock ]] && ! flock -n "$STATE_DIR/lock" true; }

say_doing() {
  local since
  since=$(run_field run.step since)
  [[ -n $since ]] || return 0
  say "doing: $(run_field run.step doing), for $(duration $((EPOCHSECONDS - since)))"
  say "last line: $(last_line "$(run_field run.step log)")"
}

last_line() { tail -c 4000 "$1" 2>/dev/null | tr '\r' '\n' | plain | awk 'NF {line = $0} END {print line}'; }

say_how_it_failed() {
  local during
  during=$(run_field run.status during)
  say "it was at: ${during:-its beginning}"
  if [[ -f $STATE_DIR/run.failure ]]; then
    if ((TERMINAL)); then cat "$STATE_DIR/run.failure"; else plain <"$STATE_DIR/run.failure"; fi
  elif [[ $during == step* ]]; then
    say "last line: $(last_line "$(session_log)")"
    say_how_to_go_on
  else
    say "last line: $(last_line "$(run_field run.started output_dir)/run.log")"
    say_how_to_go_on
  fi
}

attach() {
  run_is_alive || die 3 "nothing goes on in a session. See: $(again status)"
  LOG_OFFSET=$(run_field run.started log_offset)
  follow_session
  finish
}
