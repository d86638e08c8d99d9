# shellcheck shell=bash
# Downloads that are checked before they are used.

sha256_of() { sha256sum -- "$1" | cut -d' ' -f1; }

# fetch URL SHA256 FILE: FILE is there afterwards with that sha256, or it fails and says why.
# Downloaded beside its place, continued where it was cut off, moved only when it is right.
fetch() {
  local url=$1 sha256=$2 file=$3 got
  if [[ -f $file && $(sha256_of "$file") == "$sha256" ]]; then
    return 0
  fi
  mkdir -p "$(dirname "$file")"
  if ! download "$url" "$file.part" -C -; then
    rm -f "$file.part"
    download "$url" "$file.part" || {
      say "cannot download $url"
      return 1
    }
  fi
  got=$(sha256_of "$file.part")
  if [[ $got != "$sha256" ]]; then
    rm -f "$file.part"
    say "$url is not the pinned file: its sha256 is $got, expected $sha256"
    return 1
  fi
  mv "$file.part" "$file"
}

# Gives up on a transfer that crawls below 1 kB/s for half a minute.
download() {
  local url=$1 file=$2
  shift 2
  curl -fsSL --connect-timeout 10 --retry 3 --speed-time 30 --speed-limit 1024 "$@" -o "$file" "$url"
}

# git, without its question whose a repository's folder is: one that was carried here may be anybody's.
# (The answer cannot be given on the command line: git does not hand that on to the program that serves
# file:// addresses, and 2.34 does not take it at all.)
run_git() {
  local config code=0
  config=$(mktemp)
  printf '[include]\n\tpath = %s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/git/config" "$HOME/.gitconfig" \
    ${GIT_CONFIG_GLOBAL:+"$GIT_CONFIG_GLOBAL"} >"$config"
  printf '[safe]\n\tdirectory = *\n' >>"$config"
  GIT_CONFIG_GLOBAL=$config git "$@" || code=$?
  rm -f "$config"
  return "$code"
}
