# shellcheck shell=bash
# What the tests share: a home of their own, the libraries, and stubs that check their calls.

# shellcheck source=lib/all.sh
source "$BATS_TEST_DIRNAME/../../lib/all.sh"
export ROOT

# A fresh HOME and STATE_DIR, tmux servers of its own, and a folder for stubs in front of PATH. What the
# person who runs the tests has set is not what they are about.
make_home() {
  # shellcheck disable=SC2046  # a list of words
  unset $(setting_names)
  unset APT_LOCK_TIMEOUT HF_TOKEN PYENV_ROOT TMOUT TMUX PIP_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX UV_NO_INDEX
  TEST_HOME=$(mktemp -d "${TMPDIR:-/tmp}/eval-setup.XXXXXX")
  export HOME=$TEST_HOME/home STATE_DIR=$TEST_HOME/state STUBS=$TEST_HOME/stubs TMUX_TMPDIR=$TEST_HOME
  mkdir -p "$HOME" "$STUBS"
  export PATH=$STUBS:$PATH NONINTERACTIVE=1
}

remove_home() {
  tmux -L sigilderg kill-server 2>/dev/null || true
  rm -rf "$TEST_HOME"
}

# As if a run of this STATE_DIR were going on, as process $1.
pretend_run() {
  mkdir -p "$STATE_DIR"
  printf '%s=%s\n' pid "$1" process_start "$(process_start "$1")" boot_id "$(boot_id)" \
    output_dir "$TEST_HOME/results" started_at 2025-01-01T00:00:00Z >"$STATE_DIR/run.started"
}

setup_sh() { bash "$ROOT/eval_setup.sh" "$@"; }

# Takes the settings as eval_setup.sh does: lenient unless $1 is strict.
load_settings() {
  DEMO=${DEMO-1} LOOP=${LOOP-0} STRICT=0 YES=0 INTERACTIVE=0 FORCE_STEP='' CHOSEN_STEPS=() RESUME_OPTIONS=' --demo'
  if [[ ${1:-lenient} == strict ]]; then STRICT=1; fi
  source "$ROOT/eval_setup_config.sh"
  mkdir -p "$STATE_DIR/logs"
}

# as_program FUNCTION...: runs it as eval_setup.sh would, in a bash of its own with the functions and
# variables of the test. (Under bats' own `run` errexit is off, and cannot be switched on again.)
as_program() {
  local name
  {
    echo 'set -Eeuo pipefail'
    for name in $(compgen -v | grep -E '^[A-Z][A-Z_0-9]+$' | grep -vE '^(BASH|BATS|FUNCNAME|GROUPS|DIRSTACK|PIPESTATUS)'); do
      [[ ${!name@a} == *r* ]] || declare -p "$name"
    done
    declare -f
    printf '%q ' "$@"
  } >"$TEST_HOME/program"
  ${AS_USER:+setpriv --reuid "$AS_USER" --clear-groups} bash "$TEST_HOME/program"
}

# From here on as_program runs as an ordinary user, also where the tests run as root.
become_ordinary() {
  ((EUID)) && return 0
  AS_USER=65534
  chmod -R a+rwX "$TEST_HOME"
}

# stub NAME PLAN...: a command NAME that must be called exactly as planned. A plan is
# "ARGUMENTS => COMMANDS": a pattern that the arguments must match, and what the call does.
stub() {
  local name=$1
  shift
  printf '%s' "${@/%/$'\n'}" >"$STUBS/.plan-$name"
  : >"$STUBS/.calls-$name"
  cat >"$STUBS/$name" <<STUB
#!/usr/bin/env bash
echo "\$*" >>"$STUBS/.calls-$name"
plan=\$(sed -n "\$(wc -l <"$STUBS/.calls-$name")p" "$STUBS/.plan-$name")
if [[ -z \$plan || "\$*" != \${plan%% => *} ]]; then
  echo "$name \$*: planned was '\$plan'" >>"$STUBS/.unplanned"
  exit 99
fi
eval "\${plan##* => }"
STUB
  chmod +x "$STUBS/$name"
}

# Fails unless every stub was called as planned, to the last plan.
verify_stubs() {
  local plan name
  if [[ -f $STUBS/.unplanned ]]; then
    cat "$STUBS/.unplanned"
    return 1
  fi
  for plan in "$STUBS"/.plan-*; do
    [[ -e $plan ]] || continue
    name=${plan##*/.plan-}
    if [[ $(wc -l <"$plan") != $(wc -l <"$STUBS/.calls-$name") ]]; then
      echo "$name: $(wc -l <"$plan") calls planned, these were made:"
      cat "$STUBS/.calls-$name"
      return 1
    fi
  done
}

# command_stub NAME: a command that does what standard input says, without a plan.
command_stub() {
  {
    echo '#!/usr/bin/env bash'
    cat
  } >"$STUBS/$1"
  chmod +x "$STUBS/$1"
}

# wait_for FILE: until it is there, half a minute at most.
wait_for() {
  for _ in {1..600}; do
    [[ ! -e $1 ]] || return 0
    sleep 0.05
  done
  echo "$1 does not appear"
  return 1
}

# Assertions that say what they saw.
expect_status() { [[ $status -eq $1 ]] || { echo "exit code $status, expected $1: $output" && return 1; }; }
expect_output() { [[ $output == *"$1"* ]] || { echo "missing '$1' in: $output" && return 1; }; }
expect_no_output() { [[ $output != *"$1"* ]] || { echo "unexpected '$1' in: $output" && return 1; }; }
