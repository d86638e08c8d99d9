# shellcheck shell=bash
# Downloads that are checked before they are used, and the cheap question whether a host answers.

# answers CLIENT ADDRESS: whether the program that will ask there gets what it wants, within seconds.
# Each has settings of its own (mirrors, proxies, certificates), so none can speak for another. A
# client that is yet to be installed is stood in for by curl.
answers() {
  local client=$1 address=$2
  case $client in
    apt) apt_answers "$address" ;;
    cargo) cargo_answers "$address" ;;
    git)
      if command -v git >/dev/null; then
        GIT_TERMINAL_PROMPT=0 timeout "$ANSWER_SECONDS" git ls-remote -q "$address" HEAD >/dev/null 2>&1
      else
        curl_answers "$address/info/refs?service=git-upload-pack" -X GET
      fi
      ;;
    pip)
      if python3 -m pip index --help >/dev/null 2>&1; then
        timeout "$ANSWER_SECONDS" python3 -m pip index versions -q --disable-pip-version-check \
          --timeout 5 --retries 1 "$address" >/dev/null 2>&1
      else
        curl_answers "${PIP_INDEX_URL:-https://pypi.org/simple}/$address/"
      fi
      ;;
    *) curl_answers "$address" ;;
  esac
}

curl_answers() {
  command -v curl >/dev/null &&
    curl -fsSLI -o /dev/null --connect-timeout 4 --retry 1 --max-time "$ANSWER_SECONDS" "$@" 2>/dev/null
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
