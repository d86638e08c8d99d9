# shellcheck shell=bash
# Firejail, proved on canaries: programs that try to read, write, connect and outlive their time.

sandbox_mode_is_known() { [[ $SANDBOX_MODE == firejail || $SANDBOX_MODE == none ]]; }

sandbox_describe() { say 'Firejail, proved to contain programs that try to get out'; }

sandbox_key() { printf '%s %s' "$(firejail --version 2>/dev/null | sed -n 1p)" "$(rustc_path)"; }

sandbox_probe() {
  if [[ $SANDBOX_MODE == none ]]; then
    [[ -n $(deviations_of sandbox) ]] && say 'SANDBOX_MODE=none'
    return
  fi
  if ((EUID == 0)) && ! id "$SANDBOX_USER" >/dev/null 2>&1; then
    say "the user $SANDBOX_USER, who judges programs for root, is missing"
    return 1
  fi
  if ! stamped "$STATE_DIR/sandbox.stamp" "$(sandbox_key)"; then
    say 'not proved yet, or Firejail or the compiler has changed'
    return 1
  fi
  say "$(sandbox_key | cut -d' ' -f1-3) contains the canaries"
}

sandbox_apply() {
  if [[ $SANDBOX_MODE == none ]]; then
    deviation sandbox Firejail none "programs written by a model run unprotected, as user $(id -un)"
    return 0
  fi
  if ((EUID == 0)) && ! id "$SANDBOX_USER" >/dev/null 2>&1; then
    record_made user "$SANDBOX_USER"
    as_root useradd --no-create-home --shell /bin/sh "$SANDBOX_USER" || (($? == 9)) # it exists by now
  fi
}

sandbox_verify() {
  [[ $SANDBOX_MODE == firejail ]] || return 0
  scoring_environment "$VENV_DIR/bin/sigil-eval" sandbox-check || {
    say 'Firejail does not contain programs here (containers without privileges are a usual cause).'
    die 3 'Use a machine where it does. SANDBOX_MODE=none SKIP_ENV_CHECK=1 goes on without, on your own risk.'
  }
  stamp "$STATE_DIR/sandbox.stamp" "$(sandbox_key)"
}
