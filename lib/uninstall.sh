# shellcheck shell=bash
# What the set-up has made is removed on request: STATE_DIR, and what made.tsv lists; see lib/state.sh.

# Everything that this program puts into STATE_DIR. Anything else there is left.
STATE_ENTRIES=(bin bootstrap cache cli_tools.stamp deviations.tsv evaluation.stamp lock logs made.tsv models.tsv pyenv python.path
  run.failure run.session run.started run.status run.step rust rust.path rust.stamp sandbox.stamp sources step.begun
  steps.tsv)

uninstall() {
  local packages folders links user
  [[ -f $STATE_DIR/lock ]] || {
    say "Nothing is installed in $STATE_DIR."
    exit 0
  }
  refuse_second_run
  take_lock
  mapfile -t packages < <(our_packages)
  mapfile -t folders < <(made_here folder)
  mapfile -t links < <(our_links)
  user=$(made_here user)
  say_what_goes
  say_what_is_left
  confirm_removal
  remove_packages "${packages[@]}"
  if [[ -n $user ]] && id "$user" >/dev/null 2>&1; then as_root userdel "$user"; fi
  remove_outside "${folders[@]}" "${links[@]}"
  remove_state
}

# Those that are still installed.
our_packages() {
  local name
  for name in $(made_here package); do
    [[ -n $(missing_packages "$name") ]] || printf '%s\n' "$name"
  done
}

# Those that still lead to the command that was made.
our_links() {
  local name
  while read -r name; do
    [[ $(readlink "$name") != "$STATE_DIR/bin/sigil-eval" ]] || printf '%s\n' "$name"
  done < <(made_here link)
}

# What uninstall has gathered.
say_what_goes() {
  local name
  say 'This is going to be removed:'
  say "    $STATE_DIR"
  for name in "${folders[@]}" "${links[@]}"; do say "    $name"; done
  if [[ -n $user ]]; then say "    the user $user"; fi
  if ((${#packages[@]})); then say "    packages: ${packages[*]}"; fi
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

# Folders and links, and the folders above them that are empty then.
remove_outside() {
  local name
  for name in "$@"; do
    rm -rf "$name"
    rmdir -p --ignore-fail-on-non-empty "$(dirname "$name")" 2>/dev/null || true
  done
}

remove_state() {
  local name
  for name in "${STATE_ENTRIES[@]}"; do rm -rf "${STATE_DIR:?}/$name"{,.part}; done
  if rmdir "$STATE_DIR" 2>/dev/null; then
    say 'Removed.'
  else
    say "Removed. This is not ours and was left: $(find "$STATE_DIR" -mindepth 1 -maxdepth 1 -printf '%p ')"
  fi
}
