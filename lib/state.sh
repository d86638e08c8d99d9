# shellcheck shell=bash
# What every step keeps in STATE_DIR: stamps, the lock, and the list of what was made outside of it.
#   lock       held by whoever provisions; its process id is in it
#   made.tsv   a kind (package, user, folder, link), a name, and the machine on which it was made; written
#              before the thing is made, and what `uninstall` removes

# For what cannot be probed in a moment, the key it was verified with. Written beside its place and moved, so
# that it is there whole or not at all.
stamp() {
  printf '%s\n' "$2" >"$1.part"
  mv "$1.part" "$1"
}
stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# File descriptor 9 holds the lock. Steps inherit it: what a killed run has left at work still writes,
# and whoever comes next has to wait for it. The tmux server, which outlives us, does not; the session
# takes the lock over for its steps, and gives it up before the evaluation.
take_lock() {
  local holder
  mkdir -p "$STATE_DIR/logs"
  exec 9>>"$STATE_DIR/lock"
  if ! flock -n 9; then
    holder=$(<"$STATE_DIR/lock")
    if [[ -n $holder ]] && kill -0 "$holder" 2>/dev/null; then
      die 3 "another eval_setup.sh, process $holder, is at work in $STATE_DIR. It is left alone. How far it is: $(eval_setup_command status)"
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

lock_is_held() { [[ -f $STATE_DIR/lock ]] && ! flock -n "$STATE_DIR/lock" true; }

cannot_write() { die 1 "cannot write $1. Is its disk full? df -h $(dirname "$1")"; }

# record_made KIND NAME
record_made() {
  local row=$1$'\t'$2$'\t'
  row+=$(machine_name)
  grep -qxF "$row" "$STATE_DIR/made.tsv" 2>/dev/null || printf '%s\n' "$row" >>"$STATE_DIR/made.tsv"
}

# made_here KIND: what was made on this machine. STATE_DIR may be on a disk that outlives a machine, and what
# is called the same on the next one came with its image. What lies in STATE_DIR has moved along.
made_here() { made_things "$1" 1; }
made_elsewhere() { made_things "$1" 0; }
made_things() { # KIND HERE
  awk -F'\t' -v kind="$1" -v here="$2" -v machine="$(machine_name)" -v inside="$STATE_DIR/" \
    '$1 == kind && ($3 == machine || index($2, inside) == 1) == here {print $2}' "$STATE_DIR/made.tsv" 2>/dev/null || true
}

# What stays the same on a machine until it is set up anew; the root file system, where systemd has not
# given it a name.
machine_name() {
  local name=''
  if [[ -r $MACHINE_ID ]]; then read -r name <"$MACHINE_ID" || true; fi
  if [[ ! $name =~ ^[0-9a-f]{32}$ ]]; then name=$(stat -f -c %i / 2>/dev/null) || true; fi
  printf '%s' "$name"
}
MACHINE_ID=/etc/machine-id
