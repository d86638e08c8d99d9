# shellcheck shell=bash disable=SC2034  # what is set here is read by the other files
# What people see: plain words, a little colour in a terminal, errors that name the way out.

BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''

# Whether a person looks on, and how wide; kept for what is piped on its way to the terminal.
TERMINAL=0 WIDTH=100
if [[ -t 1 ]]; then TERMINAL=1 WIDTH=$(tput cols 2>/dev/null || echo 80); fi

# Once the environment is settled: colours where a person looks on who has not declined them.
choose_colours() {
  [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]] || return 0
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
}

# A terminal cuts no word in two; a line that is indented is one to copy.
say() {
  if ((TERMINAL && ${#1} > WIDTH)) && [[ $1 != '    '* ]]; then
    folded <<<"$*"
  else
    printf '%s\n' "$*"
  fi
}

# Its input, with lines that end between words.
folded() { fold -s -w "$WIDTH"; }

warn() { printf '%s\n' "${YELLOW}warning:${PLAIN} $*" >&2; }

# Ends the program, or the step that calls it, with exit code $1 and the message.
die() {
  local code=$1
  shift
  printf '%s\n' "${RED}error:${PLAIN} $*" >&2
  exit "$code"
}

# Without colours, and without the lines that were rewritten in place.
as_plain_text() { LC_ALL=C sed -u 's/.*\r\x1b\[K//; s/\x1b\[[0-9;]*m//g'; }

# 75 -> 1m 15s
duration() {
  local seconds=$1
  if ((seconds < 60)); then
    printf '%ds' "$seconds"
  else
    printf '%dm %02ds' $((seconds / 60)) $((seconds % 60))
  fi
}
