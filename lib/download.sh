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
      if [[ $address == file://* ]]; then
        [[ -r ${address#file://}/HEAD || -r ${address#file://}/.git/HEAD ]] # git would ask whose it is; see run_git
      elif command -v git >/dev/null; then
        GIT_TERMINAL_PROMPT=0 timeout "$ANSWER_SECONDS" git ls-remote -q "$address" HEAD >/dev/null 2>&1
      else
        curl_answers "$address/info/refs?service=git-upload-pack" -X GET
      fi
      ;;
    pip)
      if python3 -m pip index --help >/dev/null 2>&1; then
        (
          use_package_settings python3
          timeout "$ANSWER_SECONDS" python3 -m pip index versions -q --disable-pip-version-check \
            --timeout 5 --retries 1 "$address" >/dev/null 2>&1
        )
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

# --- pip's and uv's settings ----------------------------------------------------------------------
# A person's settings of the way to the packages (index, proxy, certificates ...) count, from files as well
# as from variables: those that PASSED_ON lists. The others, such as PIP_USER, `require-virtualenv`,
# UV_SYSTEM_PYTHON or a constraint, are for that person's own installations.

# use_package_settings PYTHON: in this shell, from here on. Its pip is asked what the files say.
use_package_settings() {
  local setting name
  leave_behind
  while read -r setting; do
    name=${setting%%=*}
    if passes "$name" && ! is_exported "$name"; then export "${setting?}"; fi
  done < <(pip_file_settings "$1")
  export PIP_CONFIG_FILE=/dev/null PYTHONSAFEPATH=1 # and no pip.py of the current folder
}

# NAME=VALUE, as pip's variables are called, of what its files say for `install`, then for all commands.
pip_file_settings() {
  local key value
  { "$1" -m pip config list 2>/dev/null || true; } | LC_ALL=C sort -r |
    sed -nE "s/^(install|global)\.([a-z-]+)=['\"](.*)['\"]\$/\2 \3/p" | sed 's/\\n/ /g' |
    while read -r key value; do
      key=${key//-/_}
      printf 'PIP_%s=%s\n' "${key^^}" "$value"
    done
}

# use_uv_settings PYTHON: the same for uv, which is told what pip is told where it is told nothing.
use_uv_settings() {
  use_package_settings "$1"
  use_uv_file "$1"
  hand_on_to_uv
}

# uv does not read pip's settings. A mirror, a proxy or a certificate that is named there is meant for both.
hand_on_to_uv() {
  if [[ -z ${UV_INDEX_URL:-}${UV_DEFAULT_INDEX:-}${UV_NO_INDEX:-} ]] && ! grep -qs '^index' "${UV_CONFIG_FILE:-/dev/null}"; then
    hand_on PIP_INDEX_URL UV_INDEX_URL
    hand_on PIP_EXTRA_INDEX_URL UV_EXTRA_INDEX_URL
    if [[ -n ${PIP_NO_INDEX:-} ]]; then hand_on PIP_FIND_LINKS UV_FIND_LINKS ,; fi
    hand_on PIP_NO_INDEX UV_NO_INDEX
  fi
  hand_on PIP_TRUSTED_HOST UV_INSECURE_HOST
  hand_on PIP_CERT SSL_CERT_FILE
  hand_on PIP_CLIENT_CERT SSL_CLIENT_CERT
  hand_on PIP_PROXY ALL_PROXY
}

# hand_on FROM TO [SEPARATOR]: the value of one variable, where the other has none of its own.
hand_on() {
  local value=${!1:-}
  [[ -z $value ]] || is_exported "$2" || export "$2=${value// /${3:- }}"
}

# What uv.toml says of the way, in a file of our own.
use_uv_file() {
  local own=$STATE_DIR/cache/uv.toml file files=()
  for file in "${UV_CONFIG_FILE:-${XDG_CONFIG_HOME:-$HOME/.config}/uv/uv.toml}" /etc/xdg/uv/uv.toml /etc/uv/uv.toml; do
    [[ ! -f $file || $file == "$own" ]] || files+=("$file")
  done
  unset UV_CONFIG_FILE
  export UV_NO_CONFIG=1
  ((${#files[@]})) || return 0
  mkdir -p "$STATE_DIR/cache"
  (umask 077 && "$1" "$ROOT/lib/python/uv_settings.py" "${files[@]}" >"$own") || die 2 "these settings of uv cannot be read: ${files[*]}"
  unset UV_NO_CONFIG
  export UV_CONFIG_FILE=$own
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
