# shellcheck shell=bash
# What this machine is, and how it differs from the target. Reads only; changes nothing.

# One finding a line: kind, id, expected, actual, consequence, what to do; separated by tabs.
#   stop     the work cannot be done here at all
#   differs  it can, and the difference is recorded as the deviation platform.ID
#   note     it may fail later
preflight_findings() {
  find_architecture
  find_os
  find_ram
  find_disk
  find_sandbox_mode
  find_gpu
  if ! ((DEMO)); then
    # All at the same time, so a network that swallows packets costs one time limit.
    find_network &
    find_model_access &
    wait
  fi
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

find_disk() {
  local need=$MIN_DISK_GB have dir=$STATE_DIR
  ((DEMO)) && need=$DEMO_DISK_GB
  [[ -f $VENV_DIR/$VENV_MARKER ]] && need=2
  while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
  have=$(df -Pk -- "$dir" | awk 'NR == 2 {print int($4 / 1048576)}')
  ((have >= need)) || finding stop disk "$need GB free for $STATE_DIR" "$have GB" \
    'the environment and the models do not fit' 'free some space, or set STATE_DIR to a larger disk'
}

find_sandbox_mode() {
  [[ $SANDBOX_MODE == firejail || $SANDBOX_MODE == none ]] ||
    finding stop sandbox 'SANDBOX_MODE=firejail or none' "$SANDBOX_MODE" 'there is no such sandbox' 'set SANDBOX_MODE'
}

find_network() {
  local host
  for host in "$GITHUB_URL" "$RUSTUP_DIST_SERVER" "$HF_ENDPOINT" \
    "${PYTHON_BUILD_MIRROR_URL:-https://www.python.org}"; do
    {
      reachable "$host" || finding note network "$host answers" 'no answer' \
        'the step that needs it will fail' 'open the network, or name a mirror (see --help)'
    } &
  done
  wait
}

# A token can be valid and still have no access to a gated model: ask for a file of that very model.
find_model_access() {
  local model code
  for model in "$BASE_MODEL" "$CHECKPOINT_PATH"; do
    [[ -n $model && ! -e $model ]] || continue
    code=$(model_access "$model")
    [[ $code == [23]* || $code == 000 ]] || finding note model "access to $model" "HTTP $code" \
      'the model cannot be downloaded' \
      "accept its licence at $HF_ENDPOINT/$(cut -d/ -f1,2 <<<"$model") and export HF_TOKEN"
  done
}

# The token goes in by standard input: an argument list is there for everyone to read.
model_access() {
  local repository file=config.json subfolder
  repository=$(cut -d/ -f1,2 <<<"$1") subfolder=$(cut -d/ -f3- <<<"$1")
  [[ -z $subfolder ]] || file=$subfolder/adapter_config.json
  printf '%s' "${HF_TOKEN:+header = \"Authorization: Bearer $HF_TOKEN\"}" |
    curl -sS -o /dev/null -w '%{http_code}' --max-time 2 -I -K - \
      "$HF_ENDPOINT/$repository/resolve/main/$file" 2>/dev/null || true
}

find_gpu() {
  local name driver consequence='the models run on the CPU: fit for the demo, hopeless for 8B'
  if ! IFS=, read -r name driver < <(nvidia_gpus); then
    finding differs gpu "NVIDIA $TARGET_GPU" 'no NVIDIA GPU' "$consequence" "use a machine with an $TARGET_GPU"
    return 0
  fi
  driver=${driver# }
  [[ $name == *"$TARGET_GPU"* ]] || finding differs gpu "NVIDIA $TARGET_GPU" "$name" \
    'speed, memory and the last bits of the numbers differ' "use a machine with an $TARGET_GPU"
  printf '%s\n' "$MIN_DRIVER" "$driver" | sort -VC || finding differs driver "$MIN_DRIVER or newer" "$driver" \
    'programs built for CUDA 12 do not start' 'have the driver updated; this program never touches it'
}

# "name, driver" of the first GPU. On a machine that has just booted the driver may need a moment.
nvidia_gpus() {
  command -v nvidia-smi >/dev/null || return 0
  local try gpus=''
  for try in 1 2 3 4 5 6; do
    gpus=$(timeout 10 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null) && break
    gpus=''
    (($(cut -d. -f1 /proc/uptime) < 600 && try < 6)) || break
    sleep 5
  done
  [[ -z $gpus ]] || head -n 1 <<<"$gpus"
}

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
  local findings
  findings=$(preflight_findings)
  [[ -n $findings ]] || return 0
  if ((STRICT)); then
    say "This machine is not what the evaluation is pinned to ($TARGET_OS, x86_64, $TARGET_GPU):"
    print_findings "$findings"
    say ''
    say 'Nothing was changed. To go on:'
    say '    bash eval_setup.sh --demo               the whole job with tiny models, on any Debian or Ubuntu'
    say '    SKIP_ENV_CHECK=1 bash eval_setup.sh     the real models here; every difference is recorded'
    exit 3
  fi
  if grep -q '^stop' <<<"$findings"; then
    say 'This cannot be done on this machine:'
    print_findings "$(grep '^stop' <<<"$findings")"
    say 'Nothing was changed.'
    exit 3
  fi
  PREFLIGHT_FINDINGS=$findings
}

# The differences that a lenient run goes on with, as deviations.
record_platform() {
  local kind id expected actual consequence _
  forget_deviations platform
  while IFS=$'\t' read -r kind id expected actual consequence _; do
    case $kind in
      differs) deviation "platform.$id" "$expected" "$actual" "$consequence" >/dev/null ;;
      note) warn "$expected: $actual; $consequence" ;;
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
  exit 3
}
