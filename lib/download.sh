# shellcheck shell=bash
# Downloads that are checked before they are used, and the cheap question whether a host answers.

# True when any answer comes from the address within a few seconds.
reachable() {
  command -v curl >/dev/null && curl -sS -o /dev/null --connect-timeout 2 --max-time 4 "$1" 2>/dev/null
}

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
