# shellcheck shell=bash
# Whether the hosts that are needed answer: asked cheaply, before anything depends on them.

# Every address that the named steps still need, asked by the client that will ask then.
find_network() {
  local kind client address
  while IFS=$'\t' read -r kind client address; do
    {
      answers "$client" "$address" || finding "$kind" network "$address, for $client" 'no such answer' \
        'a step that needs it fails, or finds another way and records it' \
        'open the network, or name a mirror (see --help)'
    } &
  done < <(network_needs "$@" | sort -u)
  wait
}

# "KIND<TAB>CLIENT<TAB>ADDRESS" of what the named steps still need. KIND is that of the finding.
network_needs() {
  local step
  for step in "$@"; do
    declare -F "${step}_needs" >/dev/null || continue
    probe "$step"
    if ((RC)) || [[ $step == "$FORCE_STEP" ]]; then "${step}_needs"; fi
  done
}

# needs_answer KIND CLIENT ADDRESS: a row of network_needs, as a step's NAME_needs gives them.
needs_answer() {
  local IFS=$'\t'
  printf '%s\n' "$*"
}

# answers CLIENT ADDRESS: whether the program that will ask there gets what it wants, within seconds.
# Each has settings of its own (mirrors, proxies, certificates), so none can speak for another. A
# client that is yet to be installed is stood in for by curl.
answers() {
  case $1 in
    apt | cargo | git | pip) "${1}_answers" "$2" ;;
    *) curl_answers "$2" ;;
  esac
}

curl_answers() {
  command -v curl >/dev/null &&
    curl -fsSLI -o /dev/null --connect-timeout 4 --retry 1 --max-time "$ANSWER_SECONDS" "$@" 2>/dev/null
}

git_answers() {
  if [[ $1 == file://* ]]; then
    [[ -r ${1#file://}/HEAD || -r ${1#file://}/.git/HEAD ]] # git would ask whose it is; see run_git
  elif command -v git >/dev/null; then
    GIT_TERMINAL_PROMPT=0 timeout "$ANSWER_SECONDS" git ls-remote -q "$1" HEAD >/dev/null 2>&1
  else
    curl_answers "$1/info/refs?service=git-upload-pack" -X GET
  fi
}

# pip is asked for a package, not for an address.
pip_answers() {
  if python3 -m pip index --help >/dev/null 2>&1; then
    (
      use_package_settings python3
      timeout "$ANSWER_SECONDS" python3 -m pip index versions -q --disable-pip-version-check \
        --timeout 5 --retries 1 "$1" >/dev/null 2>&1
    )
  else
    curl_answers "${PIP_INDEX_URL:-https://pypi.org/simple}/$1/"
  fi
}
