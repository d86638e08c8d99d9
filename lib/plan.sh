# shellcheck shell=bash
# Which steps are chosen, and, for --plan, what they would do.

chosen_steps() {
  local step on=1
  [[ -z $FROM_STEP ]] || on=0
  for step in "${STEPS[@]}"; do
    [[ $step != "$FROM_STEP" ]] || on=1
    [[ $step != vllm || $WITH_VLLM == 1 || $ONLY_STEP == vllm ]] || continue
    if ((on)) && [[ -z $ONLY_STEP || $step == "$ONLY_STEP" ]]; then printf '%s\n' "$step"; fi
  done
}

plan() {
  local step findings
  for step in "${CHOSEN_STEPS[@]}"; do
    probe "$step"
    if ((RC == 0)) && [[ $step != "$FORCE_STEP" ]]; then
      printf '%-12s %-9s %s\n' "$step" 'done' "$REASON"
    else
      printf '%-12s %-9s %s\n' "$step" 'to do' "$("${step}_describe")"
      printf '%-22s %s\n' '' "$DIM$REASON$PLAIN"
    fi
  done
  say ''
  say "Then, in the tmux session $SESSION:"
  driver_command
  printf '    %q' "${DRIVER[0]}"
  printf ' %q' "${DRIVER[@]:1}"
  printf '\n'
  findings=$(preflight_findings)
  if findings_stop "$findings"; then
    say ''
    say "${BOLD}It would stop before all that, with exit code 3.${PLAIN}"
    say_what_stops "$findings"
  fi
}
