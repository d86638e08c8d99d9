# shellcheck shell=bash
# apt packages, through one wrapper, and only those that are missing.

# cc and libc are for rustc, which links with them.
SYSTEM_PACKAGES=(ca-certificates curl gcc git libc6-dev procps tmux util-linux)

required_packages() {
  printf '%s\n' "${SYSTEM_PACKAGES[@]}"
  if [[ $SANDBOX_MODE == firejail ]]; then say firejail; fi
}

# Those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
  done
}

system_deps_describe() { say 'apt packages: git, curl, gcc, tmux, Firejail'; }

system_deps_probe() {
  local packages missing
  mapfile -t packages < <(required_packages)
  missing=$(missing_packages "${packages[@]}")
  if [[ -n $missing ]]; then
    say "missing: $missing"
    return 1
  fi
  say "all ${#packages[@]} packages are installed"
}

system_deps_needs() { [[ -n ${OFFLINE_PACKAGES:-} ]] || needs_answer stop apt "apt's sources"; }

system_deps_apply() {
  local packages
  mapfile -t packages < <(required_packages)
  apt_install "${packages[@]}"
}

system_deps_verify() {
  local tool
  for tool in curl gcc git tmux flock; do
    "$tool" -V >/dev/null 2>&1 || "$tool" --version >/dev/null
  done
  system_deps_probe
}

# apt_install PACKAGE...: waits for a fresh machine's own set-up first, so as not to fight over apt.
# A foreign repository that fails to update is no reason to stop; a package that is missing is.
apt_install() {
  local missing
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  if command -v cloud-init >/dev/null; then
    timeout 300 cloud-init status --wait >/dev/null || true
  fi
  say "installing $missing"
  apt_get update || say 'apt-get update reported errors; going on with what it knows'
  repair_packages
  # shellcheck disable=SC2086  # a list of words
  record_new_packages $missing
  # shellcheck disable=SC2086
  apt_get install $missing
}

# Which packages are going to be new, dependencies included: uninstalling takes away these.
record_new_packages() {
  local package
  for package in $(apt_get --simulate install "$@" |
    awk '/^Inst/ && $3 !~ /^\[/ {print $2}'); do
    record_made package "$package"
  done
}

# A kill, a Ctrl-C or a full disk in the middle of an installation leaves packages half unpacked, or
# without what they depend on. apt refuses everything else until that is mended. (Whether it is needed
# is asked without waiting for another program's lock.)
repair_packages() {
  local half_unpacked
  if [[ -z $(as_root dpkg --audit) ]] && apt_get -o Debug::NoLocking=true check; then return 0; fi
  say 'an installation was interrupted; it is finished first'
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l dpkg --force-confold --configure -a || true
  mapfile -t half_unpacked < <(dpkg-query -W -f='${db:Status-Eflag} ${db:Status-Status} ${binary:Package}\n' |
    awk '$1 == "reinstreq" || $2 == "half-installed" {print $3}')
  apt_get --fix-broken --reinstall --no-remove install "${half_unpacked[@]}"
}

# sudo drops exported variables. needrestart only lists (l): restarting would end logins.
apt_get() {
  # shellcheck disable=SC2034  # as_root reads it
  local AS_TYPED="apt-get $*"
  local sources=()
  if [[ -n ${OFFLINE_PACKAGES:-} ]]; then mapfile -t sources < <(carried_packages_options); fi
  as_root bash -c "$WITH_SETTINGS" bash env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -y -q \
    -o DPkg::Lock::Timeout="$APT_LOCK_TIMEOUT" -o Acquire::Retries=5 -o Acquire::http::Timeout=30 -o APT::Install-Recommends=false "${sources[@]}" "$@" \
    < <(network_settings)
}

# The proxies, NAME=VALUE a line, go in by standard input: there may be a password in them, and an
# argument list is there for everyone to read.
network_settings() {
  local name
  for name in {http,https,ftp,all,no}_proxy {HTTP,HTTPS,FTP,ALL,NO}_PROXY; do
    [[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}"
  done
}
# shellcheck disable=SC2016  # it is for the bash that root runs
WITH_SETTINGS='while IFS= read -r setting; do export "$setting"; done; exec "$@" </dev/null'

# Whether apt gets an index of any of its hosts; a foreign one that is dead is no reason to stop.
# apt-helper goes by apt's mirrors and proxies, and neither it nor --print-uris needs root or changes anything.
apt_answers() {
  local index folder code=0 number=0
  folder=$(mktemp -d)
  while read -r index; do
    number=$((number + 1))
    {
      if timeout "$ANSWER_SECONDS" /usr/lib/apt/apt-helper download-file "$index" "$folder/$number" >/dev/null 2>&1; then
        touch "$folder/answered"
      fi
    } &
  done < <(apt-get update --print-uris 2>/dev/null | sed -n "s/^'\([^']*\)'.*/\1/p" | awk -F/ '!seen[$1 $3]++')
  wait
  [[ -e $folder/answered ]] || code=1
  rm -rf "$folder"
  return "$code"
}

# What the named steps would install later, in a session where nobody can type a password.
later_packages() {
  local step
  for step in "$@"; do
    if declare -F "${step}_later_packages" >/dev/null; then "${step}_later_packages"; fi
  done
}

# Before a line that is rewritten begins, and only where root is going to be needed.
ask_before_installing() {
  local packages
  sudo_may_ask || return 0
  mapfile -t packages < <(required_packages && later_packages "${CHOSEN_STEPS[@]}")
  [[ -z $(missing_packages "${packages[@]}") ]] || ask_for_password
}

# Where sudo asks for a password, they are installed now. One that cannot be had is missed by its step.
install_for_later() {
  local step packages
  sudo_asks_later || return 0
  for step in "${CHOSEN_STEPS[@]}"; do
    mapfile -t packages < <(later_packages "$step")
    [[ -n $(missing_packages "${packages[@]}") ]] || continue
    say "    installing what the step $step is going to need, while you can be asked for a password"
    guarded logged "$STATE_DIR/logs/system_deps.log" apt_install "${packages[@]}"
  done
}
