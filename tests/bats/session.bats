#!/usr/bin/env bats
# The tmux session: it outlives its parent, hands over its exit code, and keeps secrets.
# The driver is a stand-in at VENV_DIR/bin/python; tmux is the real one, on a server of its own.

load helpers

setup() {
  make_home
  export OUTPUT_DIR=$TEST_HOME/results
  mkdir -p "$STATE_DIR/venv/bin"
  printf '#!/bin/sh\necho sigil-eval 1.0.0\n' >"$STATE_DIR/venv/bin/sigil-eval"
  touch "$STATE_DIR/venv/.sigilderg-complete" # so that little disk is asked for
  chmod +x "$STATE_DIR/venv/bin/sigil-eval"
}
teardown() { remove_home; }

# driver: standard input is what the stand-in for the driver does.
driver() {
  {
    echo '#!/usr/bin/env bash'
    cat
  } >"$STATE_DIR/venv/bin/python"
  chmod +x "$STATE_DIR/venv/bin/python"
}

evaluate() { setup_sh --demo --from evaluation; }

# The same in the background: its process id is in PARENT, what it says in TEST_HOME/out.
evaluate_in_background() {
  bash "$ROOT/eval_setup.sh" --demo --from evaluation >"$TEST_HOME/out" 2>&1 3>&- &
  PARENT=$!
}

wait_for_parent() {
  status=0
  wait "$PARENT" || status=$?
}

@test "what the driver prints is followed and logged, and its exit code is ours" {
  driver <<<'echo "scoring $((6 * 7))"; sleep 0.3; exit 4'
  run evaluate
  expect_status 4
  expect_output 'scoring 42'
  expect_output 'exit code 4'
  grep -q 'scoring 42' "$OUTPUT_DIR/run.log"
  grep -qx exit_code=4 "$STATE_DIR/run.status"
  run setup_sh status
  expect_output 'finished at'
  expect_output 'exit code 4'
  expect_output "$OUTPUT_DIR"
}

@test "the driver gets the defaults of the demo, and the environment may change them" {
  driver <<<'printf "<%s>\n" "$@"'
  NUM_SAMPLES=2 K_VALUES=1,2 BATCH_SIZE=9 CHECKPOINT_PATH='a b' run evaluate
  expect_status 0
  expect_output $'<--num-samples>\n<2>'
  expect_output $'<--k-values>\n<1,2>'
  expect_output $'<--batch-size>\n<9>'
  expect_output $'<--checkpoint-path>\n<a b>'
  expect_output $'<--provision-state>\n'"<$STATE_DIR>"
  expect_output '<--demo>'
  expect_no_output '<--n-workers>'
}

@test "a second run leaves the first alone, and says how to see it" {
  driver <<<'sleep 30'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  pid=$(sed -n s/^pid=//p "$STATE_DIR/run.started")
  run evaluate
  expect_status 3
  expect_output 'running already'
  expect_output 'eval_setup.sh attach'
  kill -0 "$pid"
  run setup_sh status
  expect_output 'running since'
  kill "$PARENT"
}

@test "the evaluation outlives the shell that started it" {
  driver <<<'sleep 1; echo finished; exit 0'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  kill -9 "$PARENT"
  wait_for "$STATE_DIR/run.status"
  grep -qx exit_code=0 "$STATE_DIR/run.status"
}

@test "the evaluation outlives a connection that hangs up, and its exit status is known afterwards" {
  driver <<<'sleep 6; echo finished; exit 4'
  # A terminal that goes away: the shell that leads its session, and whatever is in front, get SIGHUP.
  unset NONINTERACTIVE
  python3 - "$ROOT/eval_setup.sh" "$STATE_DIR/run.started" <<'PYTHON'
import os, pathlib, pty, sys, threading, time
script, started = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp("bash", ["bash", "-c", f"bash {script} --demo --from evaluation; true"])
def drain():
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
threading.Thread(target=drain, daemon=True).start()
for _ in range(200):
    if pathlib.Path(started).exists():
        break
    time.sleep(0.05)
time.sleep(0.5)
os.close(terminal)
os.waitpid(pid, 0)
PYTHON
  tmux has-session -t =sigilderg-eval
  [ ! -e "$STATE_DIR/run.status" ]
  wait_for "$STATE_DIR/run.status"
  run setup_sh status
  expect_output 'exit code 4'
}

@test "interrupting the one who watches says that the evaluation goes on" {
  driver <<<'sleep 20'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  sleep 0.5
  kill -TERM "$PARENT"
  wait_for_parent
  [ "$status" -eq 130 ]
  grep -q 'goes on in the background' "$TEST_HOME/out"
  tmux has-session -t =sigilderg-eval
}

@test "a killed session is reported as dead, and the same command starts again" {
  driver <<<'sleep 30'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  kill -9 "$(sed -n s/^pid=//p "$STATE_DIR/run.started")"
  wait_for_parent
  [ "$status" -eq 1 ]
  grep -q 'died' "$TEST_HOME/out"
  run setup_sh status
  expect_output died
  driver <<<'echo resumed'
  run evaluate
  expect_status 0
  expect_output resumed
}

@test "the log of an earlier run is kept, and not shown again" {
  driver <<<'echo first'
  run evaluate
  driver <<<'echo second'
  run evaluate
  expect_output second
  expect_no_output first
  grep -qx first "$OUTPUT_DIR/run.log"
}

@test "the token reaches the driver, and neither argument lists nor logs nor files" {
  export HF_TOKEN=hf_secret_token
  driver <<<'[[ ${#HF_TOKEN} == 15 ]] && echo "token arrived"; ps axww -o args >"$STATE_DIR_FOR_PS"; sleep 0.5'
  sed -i "2i STATE_DIR_FOR_PS=$TEST_HOME/ps" "$STATE_DIR/venv/bin/python"
  run evaluate
  expect_status 0
  expect_output 'token arrived'
  grep -q sigilderg-eval "$TEST_HOME/ps"
  run grep -r hf_secret_token "$TEST_HOME"
  [ -z "$output" ]
}

@test "the session's file is for its owner only" {
  HF_TOKEN=x
  load_libraries
  write_session_file "$STATE_DIR/run.session"
  [ "$(stat -c %a "$STATE_DIR/run.session")" = 600 ]
}

@test "the session does not hold the lock" {
  driver <<<'sleep 5'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  sleep 0.3
  flock -n "$STATE_DIR/lock" true
}

@test "status before any run, and attach without one" {
  run setup_sh status
  expect_status 0
  expect_output 'not started'
  run setup_sh attach
  expect_status 3
}

@test "--only does not start an evaluation" {
  driver <<<'touch "$0.ran"'
  run setup_sh --demo --only evaluation
  expect_status 0
  [ ! -e "$STATE_DIR/run.started" ]
  [ ! -e "$STATE_DIR/venv/bin/python.ran" ]
}

@test "Ctrl-C in a step says how to go on, to the person and not to the log" {
  driver <<<'touch "$STATE_DIR/begun"; exec sleep 20'
  command_stub curl <<<'exit 6'
  # What bash starts in the background ignores Ctrl-C for good, so it is started from here.
  BASE_MODEL=org/base run python3 - "$ROOT/eval_setup.sh" "$STATE_DIR/begun" <<'PYTHON'
import os, signal, subprocess, sys, time

signal.signal(signal.SIGINT, signal.SIG_DFL)
command = ["bash", sys.argv[1], "--demo", "--only", "models"]
process = subprocess.Popen(command, start_new_session=True)
while process.poll() is None and not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
os.killpg(process.pid, signal.SIGINT)
sys.exit(process.wait())
PYTHON
  expect_status 130
  expect_output 'Interrupted. The same command goes on from here.'
  run grep -r Interrupted "$STATE_DIR/logs"
  [ -z "$output" ]
}
