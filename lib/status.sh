# shellcheck shell=bash
# What is said of a run: how far it is, how it ended, and how to go on.

status() {
  local code='' holder output
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
  output=$(run_field run.started output_dir)
  say "results: $output"
  if [[ ${code:-} == [04] ]]; then verdict_of "$output"; fi
}

# verdict_of FOLDER: what the results come to, in the words of their summary.
verdict_of() {
  sed -n '/^## Verdict$/,/^## /{/^## /d; s/\*\*//g; p}' "$1/combined_summary.md" 2>/dev/null | cat -s | folded
}

say_doing() {
  local since
  since=$(run_field run.step since)
  [[ -n $since ]] || return 0
  say "doing: $(run_field run.step doing), for $(duration $((EPOCHSECONDS - since)))"
  say "last line: $(last_line "$(run_field run.step log)")"
}

last_line() { tail -c 4000 "$1" 2>/dev/null | tr '\r' '\n' | as_plain_text | awk 'NF {line = $0} END {print line}'; }

say_how_it_failed() {
  local during
  during=$(run_field run.status during)
  say "it was at: ${during:-its beginning}"
  if [[ -f $STATE_DIR/run.failure ]]; then
    if ((TERMINAL)); then cat "$STATE_DIR/run.failure"; else as_plain_text <"$STATE_DIR/run.failure"; fi
  elif [[ $during == step* ]]; then
    say "last line: $(last_line "$(session_log)")"
    say_how_to_go_on
  else
    say "last line: $(last_line "$(run_field run.started output_dir)/run.log")"
    say_how_to_go_on
  fi
}

say_died() {
  if [[ -n $(run_field run.started boot_id) && $(run_field run.started boot_id) != "$(boot_id)" ]]; then
    say "The machine was restarted before it had ended. It was begun at $(run_field run.started started_at)."
  else
    say "It died without a word of its own (ended from outside, or out of memory), at: $(run_field run.step doing)"
  fi
  say_how_to_go_on
}

say_how_to_go_on() {
  say 'The same command goes on from there:'
  say "    $(run_field run.started resume)"
}

say_still_running() {
  say "It goes on in the background, in the tmux session $SESSION. Back to it:"
  say "    $(eval_setup_command attach)"
  say "    $(eval_setup_command status)"
  say "To end it: tmux -L $TMUX_SERVER kill-session -t $SESSION"
}

# Ends the program as the session ended.
end_as_session_did() {
  local code during
  if run_is_alive; then
    say_still_running
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
    say "${RED}${during^} ended with exit code $code.${PLAIN} Its log: $OUTPUT_DIR/run.log"
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
  command=$(sigil_eval_as_typed)
  say 'What you can do now:'
  say "    $command reproduce $(printf %q "$OUTPUT_DIR")     check it, on this machine or another"
  say "    $command score SAMPLES.jsonl     judge samples of your own"
}
