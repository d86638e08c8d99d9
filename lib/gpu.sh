# shellcheck shell=bash
# The GPU and its driver, as nvidia-smi tells of them.

has_gpu() { [[ -n $(nvidia_gpus) ]]; }

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
