# shellcheck shell=bash
# What this machine is, and how it differs from the target. Reads only; changes nothing.

# --- what everything that is started from here has in common -----------------------------------------

settle_environment() {
  [[ :$PATH: == *:/usr/sbin:* ]] || PATH=$PATH:$SYSTEM_FOLDERS
  HF_TOKEN=$(token_of_environment)
  if [[ -n $HF_TOKEN ]]; then export HF_TOKEN; else unset HF_TOKEN HUGGING_FACE_HUB_TOKEN; fi
  # Named, the hub's places stay the same in a session with another folder and other variables.
  if is_exported HF_HOME; then
    HF_HOME=$(realpath -m "$(hub_home)")
    export HF_HOME
  fi
  if is_exported HF_HUB_CACHE || is_exported HUGGINGFACE_HUB_CACHE; then
    HF_HUB_CACHE=$(realpath -m "$(model_cache)")
    export HF_HUB_CACHE
  fi
  export PATH
}

SYSTEM_FOLDERS=/usr/local/sbin:/usr/sbin:/sbin # which `su` and cron leave out

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

# --- preflight ------------------------------------------------------------------------------------
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

# The path itself, or the nearest folder above it that exists.
existing_parent() {
  local path=$1
  while [[ ! -d $path ]]; do path=$(dirname "$path"); done
  printf '%s' "$path"
}

find_sandbox_mode() {
  [[ $SANDBOX_MODE == firejail || $SANDBOX_MODE == none ]] ||
    finding stop sandbox 'SANDBOX_MODE=firejail or none' "$SANDBOX_MODE" 'there is no such sandbox' 'set SANDBOX_MODE'
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

# Root is needed where packages are missing, and asked for without anybody to type a password.
find_root() {
  local packages
  mapfile -t packages < <(required_packages)
  [[ -n $(missing_packages "${packages[@]}") ]] || return 0
  can_be_root || finding stop root 'root, or sudo without a password' 'neither' \
    "apt cannot install $(missing_packages "${packages[@]}")" \
    'run as a user with sudo, in a terminal if it asks for a password, or install them beforehand'
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

need() {
  local IFS=$'\t'
  printf '%s\n' "$*"
}

find_token_file() {
  local file mode
  [[ -z $(token_of_environment) ]] && file=$(hf_token_file) || return 0
  mode=$(stat -c %a "$file")
  if [[ ! -r $file ]]; then
    finding fails token 'a token file that can be read' "$file cannot be read" \
      'gated models are asked for without it' "chmod 600 $file; see that it is yours: ls -l $file"
  elif [[ $mode != 0 && $mode != ?00 ]]; then
    finding fails token 'a token file for its owner only' "$file has mode $mode" \
      'others on this machine can read it' "chmod 600 $file"
  fi
}

# A token can be valid and still have no access to a gated model: ask for a file of that very model.
find_model_access() {
  local model
  find_token_file
  ! models_are_here || return 0
  for model in $(hub_models); do
    if hub_is_off; then find_in_cache "$model"; else find_on_hub "$model"; fi
  done
}

# HF_HUB_OFFLINE is set: by --offline, or left over from something else.
find_in_cache() {
  ! model_in_cache "$1" || return 0
  finding fails model "$1 in $(model_cache)" 'HF_HUB_OFFLINE is set, and it is not there' \
    'the model cannot be downloaded' 'unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, or name the cache that has it (HF_HUB_CACHE)'
}

find_on_hub() {
  local model=$1 answer page actual consequence='the model cannot be downloaded' advice
  answer=$(model_access "$model") page=${HF_ENDPOINT%/}/$(cut -d/ -f1,2 <<<"$1")
  actual="HTTP $answer"
  case $answer in
    [23]??) return 0 ;;
    '' | 000)
      actual='no answer'
      advice="open the network to $HF_ENDPOINT, or set HF_ENDPOINT to a mirror"
      ;;
    proxy* | 407)
      actual="the proxy says ${answer#proxy }"
      advice="have it let you through to $HF_ENDPOINT: http(s)_proxy names it, with user and password if it wants them (407)"
      ;;
    401) advice="accept its licence at $page and export HF_TOKEN, of the account that did; check the model's name, too" ;;
    403) advice="accept its licence at $page with the account of HF_TOKEN, whose token has to read gated models" ;;
    404) advice='check its name, and HF_TOKEN if it is private' ;;
    408 | 425 | 429 | 5??)
      consequence='the hub is busy or down, and it says nothing about the model'
      advice='try again in some minutes, or set HF_ENDPOINT to a mirror'
      ;;
    *) advice="see what is wrong there: $page, or set HF_ENDPOINT to a mirror" ;;
  esac
  finding fails model "access to $model" "$actual" "$consequence" "$advice"
}

# What the hub says of a file of this model: an HTTP status, or `proxy` and the proxy's. The token goes in
# by standard input: an argument list is there for everyone to read.
model_access() {
  local repository file=config.json subfolder token answer proxy
  repository=$(cut -d/ -f1,2 <<<"$1") subfolder=$(cut -d/ -f3- <<<"$1")
  [[ -z $subfolder ]] || file=$subfolder/adapter_config.json
  token=$(hf_token | sed 's/["\\]/\\&/g')
  read -r answer proxy < <(printf '%s' "${token:+header = \"Authorization: Bearer $token\"}" |
    curl -sS -o /dev/null -w '%{http_code} %{http_connect}\n' --max-time 10 -I -K - \
      "${HF_ENDPOINT%/}/$repository/resolve/main/$file" 2>/dev/null) || true
  if [[ $answer == 000 && ${proxy:-000} != [02]* ]]; then answer="proxy $proxy"; fi
  printf '%s' "$answer"
}

find_gpu() {
  local answer name driver consequence='the models run on the CPU: fit for the demo, hopeless for 8B'
  answer=$(nvidia_answer 2>&1)
  if ! IFS=, read -r name driver < <(grep -E "$GPU_ROW" <<<"$answer"); then
    find_why_no_gpu "$consequence" "$answer"
    return 0
  fi
  driver=${driver# }
  [[ $name == *"$TARGET_GPU"* ]] || finding differs gpu "NVIDIA $TARGET_GPU" "$name" \
    'speed, memory and the last bits of the numbers differ' "use a machine with an $TARGET_GPU"
  printf '%s\n' "$MIN_DRIVER" "$driver" | sort -VC || finding differs driver "$MIN_DRIVER or newer" "$driver" \
    'programs built for CUDA 12 do not start' 'have the driver updated; this program never touches it'
  find_gpu_warning "$answer"
}

# It may compute and not be well.
find_gpu_warning() {
  local words
  words=$({ grep -vE "$GPU_ROW" <<<"$1" || true; } | awk NF | paste -sd ' ')
  [[ -z $words ]] || finding note nvidia-smi 'no warning of nvidia-smi' "$words" \
    'whether it computes is tried before anything depends on it' 'tell whoever owns the machine'
}

# A GPU may be there and its driver not work: each cause has its own way out.
find_why_no_gpu() {
  local consequence=$1 words=$2
  if ! command -v nvidia-smi >/dev/null; then
    finding differs gpu "NVIDIA $TARGET_GPU" 'no NVIDIA GPU, or no driver for it' "$consequence" \
      "use a machine with an $TARGET_GPU"
    return 0
  fi
  [[ -n $words ]] || words=$(timeout 10 nvidia-smi 2>&1) || true
  words=$(sed -n '/[^[:space:]]/{p;q}' <<<"$words")
  case $words in
    *'version mismatch'*)
      finding differs gpu "NVIDIA $TARGET_GPU" "$words" \
        "the driver's library was updated under the running kernel module; $consequence" 'reboot: sudo reboot'
      ;;
    *'No devices were found'*)
      finding differs gpu "NVIDIA $TARGET_GPU" 'no NVIDIA GPU' "$consequence" "use a machine with an $TARGET_GPU"
      ;;
    *)
      finding differs gpu "NVIDIA $TARGET_GPU" "nvidia-smi fails: ${words:-it does not answer}" "$consequence" \
        'reboot; if that does not help, take another machine'
      ;;
  esac
}

# "name, driver" of the first GPU. nvidia-smi answers and yet fails where a GPU is not quite well (14: its
# infoROM is corrupted; 15: another one is lost), so its rows count, not its exit code.
nvidia_gpus() { nvidia_answer 2>/dev/null | grep -m 1 -E "$GPU_ROW" || true; }

GPU_ROW='^[^],[]+, *[0-9]+(\.[0-9]+)+$' # what is in brackets is an error

# All that it says. On a machine that has just booted the driver may need a moment.
nvidia_answer() {
  command -v nvidia-smi >/dev/null || return 0
  local try answer
  for try in 1 2 3 4 5 6; do
    answer=$(timeout 10 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader) || true
    if grep -qE "$GPU_ROW" <<<"$answer" || (($(uptime_seconds) >= 600 || try == 6)); then break; fi
    sleep "$DRIVER_POLL_SECONDS"
  done
  [[ -z $answer ]] || printf '%s\n' "$answer"
}

uptime_seconds() { cut -d. -f1 /proc/uptime; }

has_gpu() { [[ -n $(nvidia_gpus) ]]; }

# Prints findings for people.
print_findings() {
  local kind id expected actual consequence advice
  while IFS=$'\t' read -r kind id expected actual consequence advice; do
    say "  ${BOLD}$id${PLAIN}: $actual, where $expected is expected"
    say "      $consequence; $advice."
  done <<<"$1"
}

# Stops with exit code 3 before anything is changed, unless the machine will do for this run.
preflight() {
  local findings kinds='^(stop|fails|differs)'
  findings=$(preflight_findings)
  ((STRICT)) || kinds='^stop'
  if ! grep -qE "$kinds" <<<"$findings"; then
    PREFLIGHT_FINDINGS=$findings
    return 0
  fi
  if ((STRICT)); then
    say "This machine is not what the evaluation is pinned to ($TARGET_OS, x86_64, $TARGET_GPU):"
    print_findings "$findings"
  else
    say 'This cannot be done on this machine:'
    print_findings "$(grep -E "$kinds" <<<"$findings")"
  fi
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

# The differences that a lenient run goes on with, as deviations.
record_platform() {
  local kind id expected actual consequence _
  forget_deviations platform
  while IFS=$'\t' read -r kind id expected actual consequence _; do
    case $kind in
      differs) deviation "platform.$id" "$expected" "$actual" "$consequence" >/dev/null ;;
      fails | note) warn "$expected: $actual; $consequence" ;;
    esac
  done <<<"$PREFLIGHT_FINDINGS"
  print_deviations platform
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
