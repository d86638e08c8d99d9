# shellcheck shell=bash
# What this machine is, and how it differs from the target: findings, which are only read, and preflight, which
# stops at them.

# Stops with exit code 3 before anything is changed, unless the machine will do for this run.
preflight() {
  local findings
  findings=$(preflight_findings)
  if ! findings_stop "$findings"; then
    # shellcheck disable=SC2034  # record_platform_deviations reads it
    PREFLIGHT_FINDINGS=$findings
    return 0
  fi
  say_what_stops "$findings"
  say ''
  say 'Nothing was changed.'
  if ((STRICT)); then
    say 'To go on:'
    say '    bash eval_setup.sh --demo               the whole job with tiny models, on any Debian or Ubuntu'
    say 'The real models here, with every difference recorded:'
    say "    $(resume_command SKIP_ENV_CHECK=1)"
  fi
  exit 3
}

# Whether this run does not begin for one of the findings.
findings_stop() {
  if ((STRICT)); then grep -qE '^(stop|fails|differs)' <<<"$1"; else grep -q '^stop' <<<"$1"; fi
}

say_what_stops() { # FINDINGS
  if ((STRICT)); then
    say "This machine is not what the evaluation is pinned to ($TARGET_OS, x86_64, $TARGET_GPU):"
    print_findings "$1"
  else
    say 'This cannot be done on this machine:'
    print_findings "$(grep '^stop' <<<"$1")"
  fi
}

doctor() {
  local findings
  findings=$(preflight_findings)
  if [[ -z $findings ]]; then
    say "This machine is fit: $(os_release ID) $(os_release VERSION_ID), $(nvidia_gpus)."
    exit 0
  fi
  say "Findings, against $TARGET_OS, x86_64, $TARGET_GPU:"
  print_findings "$findings"
  grep -qvE '^note' <<<"$findings" || exit 0
  exit 3
}

# Prints findings for people.
print_findings() {
  local id expected actual consequence advice
  while IFS=$'\t' read -r _ id expected actual consequence advice; do
    say "  ${BOLD}$id${PLAIN}: $actual, where $expected is expected"
    say "      $consequence; $advice."
  done <<<"$1"
}

# One finding a line: kind, id, expected, actual, consequence, what to do; separated by tabs.
#   stop     the work cannot be done here at all
#   fails    a step is going to fail; a strict run does not begin
#   differs  it can be done, and the difference is recorded as the deviation platform.ID
#   note     it may do harm later
preflight_findings() {
  find_architecture
  find_os
  find_ram
  find_disk
  find_sandbox_mode
  find_root
  find_place_for_programs
  find_place_for_rust
  find_gpu
  find_session_killers
  # All at the same time, so a network that swallows packets costs one time limit.
  find_network "${CHOSEN_STEPS[@]}" &
  find_model_access &
  wait
}

finding() {
  local IFS=$'\t'
  printf '%s\n' "$*"
}

find_architecture() {
  local machine
  machine=$(uname -m)
  [[ $machine == x86_64 ]] || finding stop architecture x86_64 "$machine" \
    'the pinned compiler and packages are for x86_64' 'use an x86_64 machine'
}

find_os() {
  local id version
  id=$(os_release ID) version=$(os_release VERSION_ID)
  if ! command -v apt-get >/dev/null; then
    finding stop os "$TARGET_OS" "$id $version" 'packages are installed by apt' 'use Ubuntu or Debian'
  elif [[ "$id $version" != "$TARGET_OS" ]]; then
    finding differs os "$TARGET_OS" "$id $version" \
      'apt gives other versions of tmux, Firejail and the C library' "use $TARGET_OS"
  fi
}

os_release() (
  # shellcheck source=/dev/null
  source "${OS_RELEASE:-/etc/os-release}" && printf '%s' "${!1:-unknown}"
)

find_ram() {
  local have need=$MIN_RAM_GB
  ((DEMO)) && need=$DEMO_RAM_GB
  have=$(awk '/^MemTotal:/ {print int($2 / 1048576 + 0.5)}' /proc/meminfo)
  ((have >= need)) || finding differs ram "$need GB" "$have GB" \
    'generation or many compiles at once may run out of memory' 'use a machine with more memory'
}

# "PATH<TAB>GB" of each place that this run is going to fill.
disk_needs() {
  local state=$STATE_DISK_GB cache=$MODELS_DISK_GB
  if ((DEMO)); then state=$DEMO_DISK_GB; fi
  if [[ -f $VENV_DIR/$VENV_MARKER ]]; then state=1; fi
  if ((WITH_VLLM)); then ((state += MERGED_DISK_GB)); fi
  if ((WITH_VLLM)) && [[ ! -f $VLLM_VENV_DIR/$VENV_MARKER ]]; then ((state += VLLM_DISK_GB)); fi
  if models_are_here; then cache=0; fi
  printf '%s\t%s\n' "$STATE_DIR" "$state" "$(model_cache)" "$cache" \
    "$OUTPUT_DIR" "$RESULTS_DISK_GB" "${TMPDIR:-/tmp}" "$TMP_DISK_GB" / "$SYSTEM_DISK_GB"
}

# Places on the same disk share what is free there.
find_disk() {
  local path need disk have
  local -A needs=() free=() paths=()
  while IFS=$'\t' read -r path need; do
    ((need)) || continue
    read -r disk have < <(df -Pk -- "$(existing_parent "$path")" | awk 'NR == 2 {print $6, int($4 / 1048576)}')
    needs[$disk]=$((${needs[$disk]:-0} + need)) free[$disk]=$have paths[$disk]+="${paths[$disk]:+, }$path"
  done < <(disk_needs)
  for disk in "${!needs[@]}"; do
    ((free[$disk] >= needs[$disk])) || finding stop disk "${needs[$disk]} GB free on $disk for ${paths[$disk]}" \
      "${free[$disk]} GB" 'the environment and the models do not fit' \
      'free some space, or set STATE_DIR, HF_HOME, OUTPUT_DIR or TMPDIR to a larger disk'
  done
}

find_sandbox_mode() {
  sandbox_mode_is_known ||
    finding stop sandbox 'SANDBOX_MODE=firejail or none' "$SANDBOX_MODE" 'there is no such sandbox' 'set SANDBOX_MODE'
}

# Root is needed where packages are missing, and asked for without anybody to type a password.
find_root() {
  local packages
  mapfile -t packages < <(required_packages)
  [[ -n $(missing_packages "${packages[@]}") ]] || return 0
  can_be_root || finding stop root 'root, or sudo without a password' 'neither' \
    "apt cannot install $(missing_packages "${packages[@]}")" \
    'run as a user with sudo, in a terminal if it asks for a password, or install them beforehand'
}

find_place_for_programs() {
  local folder
  if folder=$(folder_for_programs 2>/dev/null); then
    rm -rf "$folder"
  else
    finding stop noexec 'a folder in which programs may be run' "none of ${TMPDIR:-/tmp}, $STATE_DIR, /var/tmp and $HOME" \
      'nothing can be compiled and run' 'set TMPDIR to a folder on a disk that is not mounted noexec'
  fi
}

# Firejail mounts /var and /etc so that no program there can be run.
find_place_for_rust() {
  [[ $SANDBOX_MODE == firejail && $(rust_home)/ =~ ^/(var|etc)/ ]] || return 0
  finding stop state 'STATE_DIR outside /var and /etc' "$STATE_DIR" 'the compiler could not be run in the sandbox' \
    'set STATE_DIR to another folder'
}

# What ends a session behind one's back.
find_session_killers() {
  if [[ $(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
    org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null) == 'b true' ]] &&
    ((EUID)) && [[ $(loginctl show-user "$EUID" --property=Linger 2>/dev/null) != Linger=yes ]]; then
    finding fails logind 'sessions that outlive a login' 'KillUserProcesses=yes' \
      'logging out ends the evaluation' "loginctl enable-linger $(id -un)"
  fi
  if ((${TMOUT:-0})); then
    finding note tmout 'shells without a time limit' "TMOUT=$TMOUT" \
      'idle shells are ended; the evaluation, in tmux, is not' 'leave with Ctrl-b d; unset TMOUT'
  fi
}
