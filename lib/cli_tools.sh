# shellcheck shell=bash
# The command lines of GitHub and Hugging Face, for people: nothing here depends on them.

cli_tools_describe() { say 'gh and hf, optional'; }

cli_tools_probe() {
  if ! stamped "$STATE_DIR/cli_tools.stamp" "$(venv_key)"; then
    say 'not looked for yet'
    return 1
  fi
  say "hf at $VENV_DIR/bin/hf; gh $(command -v gh || echo 'absent, and not needed')"
}

cli_tools_later_packages() { command -v gh >/dev/null || say gh; }

cli_tools_apply() {
  command -v gh >/dev/null || (apt_install gh) || say 'gh could not be installed; nothing needs it'
}

# Not stamped while gh can be had and is not there: then the next run tries again.
cli_tools_verify() {
  [[ -x $VENV_DIR/bin/hf ]]
  if command -v gh >/dev/null || [[ -z $(apt-cache policy gh 2>/dev/null) ]]; then
    stamp "$STATE_DIR/cli_tools.stamp" "$(venv_key)"
  fi
}
