# shellcheck shell=bash
# The session in which the evaluation runs, so that it outlives the connection that started it.
#   STATE_DIR/run.started   output folder, process id and time of the start
#   STATE_DIR/run.status    exit code and time of the end; written last, by the session itself

session_exists() { tmux has-session -t "=$SESSION" 2>/dev/null; }

# run_field FILE NAME: a value of one of the two files.
run_field() { sed -n "s/^$2=//p" "$STATE_DIR/$1" 2>/dev/null; }

# A process that has ended is still listed where the first process of a container gathers no dead.
run_is_alive() {
  [[ ! -f $STATE_DIR/run.status && $(ps -o stat= -p "$(run_field run.started pid)") == [!Z]* ]]
}

start_session() {
  mkdir -p "${OUTPUT_DIR:?}"
  rm -f "$STATE_DIR/run.status" "$STATE_DIR/run.started"
  touch "$OUTPUT_DIR/run.log"
  LOG_OFFSET=$(stat -c %s "$OUTPUT_DIR/run.log")
  write_session_file "$STATE_DIR/run.session"
  tmux new-session -d -s "$SESSION" -n evaluation -x 120 -y 40 \
    bash "$ROOT/eval_setup.sh" run-session "$STATE_DIR" 9>&-
  wait_until_started
  tmux set-option -t "$SESSION" status-left-length 20 2>/dev/null || true
  tmux set-option -t "$SESSION" status-right 'Ctrl-b d leaves, it goes on ' 2>/dev/null || true
}

wait_until_started() {
  for _ in {1..100}; do
    [[ ! -f $STATE_DIR/run.started ]] || return 0
    sleep 0.1
  done
  die 1 "the tmux session $SESSION did not start. Does this work: tmux new-session -s $SESSION"
}

# What the session does. The pipe keeps the driver's exit code apart from tee's.
run_session() {
  local code started
  STATE_DIR=$1
  # shellcheck source=/dev/null
  source "$STATE_DIR/run.session"
  rm -f "$STATE_DIR/run.session"
  started=$(date -u +%FT%TZ)
  printf 'output_dir=%s\npid=%s\nstarted_at=%s\n' "$OUTPUT_DIR" "$$" "$started" >"$STATE_DIR/run.started.part"
  mv "$STATE_DIR/run.started.part" "$STATE_DIR/run.started"
  printf '== %s %s\n' "$started" "${DRIVER[*]}" >>"$OUTPUT_DIR/run.log"
  trap : INT # Ctrl-C in the session ends the driver, not the record of how it ended
  set +e
  "${DRIVER[@]}" 2>&1 | tee -i -a "$OUTPUT_DIR/run.log"
  code=${PIPESTATUS[0]}
  printf 'exit_code=%s\nfinished_at=%s\n' "$code" "$(date -u +%FT%TZ)" >"$STATE_DIR/run.status.part"
  mv "$STATE_DIR/run.status.part" "$STATE_DIR/run.status"
}

# Shows the evaluation until it ends, or until the person turns away from it.
follow_session() {
  if ((INTERACTIVE)) && [[ -z ${TMUX:-} ]]; then
    say "Attaching to the tmux session $SESSION. Leave it with Ctrl-b d: it goes on without you."
    tmux attach-session -t "=$SESSION" 2>/dev/null || true # it may have ended already
  else
    # tail ends by itself when what waits for the session does.
    while run_is_alive; do sleep 0.3; done &
    tail -c "+$((LOG_OFFSET + 1))" -f -s 0.3 --pid=$! "$OUTPUT_DIR/run.log" &
    # shellcheck disable=SC2064  # the process id is that of now
    trap "kill $! 2>/dev/null; say ''; still_running; exit 130" INT TERM
    wait $! || true
    trap - INT TERM
  fi
}

still_running() {
  say 'The evaluation goes on in the background. Back to it:'
  say '    bash eval_setup.sh attach      (or: tmux attach -t '"$SESSION)"
  say '    bash eval_setup.sh status'
}

# Ends the program as the evaluation ended.
finish() {
  local code
  if [[ ! -f $STATE_DIR/run.status ]]; then
    if session_exists; then
      still_running
      exit 0
    fi
    say_died
    exit 1
  fi
  code=$(run_field run.status exit_code)
  if ((INTERACTIVE)) && [[ -z ${TMUX:-} ]]; then
    "$VENV_DIR/bin/sigil-eval" report "$OUTPUT_DIR" --terminal 2>/dev/null || tail -n 25 "$OUTPUT_DIR/run.log"
  fi
  say ''
  if ((code == 0)); then
    say "${GREEN}Done.${PLAIN} Provisioning and evaluation took $(duration "$SECONDS"). Read $OUTPUT_DIR/combined_summary.md"
  else
    say "${RED}The evaluation ended with exit code $code.${PLAIN} Its log: $OUTPUT_DIR/run.log"
    ((code == 2)) || say 'The same command resumes it.'
  fi
  exit "$code"
}

say_died() {
  say "The evaluation died without a word of its own (killed, or out of memory). Its log: $(run_field run.started output_dir)/run.log"
  say 'The same command resumes it.'
}

refuse_second_run() {
  session_exists || return 0
  say "An evaluation is running already, in the tmux session $SESSION. It is left alone."
  say '    bash eval_setup.sh attach      to watch it'
  say '    bash eval_setup.sh status      to see how far it is'
  exit 3
}

status() {
  local output_dir code
  if [[ ! -f $STATE_DIR/run.started ]]; then
    say 'not started: no evaluation was run from here yet'
    exit 0
  fi
  output_dir=$(run_field run.started output_dir)
  if [[ -f $STATE_DIR/run.status ]]; then
    code=$(run_field run.status exit_code)
    say "finished at $(run_field run.status finished_at) with exit code $code"
  elif run_is_alive; then
    say "running since $(run_field run.started started_at), in the tmux session $SESSION"
  else
    say_died
  fi
  say "results: $output_dir"
  say "last line: $(tail -n 1 "$output_dir/run.log" 2>/dev/null)"
}

attach() {
  session_exists || die 3 'no evaluation is running. See: bash eval_setup.sh status'
  exec tmux attach-session -t "=$SESSION"
}
