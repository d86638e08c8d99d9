# shellcheck shell=bash
# What the set-up has made outside of its own folder is listed as it is made, and removed on request.
#   STATE_DIR/made.tsv   a kind (package, user, folder, link), a name, and the machine on which it was made;
#                        written before the thing is made

made() {
  local row=$1$'\t'$2$'\t'
  row+=$(machine)
  grep -qxF "$row" "$STATE_DIR/made.tsv" 2>/dev/null || printf '%s\n' "$row" >>"$STATE_DIR/made.tsv"
}

# made_of KIND: what was made on this machine. STATE_DIR may be on a disk that outlives a machine, and what
# is called the same on the next one came with its image. What lies in STATE_DIR has moved along.
made_of() { made_here 1 "$1"; }
made_elsewhere() { made_here 0 "$1"; }
made_here() {
  awk -F'\t' -v here="$1" -v kind="$2" -v machine="$(machine)" -v inside="$STATE_DIR/" \
    '$1 == kind && ($3 == machine || index($2, inside) == 1) == here {print $2}' "$STATE_DIR/made.tsv" 2>/dev/null || true
}

# What stays the same on a machine until it is set up anew; the root file system, where systemd has not
# given it a name.
machine() {
  local name=''
  if [[ -r $MACHINE_ID ]]; then read -r name <"$MACHINE_ID" || true; fi
  if [[ ! $name =~ ^[0-9a-f]{32}$ ]]; then name=$(stat -f -c %i / 2>/dev/null) || true; fi
  printf '%s' "$name"
}
MACHINE_ID=/etc/machine-id

# Everything that this program puts into STATE_DIR. Anything else there is left.
STATE_ENTRIES=(bin bootstrap cache cli_tools.stamp deviations.tsv evaluation.stamp lock logs made.tsv models.tsv pyenv python.path
  run.failure run.session run.started run.status run.step rust rust.path rust.stamp sandbox.stamp sources step.begun
  steps.tsv)

uninstall() {
  local packages=() folders=() links=() user name
  [[ -f $STATE_DIR/lock ]] || {
    say "Nothing is installed in $STATE_DIR."
    exit 0
  }
  refuse_second_run
  take_lock
  for name in $(made_of package); do
    [[ -z $(missing_packages "$name") ]] && packages+=("$name")
  done
  mapfile -t folders < <(made_of folder)
  mapfile -t links < <(our_links)
  user=$(made_of user)
  say 'This is going to be removed:'
  say "    $STATE_DIR"
  for name in "${folders[@]}" "${links[@]}"; do say "    $name"; done
  if [[ -n $user ]]; then say "    the user $user"; fi
  if ((${#packages[@]})); then say "    packages: ${packages[*]}"; fi
  say_what_is_left
  confirm_removal
  remove_packages "${packages[@]}"
  if [[ -n $user ]] && id "$user" >/dev/null 2>&1; then as_root userdel "$user"; fi
  for name in "${folders[@]}" "${links[@]}"; do
    rm -rf "$name"
    rmdir -p --ignore-fail-on-non-empty "$(dirname "$name")" 2>/dev/null || true
  done
  for name in "${STATE_ENTRIES[@]}"; do rm -rf "${STATE_DIR:?}/$name"{,.part}; done
  if rmdir "$STATE_DIR" 2>/dev/null; then
    say 'Removed.'
  else
    say "Removed. This is not ours and was left: $(find "$STATE_DIR" -mindepth 1 -maxdepth 1 -printf '%p ')"
  fi
}

# Those that still lead to the command that was made.
our_links() {
  local name
  while read -r name; do
    [[ $(readlink "$name") != "$STATE_DIR/bin/sigil-eval" ]] || printf '%s\n' "$name"
  done < <(made_of link)
}

say_what_is_left() {
  local kind name left=''
  say 'Results are left where they are.'
  for kind in package user folder link; do
    while read -r name; do left+="    $kind $name"$'\n'; done < <(made_elsewhere "$kind")
  done
  [[ -z $left ]] || say "Made on another machine, or before machines were told apart, and left alone:"$'\n'"${left%$'\n'}"
}

confirm_removal() {
  local answer
  ((YES)) && return 0
  ((INTERACTIVE)) || die 2 'nobody is there to ask; --yes answers.'
  read -r -p 'Type yes to remove it: ' answer
  [[ $answer == yes ]] || die 2 'nothing was removed.'
}

# All of them or, where something else has come to need one, none.
remove_packages() {
  local others
  (($#)) || return 0
  others=$(apt_get --simulate remove "$@" | awk '/^Remv/ {print $2}' | grep -vxF "$(printf '%s\n' "$@")") || true
  if [[ -n $others ]]; then
    say "The packages are left: they are needed by: ${others//$'\n'/ }"
    return 0
  fi
  apt_get purge "$@"
}
