# shellcheck shell=bash
# The session in which everything goes on that needs no person any more, steps and evaluation, so that
# it outlives the connection that started it. Its tmux server is its own: neither the environment nor
# the settings of another one reach it.

TMUX_SERVER=sigilderg

our_tmux() { tmux -L "$TMUX_SERVER" -f /dev/null "$@"; }

start_session() {
  mkdir -p "${OUTPUT_DIR:?}"
  rm -f "$STATE_DIR"/run.{status,started,failure,step}
  touch "$(session_log)" || cannot_write "$(session_log)"
  # shellcheck disable=SC2034  # it goes along in the session's file
  LOG_OFFSET=$(stat -c %s "$(session_log)") BEGUN=$((EPOCHSECONDS - SECONDS))
  write_session_file "$STATE_DIR/run.session"
  # The last run's session may be about to end, or be kept by a window of somebody's own.
  open_window new-session -d -s "$SESSION" -x 120 -y 40 2>/dev/null ||
    open_window new-window -t "=$SESSION:" 2>/dev/null ||
    open_window new-session -d -s "$SESSION" -x 120 -y 40 || cannot_start
  wait_until_started
  set_for_session @state_dir "$STATE_DIR"
  set_for_session status-left-length 20
  set_for_session status-right 'Ctrl-b d leaves, it goes on '
}

# It may have ended by now, which is no fault.
set_for_session() { our_tmux set-option -t "=$SESSION:" "$@" 2>/dev/null || true; }

open_window() {
  env -i HOME="$HOME" PATH="$PATH" SHELL=/bin/bash LC_ALL=C.UTF-8 ${TMUX_TMPDIR:+TMUX_TMPDIR="$TMUX_TMPDIR"} \
    tmux -L "$TMUX_SERVER" -f /dev/null "$@" -n evaluation bash "$ROOT/eval_setup.sh" run-session "$STATE_DIR" 9>&-
}

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
  # shellcheck disable=SC2034  # end_failed writes it
  FAILURE_RECORD=$STATE_DIR/run.failure INTERACTIVE=0
  mkdir -p "$STATE_DIR/logs"
  record_start
  trap : INT # Ctrl-C in the session ends what is done there, not the record of how it ended
  trap '' QUIT
  stty -ixon </dev/tty 2>/dev/null || true # Ctrl-S would stop it all
  set +e
  (
    set -Eeuo pipefail
    provision_and_evaluate
  ) 2>&1 </dev/null | tee -i -p /dev/tty | (
    trap '' INT HUP
    as_plain_text >>"$(session_log)"
  )
  code=${PIPESTATUS[0]}
  record_end "$code"
}

provision_and_evaluate() {
  trap 'interrupted; exit 130' INT
  take_over_lock
  provision
  release_lock
  trap : INT # the driver says itself how it goes on
  run_driver
}

run_driver() {
  record_doing "$(driver_does)" "$OUTPUT_DIR/run.log"
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
  trap "kill $! 2>/dev/null; say ''; say_still_running; exit 130" INT TERM
  wait $! || true
  trap - INT TERM
}

# tmux knows no terminal that is newer than the machine.
show_session() {
  local attach=(tmux -S "$(run_field run.started socket)" attach-session -t "=$SESSION")
  "${attach[@]}" 2>/dev/null || { run_is_alive && TERM=xterm-256color "${attach[@]}" 2>/dev/null; }
}

attach() {
  run_is_alive || die 3 "nothing goes on in a session. See: $(eval_setup_command status)"
  LOG_OFFSET=$(run_field run.started log_offset)
  follow_session
  end_as_session_did
}
