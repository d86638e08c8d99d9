# shellcheck shell=bash
# Folders: which of them exist, and in which programs may be run.

# The path itself, or the nearest folder above it that exists.
existing_parent() {
  local path=$1
  while [[ ! -d $path ]]; do path=$(dirname "$path"); done
  printf '%s' "$path"
}

# A folder in which a program may be run, made anew: on hardened machines /tmp is mounted noexec.
folder_for_programs() {
  local place folder
  for place in "${TMPDIR:-/tmp}" "$(existing_parent "$STATE_DIR/cache")" /var/tmp "$HOME"; do
    folder=$(mktemp -d -p "$place" .sigilderg.XXXXXX 2>/dev/null) || continue
    printf '#!/bin/sh\n' >"$folder/program" && chmod +x "$folder/program"
    if "$folder/program" 2>/dev/null; then
      printf '%s' "$folder"
      return 0
    fi
    rm -rf "$folder"
  done
  say "no program can be run in ${TMPDIR:-/tmp}, $STATE_DIR, /var/tmp or $HOME: set TMPDIR to a folder on a disk that is not mounted noexec" >&2
  return 1
}
