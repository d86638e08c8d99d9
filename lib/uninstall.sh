# shellcheck shell=bash
# What the set-up has made outside of its own folder is listed as it is made, and removed on request.
#   STATE_DIR/made.tsv   a kind (package, user, folder) and a name, written before the thing is made

made() {
  grep -qxF "$1"$'\t'"$2" "$STATE_DIR/made.tsv" 2>/dev/null || printf '%s\t%s\n' "$1" "$2" >>"$STATE_DIR/made.tsv"
}

made_of() { awk -F'\t' -v kind="$1" '$1 == kind {print $2}' "$STATE_DIR/made.tsv" 2>/dev/null || true; }

# Everything that this program puts into STATE_DIR. Anything else there is left.
STATE_ENTRIES=(bootstrap cache cli_tools.stamp deviations.tsv lock logs made.tsv models.tsv pyenv python.path
  run.failure run.session run.started run.status run.step rust rust.path rust.stamp sandbox.stamp sources step.begun
  steps.tsv)

uninstall() {
  local packages=() folders=() user name
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
  user=$(made_of user)
  say 'This is going to be removed:'
  say "    $STATE_DIR"
  for name in "${folders[@]}"; do say "    $name"; done
  if [[ -n $user ]]; then say "    the user $user"; fi
  if ((${#packages[@]})); then say "    packages: ${packages[*]}"; fi
  say 'Results are left where they are.'
  confirm_removal
  remove_packages "${packages[@]}"
  if [[ -n $user ]] && id "$user" >/dev/null 2>&1; then as_root userdel "$user"; fi
  for name in "${folders[@]}"; do
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
