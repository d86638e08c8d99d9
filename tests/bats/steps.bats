#!/usr/bin/env bats
# The step runner: errexit, skipping, failing, resuming, deviations, the lock.

load helpers

setup() {
  make_home
  load_settings
  thing_describe() { echo 'makes a thing'; }
  thing_probe() { [[ -f $STATE_DIR/thing ]] && echo 'the thing is there'; }
  thing_apply() { touch "$STATE_DIR/thing"; }
  thing_verify() { [[ -f $STATE_DIR/thing ]]; }
}
teardown() { remove_home; }

@test "a step is applied, verified and recorded; the next time it is skipped with its reason" {
  run as_program run_step thing 1 1
  expect_status 0
  expect_output '[1/1] thing'
  expect_output 'done in'
  run as_program run_step thing 1 1
  expect_status 0
  expect_output 'skipped: the thing is there'
  [ "$(cut -f1,2 "$STATE_DIR/steps.tsv")" = $'thing\tapplied\nthing\tskipped' ]
}

@test "errexit is on inside a step: what follows a failed command does not run" {
  thing_apply() {
    false
    touch "$STATE_DIR/thing"
  }
  run as_program run_step thing 1 1
  expect_status 1
  [ ! -e "$STATE_DIR/thing" ]
  [ "$(cut -f1,2 "$STATE_DIR/steps.tsv")" = $'thing\tfailed' ]
}

@test "errexit is on inside a probe: a failed command means that the step is not done" {
  thing_probe() {
    false
    echo 'looks done'
  }
  run as_program run_step thing 1 1
  expect_status 0
  expect_no_output skipped
}

@test "a failure shows step, exit code, log, its last lines and how to go on; later steps do not run" {
  thing_apply() {
    echo 'the disk is on fire'
    return 7
  }
  after_describe() { echo after; }
  after_probe() { return 1; }
  after_apply() { touch "$STATE_DIR/after"; }
  after_verify() { :; }
  both() {
    run_step thing 1 2
    run_step after 2 2
  }
  run as_program both
  expect_status 1
  expect_output 'step thing failed with exit code 7'
  expect_output "$STATE_DIR/logs/thing.log"
  expect_output 'the disk is on fire'
  expect_output 'eval_setup.sh --demo'
  [ ! -e "$STATE_DIR/after" ]
}

@test "an error that the last lines leave out is shown; that of an earlier attempt is not" {
  thing_apply() {
    [[ ! -e $STATE_DIR/second ]] && echo 'E: Hash Sum mismatch' || echo 'Error: another'
    seq 1 30
    touch "$STATE_DIR/second"
    return 1
  }
  run as_program run_step thing 1 1
  expect_output $'It began with:\n    E: Hash Sum mismatch'
  run as_program run_step thing 1 1
  expect_output $'It began with:\n    Error: another'
  expect_no_output mismatch
  thing_apply() {
    echo 'error: at the end'
    return 1
  }
  run as_program run_step thing 1 1
  expect_no_output 'It began with'
}

@test "a record that cannot be written is an error that names the disk" {
  mkdir "$STATE_DIR/steps.tsv"
  run as_program run_step thing 1 1
  expect_status 1
  expect_output "cannot write $STATE_DIR/steps.tsv. Is its disk full? df -h $STATE_DIR"
}

@test "a step that exits does not take the runner's report with it" {
  thing_apply() { exit 3; }
  run as_program run_step thing 1 1
  expect_status 3
  expect_output 'step thing failed with exit code 3'
}

@test "a step whose verify fails has failed" {
  thing_verify() { false; }
  run as_program run_step thing 1 1
  expect_status 1
}

@test "a forced step is applied though it is done" {
  touch "$STATE_DIR/thing"
  thing_apply() { echo again >"$STATE_DIR/thing"; }
  FORCE_STEP=thing
  run as_program run_step thing 1 1
  expect_status 0
  [ "$(cat "$STATE_DIR/thing")" = again ]
}

@test "logs are added to, not overwritten" {
  thing_probe() { return 1; }
  thing_apply() { echo "attempt $RANDOM" && touch "$STATE_DIR/thing"; }
  as_program run_step thing 1 1
  as_program run_step thing 1 1
  [ "$(grep -c '^attempt' "$STATE_DIR/logs/thing.log")" -eq 2 ]
}

@test "a deviation is one row, and a lenient run goes on" {
  thing_apply() { deviation thing.size 10 9 'it is smaller' && touch "$STATE_DIR/thing"; }
  run as_program run_step thing 1 1
  expect_status 0
  expect_output 'thing.size: expected 10, have 9'
  [ "$(cat "$STATE_DIR/deviations.tsv")" = $'thing.size\t10\t9\tit is smaller' ]
}

@test "a step replaces its own rows, and leaves those of others" {
  printf 'thing\told\told\told\nthing.size\told\told\told\nthings\tkept\tkept\tkept\n' >"$STATE_DIR/deviations.tsv"
  as_program run_step thing 1 1
  [ "$(cat "$STATE_DIR/deviations.tsv")" = $'things\tkept\tkept\tkept' ]
}

@test "a strict run refuses a deviation with exit code 3 and names the way out" {
  STRICT=1
  thing_apply() {
    deviation thing 10 9 'it is smaller'
    touch "$STATE_DIR/thing"
  }
  run as_program run_step thing 1 1
  expect_status 3
  expect_output 'SKIP_ENV_CHECK=1'
  [ ! -e "$STATE_DIR/thing" ]
}

@test "a strict run does not take over a step that a lenient run left with a deviation" {
  STRICT=1
  touch "$STATE_DIR/thing"
  printf 'thing\t10\t9\tit is smaller\n' >"$STATE_DIR/deviations.tsv"
  run as_program run_step thing 1 1
  expect_status 0
  expect_no_output skipped
  [ ! -s "$STATE_DIR/deviations.tsv" ]
}

@test "a strict run lets an accepted deviation pass, and it stays on record" {
  STRICT=1 ACCEPTED_DEVIATIONS='other thing.size'
  thing_apply() { deviation thing.size 10 9 'it is smaller' && touch "$STATE_DIR/thing"; }
  run as_program run_step thing 1 1
  expect_status 0
  run as_program run_step thing 1 1
  expect_output skipped
  grep -q '^thing.size' "$STATE_DIR/deviations.tsv"
}

@test "only one provisioning at a time" {
  (
    exec 9>>"$STATE_DIR/lock"
    flock 9
    echo "$BASHPID" >"$STATE_DIR/lock"
    touch "$STATE_DIR/locked"
    exec sleep 5
  ) &
  holder=$!
  wait_for "$STATE_DIR/locked"
  run as_program take_lock
  kill "$holder"
  expect_status 3
  expect_output "another eval_setup.sh, process $holder, is at work"
}

@test "what a killed run left at work is waited for" {
  thing_apply() {
    touch "$STATE_DIR/begun"
    sleep 1.5
    touch "$STATE_DIR/thing"
  }
  locked_step() {
    take_lock
    run_step thing 1 1
  }
  as_program locked_step &
  wait_for "$STATE_DIR/begun"
  kill -9 "$(cat "$STATE_DIR/lock")"
  run as_program locked_step
  expect_status 0
  expect_output 'Waiting for its end'
  expect_output 'skipped: the thing is there'
}

@test "a leftover that does not end is named after a while" {
  (
    exec 9>>"$STATE_DIR/lock"
    flock 9
    touch "$STATE_DIR/locked"
    exec sleep 5
  ) &
  holder=$!
  wait_for "$STATE_DIR/locked"
  LEFTOVER_TIMEOUT=1
  run as_program take_lock
  kill "$holder"
  expect_status 3
  expect_output 'fuser'
}

@test "a step that was interrupted when all was done leaves no trace" {
  touch "$STATE_DIR/thing" "$STATE_DIR/step.begun"
  CHOSEN_STEPS=(thing)
  run as_program provision
  expect_output skipped
  [ ! -e "$STATE_DIR/step.begun" ]
}

@test "modules that were compiled in a step that failed are compiled anew, others are kept" {
  mkdir -p "$VENV_DIR/old" "$VENV_DIR/new"
  touch -d '1 hour ago' "$VENV_DIR/old/kept.pyc"
  thing_apply() { touch "$VENV_DIR/new/half.pyc" && [[ -e $STATE_DIR/second ]] && touch "$STATE_DIR/thing"; }
  run as_program run_step thing 1 1
  expect_status 1
  [ -e "$VENV_DIR/new/half.pyc" ]
  touch "$STATE_DIR/second"
  thing_apply() { [[ ! -e $VENV_DIR/new/half.pyc ]] && touch "$STATE_DIR/thing" "$VENV_DIR/new/whole.pyc"; }
  CHOSEN_STEPS=(thing)
  run as_program provision
  expect_status 0
  [ -e "$VENV_DIR/old/kept.pyc" ]
  [ -e "$VENV_DIR/new/whole.pyc" ]
  [ ! -e "$STATE_DIR/step.begun" ]
}

@test "a question for a password is not painted over" {
  command_stub sudo <<<'[[ $1 == -n ]] && exit 1; printf "password: " >/dev/tty; sleep 2.5; printf "answered" >/dev/tty'
  thing_apply() {
    sudo -p x true
    touch "$STATE_DIR/thing"
  }
  INTERACTIVE=1 TERMINAL=1 as_program run_step thing 1 1 >/dev/null 2>&1 || true # writes the program
  rm -f "$STATE_DIR/thing"
  run script -qec "bash $TEST_HOME/program" /dev/null
  expect_output 'password: answered'
}

@test "where sudo asks, it asks before the line is drawn, and once for all that is going to need it" {
  ((EUID)) || [[ -n ${AS_USER:-} ]] || become_ordinary
  export INSTALLED='' INTERACTIVE=1
  CHOSEN_STEPS=(system_deps python cli_tools)
  command_stub dpkg-query <<<'for p; do :; done; grep -qx "$p" '"$TEST_HOME/installed"' && echo installed'
  command_stub sudo <<<'echo "$*" >>'"$TEST_HOME/sudo"'; case $* in
    "-n true") [ -e '"$TEST_HOME/ticket"' ] ;;
    -k*) exit 1 ;;
    -v*) touch '"$TEST_HOME/ticket"' ;;
    *) shift; "$@" ;; esac'
  command_stub apt-get <<<'[[ $* == *simulate* ]] || for p; do echo "$p"; done >>'"$TEST_HOME/installed"
  command_stub dpkg <<<':'
  network_needs() { [[ $1 != python ]] || needs_answer fails git https://x; }
  both() {
    ask_before_installing
    install_for_later
  }
  touch "$TEST_HOME/installed"
  chmod -R a+rwX "$TEST_HOME"
  PATH=$STUBS:/usr/bin:/bin run as_program both
  expect_status 0
  expect_output 'what the step python is going to need'
  [ "$(grep -c -- ' to install packages' "$TEST_HOME/sudo")" -eq 1 ]
  grep -qx libssl-dev "$TEST_HOME/installed"
  INTERACTIVE=0 PATH=$STUBS:/usr/bin:/bin run as_program both
  expect_no_output 'going to need'
}

@test "adding a step takes a file in lib/ and a line in eval_setup.sh" {
  mkdir "$TEST_HOME/checkout"
  cp -r "$ROOT/eval_setup.sh" "$ROOT/eval_setup_config.sh" "$ROOT/lib" "$TEST_HOME/checkout"
  export BASE_MODEL=$ROOT/demo/models/base CHECKPOINT_PATH=$ROOT/demo/models/adapter
  mkdir -p "$VENV_DIR" && touch "$VENV_DIR/$VENV_MARKER" # so that little disk is asked for
  cat >"$TEST_HOME/checkout/lib/greeting.sh" <<'STEP'
# shellcheck shell=bash
greeting_describe() { say 'a greeting'; }
greeting_probe() { [[ -f $STATE_DIR/greeting ]] && say "there is one: $(<"$STATE_DIR/greeting")"; }
greeting_apply() { printf 'hello\n' >"$STATE_DIR/greeting"; }
greeting_verify() { greeting_probe; }
STEP
  sed -i 's/^STEPS=($/&\n  greeting # says hello/' "$TEST_HOME/checkout/eval_setup.sh"
  run bash "$TEST_HOME/checkout/eval_setup.sh" --list
  [ "${lines[0]}" = greeting ]
  run bash "$TEST_HOME/checkout/eval_setup.sh" --demo --only greeting
  expect_status 0
  expect_output '[1/1] greeting     a greeting'
  [ "$(cat "$STATE_DIR/greeting")" = hello ]
  run bash "$TEST_HOME/checkout/eval_setup.sh" --demo --only greeting
  expect_output 'skipped: there is one: hello'
}
