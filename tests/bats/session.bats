#!/usr/bin/env bats
# The tmux session, in which steps and evaluation go on: it outlives its parent, hands over its exit code,
# gets an environment that was made, and keeps secrets.
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

# driver: standard input is what the stand-in for the driver does; a check beforehand finds no fault.
driver() {
  {
    echo '#!/usr/bin/env bash'
    echo '[[ $* != *--check && $* != *--version ]] || exit 0'
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

# slow_step WHAT: the step `models`, which does WHAT once STATE_DIR/go is there; then an evaluation.
slow_step() {
  export BASE_MODEL=org/base
  command_stub curl <<<'exit 6'
  driver <<<"if [[ \$1 == */evaluate_humaneval.py ]]; then echo generated; exit 0; fi
    echo fetching >&2; echo x >>$STATE_DIR/begun; until [[ -e $STATE_DIR/go ]]; do sleep 0.1; done; $1"
}

set_up() { setup_sh --demo --from models; }

set_up_in_background() {
  bash "$ROOT/eval_setup.sh" --demo --from models >"$TEST_HOME/${1:-out}" 2>&1 3>&- &
  PARENT=$!
}

# hang_up_at FILE OPTION...: a terminal that goes away when FILE is in STATE_DIR: the shell that leads its
# session, and whatever is in front, get SIGHUP.
hang_up_at() {
  local file=$1
  shift
  NONINTERACTIVE='' python3 - "$STATE_DIR/$file" bash -c "bash $ROOT/eval_setup.sh $*; true" <<'PYTHON'
import os, pathlib, pty, sys, threading, time
file, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)
def drain():
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
threading.Thread(target=drain, daemon=True).start()
for _ in range(200):
    if pathlib.Path(file).exists():
        break
    time.sleep(0.05)
time.sleep(0.5)
os.close(terminal)
os.waitpid(pid, 0)
PYTHON
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
  touch "$TEST_HOME/check.json"
  NUM_SAMPLES=2 K_VALUES=1,2 ENGINE=hf BATCH_SIZE=9 CHECKPOINT_PATH=a_b/c DATASET_CHECK="$TEST_HOME/check.json" run evaluate
  expect_status 0
  expect_output $'<--num-samples>\n<2>'
  expect_output $'<--k-values>\n<1,2>'
  expect_output $'<--engine>\n<hf>'
  expect_output $'<--batch-size>\n<9>'
  expect_output $'<--checkpoint-path>\n<a_b/c>'
  expect_output $'<--dataset-check>\n'"<$TEST_HOME/check.json>"
  expect_output $'<--provision-state>\n'"<$STATE_DIR>"
  expect_output '<--demo>'
  expect_no_output '<--n-workers>'
}

@test "status of a run that has finished ends with its verdict" {
  driver <<'DRIVER'
mkdir -p "$OUTPUT_DIR"
printf '# Results\n\n## Verdict\n\n**Pure HumanEval.** It is better by 11.5 points.\n\n## Scores\n\nmore\n' \
  >"$OUTPUT_DIR/combined_summary.md"
DRIVER
  run evaluate
  expect_status 0
  run setup_sh status
  expect_status 0
  expect_output $'results: '"$OUTPUT_DIR"$'\n\nPure HumanEval. It is better by 11.5 points.'
  expect_no_output more
}

@test "with checkpoints named, the driver sweeps over them" {
  mkdir -p "$TEST_HOME/run"
  driver <<<'printf "<%s>\n" "$@"'
  CHECKPOINTS="$TEST_HOME/run org/name/checkpoint-500" run evaluate
  expect_status 0
  expect_output $'<sweep>\n'"<$TEST_HOME/run>"$'\n<org/name/checkpoint-500>\n<--base-model>'
  expect_no_output '<--checkpoint-path>'
}

@test "the loop gets its crates and its training, and is said to be at work" {
  driver <<'DRIVER'
printf "<%s>\n" "$@" "$REQUESTS_CA_BUNDLE"
cat "$STATE_DIR/run.step"
exit 1
DRIVER
  cd "$ROOT"
  unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
  SSL_CERT_FILE=/of/mine.pem run setup_sh --demo --loop --from evaluation
  expect_status 1
  expect_output '</of/mine.pem>'
  expect_output $'<loop>\n<demo/crates.txt>\n<demo/loop.yml>\n<--val-share>\n<0.3>'
  expect_no_output '<--base-model>'
  expect_output 'doing=the loop'
  expect_output 'The loop ended with exit code 1.'
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
  driver <<<'until [[ -e $STATE_DIR/go ]]; do sleep 0.1; done; exit 4'
  hang_up_at run.started --demo --from evaluation
  [ ! -e "$STATE_DIR/run.status" ]
  touch "$STATE_DIR/go"
  wait_for "$STATE_DIR/run.status"
  run setup_sh status
  expect_output 'exit code 4'
}

@test "interrupting the one who watches says that the evaluation goes on" {
  driver <<<'echo scoring; sleep 30'
  evaluate_in_background
  until grep -q scoring "$TEST_HOME/out"; do sleep 0.1; done
  kill -TERM "$PARENT"
  wait_for_parent
  [ "$status" -eq 130 ]
  grep -q 'goes on in the background' "$TEST_HOME/out"
  tmux -L sigilderg has-session -t =sigilderg-eval
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

@test "the token of a server that writes rows reaches the loop alone, and neither argument lists nor logs nor files" {
  export OPENAI_API_KEY=secret_of_a_server
  driver <<<'ps axww -o args >"$STATE_DIR_FOR_PS"; echo "$1: ${#OPENAI_API_KEY}"'
  sed -i "2i STATE_DIR_FOR_PS=$TEST_HOME/ps" "$STATE_DIR/venv/bin/python"
  cd "$ROOT"
  WRITER_URL=http://127.0.0.1:8000/v1 WRITER_MODEL=writer run setup_sh --demo --loop --from evaluation
  expect_status 0
  expect_output 'evaluate_humaneval.py: 18'
  run evaluate
  expect_status 0
  expect_output 'evaluate_humaneval.py: 0'
  run grep -r secret_of_a_server "$TEST_HOME"
  [ -z "$output" ]
}

@test "the session's file is for its owner only" {
  HF_TOKEN=x
  load_settings
  write_session_file "$STATE_DIR/run.session"
  [ "$(stat -c %a "$STATE_DIR/run.session")" = 600 ]
}

@test "the evaluation does not hold the lock" {
  driver <<<'touch "$STATE_DIR/scoring"; sleep 30'
  evaluate_in_background
  wait_for "$STATE_DIR/scoring"
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

@test "a step outlives a connection that hangs up, and everything after it is done" {
  slow_step :
  hang_up_at begun --demo --from models
  run setup_sh status
  expect_output 'running since'
  expect_output 'doing: step 1 of 2, models, for '
  expect_output 'last line: fetching'
  touch "$STATE_DIR/go"
  wait_for "$STATE_DIR/run.status"
  grep -qx exit_code=0 "$STATE_DIR/run.status"
  grep -qx generated "$OUTPUT_DIR/run.log"
}

@test "a step outlives the shell that started it; attach follows it to the end and gives its exit code" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  kill -9 "$PARENT"
  { sleep 0.5 && touch "$STATE_DIR/go"; } 3>&- &
  run setup_sh attach
  expect_status 0
  expect_output '[1/2] models'
  expect_output generated
  expect_output Done.
}

@test "a second start during a step leaves the first alone" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  run set_up
  expect_status 3
  expect_output 'running already'
  expect_output 'eval_setup.sh attach'
  expect_output 'eval_setup.sh status'
  touch "$STATE_DIR/go"
  wait_for_parent
  [ "$status" -eq 0 ]
  [ "$(cat "$STATE_DIR/begun")" = x ]
}

@test "of two starts at the same moment one does the work" {
  slow_step :
  touch "$STATE_DIR/go"
  set_up_in_background first
  first=$PARENT
  set_up_in_background second
  wait_for_parent
  second=$status PARENT=$first
  wait_for_parent
  wait_for "$STATE_DIR/run.status"
  [ $((status + second)) -eq 3 ] || { tail "$TEST_HOME/first" "$TEST_HOME/second" && return 1; }
  [ "$(cat "$STATE_DIR/begun")" = x ]
  [ "$(grep -c generated "$OUTPUT_DIR/run.log")" -eq 1 ]
}

@test "a start that was still looking round when another one got as far as the evaluation leaves it alone" {
  export BASE_MODEL=org/base
  command_stub curl <<<'if rm "$STATE_DIR/slow" 2>/dev/null; then touch "$STATE_DIR/waits"; until [[ -e $STATE_DIR/go ]]; do sleep 0.1; done; fi; exit 6'
  driver <<<'touch "$STATE_DIR/scoring"; sleep 30'
  touch "$STATE_DIR/slow"
  evaluate_in_background
  slow=$PARENT
  wait_for "$STATE_DIR/waits"
  bash "$ROOT/eval_setup.sh" --demo --from evaluation >/dev/null 2>&1 3>&- &
  other=$!
  wait_for "$STATE_DIR/scoring"
  touch "$STATE_DIR/go"
  PARENT=$slow
  wait_for_parent
  [ "$status" -eq 3 ]
  grep -q 'running already' "$TEST_HOME/out"
  flock -n "$STATE_DIR/lock" true
  kill "$other"
}

@test "a step that fails in the session leaves its message and its exit code" {
  slow_step 'echo "the hub is on fire" >&2; exit 7'
  touch "$STATE_DIR/go"
  run set_up
  expect_status 1
  expect_output 'step models failed with exit code 7'
  expect_output 'the hub is on fire'
  expect_no_output generated
  run setup_sh status
  expect_output 'exit code 1'
  expect_output 'it was at: step 1 of 2, models'
  expect_output "$STATE_DIR/logs/models.log"
  expect_output 'the hub is on fire'
  expect_output '--demo --from models'
  slow_step 'exit 3'
  run set_up
  expect_status 3
  slow_step :
  run set_up
  expect_status 0
  run setup_sh status
  expect_no_output 'on fire'
}

@test "a terminal sees the end of what failed after the session has vanished from it" {
  slow_step 'echo "the hub is on fire" >&2; exit 7'
  touch "$STATE_DIR/go"
  NONINTERACTIVE='' TERM=xterm run script -qec "bash $ROOT/eval_setup.sh --demo --from models" /dev/null
  expect_status 1
  [[ ${output##*exited} == *'step models failed with exit code 7'* ]]
}

@test "Ctrl-C in the session ends the step, with exit code 130 and a hint" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  tmux -L sigilderg send-keys -t sigilderg-eval C-c
  wait_for_parent
  [ "$status" -eq 130 ]
  grep -q 'Interrupted. The same command goes on from here.' "$TEST_HOME/out"
  grep -q 'bash .*eval_setup.sh --demo --from models' "$TEST_HOME/out"
  run setup_sh status
  expect_output 'exit code 130'
  flock -n "$STATE_DIR/lock" true
}

@test "ending the session from outside ends what goes on in it" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  tmux -L sigilderg kill-session -t sigilderg-eval
  wait_for_parent
  [ "$status" -eq 1 ]
  run setup_sh status
  expect_output 'ended from outside'
  expect_output 'step 1 of 2, models'
  flock -w 5 "$STATE_DIR/lock" true
}

@test "the log of the session is plain, and its pane shows how long the step takes" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  for _ in {1..50}; do
    pane=$(tmux -L sigilderg capture-pane -p -t sigilderg-eval)
    [[ $pane != *'models       '*s*fetching* ]] || break
    sleep 0.1
  done
  [[ $pane == *'models       '*s*fetching* ]]
  touch "$STATE_DIR/go"
  wait_for_parent
  run grep -c $'[\r\e]' "$STATE_DIR/logs/session.log"
  [ "$output" = 0 ]
  run grep -c fetching "$STATE_DIR/logs/session.log"
  [ "$output" = 0 ]
  grep -q 'models .*done in' "$STATE_DIR/logs/session.log"
}

@test "inside another tmux nothing is nested: the log is followed" {
  driver <<<'echo "scoring $((6 * 7))"'
  NONINTERACTIVE='' TERM=xterm TMUX=/nowhere,1,0 run script -qec "bash $ROOT/eval_setup.sh --demo --from evaluation" /dev/null
  expect_status 0
  expect_output 'scoring 42'
  expect_no_output exited
}

@test "a terminal that tmux does not know is taken for one that it does" {
  driver <<<'for _ in {1..200}; do [[ -z $(tmux -L sigilderg list-clients) ]] || break; sleep 0.1; done'
  NONINTERACTIVE='' TERM=brand-new run script -qec "bash $ROOT/eval_setup.sh --demo --from evaluation" /dev/null
  expect_status 0
  expect_output exited
}

@test "neither a tmux.conf nor a window of one's own keeps the next run away" {
  printf 'set -g remain-on-exit on\n' >"$HOME/.tmux.conf"
  driver <<<'tmux new-window -d sleep 60; echo first'
  sed -i '2i export TMUX=$(sed -n s/^socket=//p "$STATE_DIR/run.started"),1,0' "$STATE_DIR/venv/bin/python"
  run evaluate
  expect_status 0
  tmux -L sigilderg has-session -t =sigilderg-eval
  driver <<<'echo second'
  run evaluate
  expect_status 0
  expect_output second
}

@test "a run of another STATE_DIR is left alone, too" {
  driver <<<'sleep 30'
  evaluate_in_background
  wait_for "$STATE_DIR/run.started"
  cp -r "$STATE_DIR" "$TEST_HOME/other"
  rm "$TEST_HOME/other"/run.*
  until [[ $(tmux -L sigilderg show-options -qv -t =sigilderg-eval: @state_dir) == "$STATE_DIR" ]]; do sleep 0.1; done
  STATE_DIR=$TEST_HOME/other run evaluate
  expect_status 3
  expect_output "One with STATE_DIR=$STATE_DIR is running already"
  expect_output "STATE_DIR=$STATE_DIR bash"
}

@test "after a reboot nothing runs, whatever has the number of its process" {
  pretend_run $$
  run setup_sh status
  expect_output 'running since'
  sed -i s/^boot_id=.*/boot_id=before/ "$STATE_DIR/run.started"
  echo 'resume=the same words' >>"$STATE_DIR/run.started"
  run setup_sh status
  expect_no_output running
  expect_output 'The machine was restarted'
  expect_output 'the same words'
  pretend_run $$
  sed -i s/^process_start=.*/process_start=1/ "$STATE_DIR/run.started"
  run setup_sh status
  expect_no_output running
  expect_output died
  driver <<<'echo anew'
  run evaluate
  expect_status 0
  expect_output anew
}

@test "status tells of a step in the foreground" {
  slow_step :
  bash "$ROOT/eval_setup.sh" --demo --only models >/dev/null 2>&1 3>&- &
  PARENT=$!
  wait_for "$STATE_DIR/begun"
  run setup_sh status
  expect_output "process $PARENT"
  expect_output 'step 1 of 1, models'
  run setup_sh attach
  expect_status 3
  touch "$STATE_DIR/go"
  wait_for_parent
  [ ! -e "$STATE_DIR/run.step" ]
}

# What bends a tool, what belongs to another run, and what a person sets on purpose.
BENDING='PYTHONPATH=/x PYTHONHOME=/x LD_LIBRARY_PATH=/x LD_PRELOAD= CONDA_PREFIX=/x VIRTUAL_ENV=/x PIP_USER=1 PIP_TARGET=/x
  PIP_REQUIRE_VIRTUALENV=1 UV_PYTHON=2 UV_TARGET=/x CARGO_BUILD_TARGET=x RUSTFLAGS=-x RUSTC_WRAPPER=x GIT_DIR=/x CC=x CFLAGS=-x
  HF_HUB_ENABLE_HF_TRANSFER=1 SIGIL_RUSTC=/x LC_ALL=de_DE.UTF-8 GREP_OPTIONS=-v'
MEANT="https_proxy=http://proxy.example NO_PROXY=localhost SSL_CERT_FILE=/certificates HF_HOME=/hub HF_TOKEN=hf_x TMPDIR=/tmp
  PIP_INDEX_URL=http://pip.example UV_INDEX_URL=http://uv.example CARGO_HTTP_CAINFO=/certificates CUDA_VISIBLE_DEVICES=1 SEED=7"

@test "steps and evaluation get an environment that was made, and not the caller's" {
  slow_step ': the driver'
  touch "$STATE_DIR/go"
  sed -i "2i env >\"$TEST_HOME/env-\$(basename \"\$1\")\"" "$STATE_DIR/venv/bin/python"
  # shellcheck disable=SC2086  # a list of words
  run env $BENDING $MEANT bash "$ROOT/eval_setup.sh" --demo --from models
  expect_status 0
  for seen in "$TEST_HOME"/env-fetch_models.py "$TEST_HOME"/env-evaluate_humaneval.py; do
    for pair in $BENDING; do
      run grep "^${pair%%=*}=" "$seen"
      [[ -z $output || $output == LC_ALL=C.UTF-8 || $output == "SIGIL_RUSTC=" ]] || { echo "$seen: $output" && return 1; }
    done
    for pair in $MEANT PYTHONNOUSERSITE=1; do grep -qxF "$pair" "$seen" || { echo "$seen lacks $pair" && return 1; }; done
  done
}

@test "a server of yesterday hands nothing on" {
  HF_HOME=/old SEED=9 PYTHONPATH=/old tmux -L sigilderg new-session -d -s other 'sleep 60'
  driver <<<'env; echo "seed: $*"'
  run evaluate
  expect_status 0
  expect_no_output '=/old'
  expect_output '--seed 1234'
}

@test "functions, start-up files and modes of the caller's do not stand in for tools" {
  printf 'curl() { touch "%s/bent"; }\ngrep() { touch "%s/bent"; }\nreadonly ROOT\n' "$TEST_HOME" "$TEST_HOME" >"$TEST_HOME/rc"
  sed() { touch "$TEST_HOME/bent"; }
  export -f sed
  driver <<<'echo "$(type -t sed) scored"'
  BASH_ENV=$TEST_HOME/rc CDPATH=/usr run evaluate
  unset -f sed
  expect_status 0
  expect_output 'file scored'
  [ ! -e "$TEST_HOME/bent" ]
}

@test "the hint to go on has the folder, the settings that were given, and no secret" {
  slow_step 'exit 7'
  touch "$STATE_DIR/go"
  cd /usr/bin
  NUM_SAMPLES=2 K_VALUES=1 OUTPUT_DIR="$TEST_HOME/a b" HF_TOKEN=hf_secret GITHUB_URL=https://me:password@mirror run set_up
  expect_status 1
  hint=$(grep '^    cd ' <<<"$output")
  [[ $hint == "    cd /usr/bin && "*"NUM_SAMPLES=2 "*"bash $ROOT/eval_setup.sh --demo --from models" ]]
  [[ $hint == *'K_VALUES=1 '* && $hint == *"OUTPUT_DIR=$TEST_HOME/a\\ b "* && $hint == *'GITHUB_URL="$GITHUB_URL" '* ]]
  [[ $hint != *SEED=* && $hint != *hf_secret* && $hint != *password* ]]
  sed -i 's/exit 7/:/' "$STATE_DIR/venv/bin/python"
  cd /
  GITHUB_URL=https://me:password@mirror run bash -c "$hint"
  expect_status 0
  grep -qx generated "$TEST_HOME/a b/run.log"
}

@test "without a sandbox only where somebody has accepted it, and then nobody is asked again" {
  driver <<<'printf "<%s>\n" "$@"'
  export SANDBOX_MODE=none
  run evaluate
  expect_status 2
  expect_output ALLOW_NO_SANDBOX=1
  ALLOW_NO_SANDBOX=1 run evaluate
  expect_status 0
  expect_output '<--allow-no-sandbox>'
  NONINTERACTIVE='' TERM=xterm run script -qec "bash $ROOT/eval_setup.sh --demo --from evaluation" /dev/null < <(sleep 1 && echo no)
  expect_status 2
  expect_output 'Type YES'
  NONINTERACTIVE='' TERM=xterm run script -qec "bash $ROOT/eval_setup.sh --demo --from evaluation" /dev/null < <(sleep 1 && echo YES && sleep 2)
  expect_status 0
  grep -q 'none .*--allow-no-sandbox' "$OUTPUT_DIR/run.log"
}

@test "what the driver refuses beforehand ends the step with its words, and nothing is generated" {
  driver <<<'echo generated'
  sed -i '2i [[ $* != *--check ]] || { echo "a strict run refuses this" >&2; exit 3; }' "$STATE_DIR/venv/bin/python"
  run evaluate
  expect_status 3
  expect_output 'a strict run refuses this'
  expect_no_output generated
}

@test "the end says what can be done next, as it can be typed here" {
  driver <<<'exit 0'
  run evaluate
  expect_output "$STATE_DIR/bin/sigil-eval reproduce $OUTPUT_DIR"
  expect_output "$STATE_DIR/bin/sigil-eval score"
  PATH=$HOME/.local/bin:$PATH run evaluate
  expect_output '    sigil-eval reproduce'
}

@test "neither Ctrl-S nor the key that quits stops what nobody may be there to start again" {
  slow_step :
  set_up_in_background
  wait_for "$STATE_DIR/begun"
  tmux -L sigilderg send-keys -t sigilderg-eval "C-\\" C-s
  touch "$STATE_DIR/go"
  wait_for "$STATE_DIR/run.status"
  grep -qx exit_code=0 "$STATE_DIR/run.status"
}

@test "a session that cannot be opened is an error, and no token is left lying about" {
  driver <<<'exit 0'
  command_stub tmux <<<'echo "tmux: no space on device" >&2; exit 1'
  HF_TOKEN=hf_secret_token run evaluate
  expect_status 1
  expect_output 'no space on device'
  expect_output 'did not start'
  [ ! -e "$STATE_DIR/run.session" ]
}
