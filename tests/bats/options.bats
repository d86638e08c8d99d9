#!/usr/bin/env bats
# The command line: what is asked wrongly, what is only shown.

load helpers

setup() { make_home; }
teardown() { remove_home; }

@test "an unknown option exits 2, is named, and points to --help" {
  run setup_sh --frobnicate
  expect_status 2
  expect_output "'--frobnicate'"
  expect_output '--help'
}

@test "--only, --from and --force want a step that exists" {
  for option in --only --from --force; do
    run setup_sh "$option" nonsense
    expect_status 2
    expect_output "'nonsense'"
    expect_output 'system_deps python venv'
    run setup_sh "$option"
    expect_status 2
  done
}

@test "a misspelt option, command or step is asked about, and one that is like nothing is not" {
  for words in '--hlep --help' '--onyl --only' 'sttus status' '--only=rsut rust' '--from=evalution evaluation'; do
    run setup_sh "${words% *}"
    expect_status 2
    expect_output "Did you mean '${words#* }'?"
  done
  for word in --frobnicate "--a'b" '*'; do
    run setup_sh "$word"
    expect_status 2
    expect_no_output 'Did you mean'
  done
}

@test "the options that are compared with a misspelt one are those of --help" {
  run setup_sh --help
  for word in $(grep -oE '^  (--[a-z-]+|[a-z]+ {5,})' <<<"$output") --yes; do
    [[ " ${KNOWN_WORDS[*]} " == *" $word "* ]] || { echo "$word" && return 1; }
  done
}

@test "no line of --help is longer than 100 columns, and its examples are taken" {
  run setup_sh --help
  [ -z "$(awk 'length > 100' <<<"$output")" ]
  while read -r example; do
    [[ $example == *' status' ]] || example+=' --plan'
    run bash -c "cd '$ROOT' && $example"
    expect_status 0
  done < <(grep -oE '^  ([A-Z_]+=[^ ]+ )*bash eval_setup.sh( -?-?[a-z]+)*' <<<"$output")
}

@test "a terminal cuts no word in two, and a command to copy is left whole" {
  TERMINAL=1 WIDTH=20
  [ "$(say 'some well-known words in a line')" = $'some well-known \nwords in a line' ]
  [ "$(say '    bash eval_setup.sh --demo --plan')" = '    bash eval_setup.sh --demo --plan' ]
  TERMINAL=0
  [ "$(say 'some well-known words in a line')" = 'some well-known words in a line' ]
}

@test "--help names every option and every variable that has a default" {
  run setup_sh --help
  expect_status 0
  for word in --demo --loop --plan --only --from --force --list --offline --download-only doctor status attach uninstall; do
    expect_output "$word"
  done
  while read -r variable; do
    expect_output "$variable"
  done < <(setting_names)
}

@test "--list prints the steps, in order" {
  run setup_sh --list
  expect_status 0
  [ "$output" = $'system_deps\npython\nvenv\npytorch\nvllm\nsigilderg\nrust\nsandbox\ncli_tools\nmodels\nevaluation' ]
}

@test "--plan on a bare machine is the golden file, and writes nothing" {
  command_stub dpkg-query <<<'exit 1'
  command_stub nvidia-smi <<<'exit 1'
  command_stub id <<<'exit 0' # root may have made the sandbox user or not
  run bash -c 'cd "$HOME" && PATH=$STUBS:/usr/bin:/bin bash "$ROOT/eval_setup.sh" --demo --plan'
  expect_status 0
  output=${output%$'\n\nIt would stop'*} # which follows the machine's network
  diff <(sed "s#$ROOT#ROOT#g; s#$STATE_DIR#STATE#g; s#$HOME#HOME#g" <<<"$output") "$ROOT/tests/bats/golden/plan.txt"
  [ ! -e "$STATE_DIR" ]
  [ -z "$(ls -A "$HOME")" ]
}

@test "--plan of the loop names its base, and the driver's command" {
  run bash -c 'cd "$ROOT" && bash eval_setup.sh --demo --loop --plan --from models'
  expect_status 0
  output=${output%$'\n\nIt would stop'*}
  diff <(sed "s#$ROOT#ROOT#g; s#$STATE_DIR#STATE#g" <<<"$output") "$ROOT/tests/bats/golden/plan-loop.txt"
}

@test "what the loop is to be made of is there, and goes together" {
  cd "$ROOT"
  printf 'lora:\n  r: 8\n' >"$TEST_HOME/nameless.yml"
  printf "model_name: 'org/base' # this one\n" >"$TEST_HOME/train.yml"
  for setting in CRATES=./no/such TRAIN_CONFIG=./no/such TRAIN_CONFIG="$TEST_HOME/nameless.yml" BASE_MODEL=org/other \
    CHECKPOINTS=demo/models CHECKPOINT_PATH=demo/models/adapter VAL_SHARE=1 VAL_SHARE=x MOST_TOO_LONG=2 \
    WRITER_URL=http://127.0.0.1:8000/v1 WRITER_MODEL=writer; do
    run env "$setting" bash eval_setup.sh --demo --loop
    expect_status 2 || { echo "$setting" && return 1; }
    expect_output "$setting"
  done
  run setup_sh --loop
  expect_status 2
  expect_output '--loop wants CRATES'
  cd "$TEST_HOME"
  run setup_sh --demo --loop
  expect_status 2
  expect_output "in the checkout (cd $ROOT)"
  CRATES="$ROOT/demo/crates.txt" TRAIN_CONFIG=train.yml run setup_sh --loop --plan --only models
  expect_status 0
  expect_output 'the models org/base'
  expect_output "loop $ROOT/demo/crates.txt train.yml --val-share 0.1"
  [ ! -e "$STATE_DIR" ]
}

@test "the loop asks the model that is named for rows, and its address holds no secret" {
  cd "$ROOT"
  WRITER_URL=http://127.0.0.1:8000/v1 WRITER_MODEL='a model' run setup_sh --demo --loop --plan
  expect_output 'loop demo/crates.txt demo/loop.yml --val-share 0.3 --most-too-long 0.01 --writer-url http://127.0.0.1:8000/v1 --writer-model a\ model '
  for address in 127.0.0.1:8000 ftp://server/v1 http:// http://me:hidden@server/v1 http://server/v1?key=hidden; do
    WRITER_URL=$address WRITER_MODEL=writer run setup_sh --demo --loop
    expect_status 2 || { echo "$address" && return 1; }
    expect_output 'WRITER_URL is not an address'
    expect_no_output hidden
  done
}

@test "the registry is asked for the loop's crates beforehand" {
  LOOP=1 CRATES=$TEST_HOME/crates.txt
  printf '# small ones\n\n  either@1.15.0 # first\nheck@0.5.0\n' >"$CRATES"
  run as_program evaluation_needs
  expect_status 0
  [ "$output" = $'fails\tcurl\thttps://static.crates.io/crates/either/either-1.15.0.crate' ]
  LOOP=0
  run as_program evaluation_needs
  [ -z "$output" ]
}

@test "what is in the loop's files is read before anything, once there is a Python" {
  python3 -c 'import tree_sitter_rust, yaml' 2>/dev/null || skip 'this Python has not the packages'
  cd "$ROOT"
  mkdir -p "$STATE_DIR/venv/bin"
  printf '#!/bin/sh\nexec %s "$@"\n' "$(type -P python3)" >"$STATE_DIR/venv/bin/python"
  chmod +x "$STATE_DIR/venv/bin/python"
  printf 'model_name: %s\ndatasett:\n' "$ROOT/demo/models/base" >"$TEST_HOME/train.yml"
  TRAIN_CONFIG=$TEST_HOME/train.yml run setup_sh --demo --loop
  expect_status 2
  expect_output "$TEST_HOME/train.yml:2: datasett is no key of a training configuration; did you mean dataset?"
  echo either >"$TEST_HOME/crates.txt"
  CRATES=$TEST_HOME/crates.txt run setup_sh --demo --loop --plan
  expect_status 2
  expect_output "$TEST_HOME/crates.txt:1: 'either' is no crate at a version"
  [ ! -e "$STATE_DIR/logs" ]
  run setup_sh --demo --loop --plan --only models
  expect_status 0
  printf '#!/bin/sh\necho broken >&2; exit 1\n' >"$STATE_DIR/venv/bin/python" # it is to be made anew
  run setup_sh --demo --loop --plan --only models
  expect_status 0
  expect_no_output broken
}

@test "--plan shows a step that is done, with the reason" {
  mkdir -p "$STATE_DIR"
  command_stub dpkg-query <<<'echo installed'
  run setup_sh --demo --plan
  expect_status 0
  [[ ${lines[0]} == 'system_deps  done '*'packages are installed' ]]
}

@test "--only names one step of the plan, --from the rest" {
  run setup_sh --demo --plan --only rust
  [[ ${lines[0]} == rust* ]]
  expect_no_output 'sandbox  '
  run setup_sh --demo --plan --from sandbox
  [[ ${lines[0]} == sandbox* ]]
  expect_output cli_tools
  expect_no_output 'venv  '
}

@test "piped into bash, it says that it needs the repository" {
  run bash -c 'cd /; bash < "$ROOT/eval_setup.sh"'
  expect_status 2
  expect_output 'Clone the repository'
}

@test "what cannot work is refused before the set-up, with the name of the setting and the value" {
  mkdir -p "$TEST_HOME/empty" "$TEST_HOME/adapter" "$TEST_HOME/weightless" "$TEST_HOME/full"
  touch "$TEST_HOME/file" "$TEST_HOME/adapter"/{adapter_config.json,a.safetensors} "$TEST_HOME/weightless/config.json"
  for setting in NUM_SAMPLES=none NUM_SAMPLES=0 NUM_SAMPLES=2.5 NUM_SAMPLES=99999999999999999999 NUM_SAMPLES=5$'\r' \
    K_VALUES=1,,2 K_VALUES=1,10 K_VALUES=0 SEED=-1 SEED=x \
    PRICE_PER_HOUR=2,49 PRICE_PER_HOUR=free PRICE_PER_HOUR=-1 PRICE_PER_HOUR=. ENGINE=magic ENGINE=vllm BATCH_SIZE=auto BATCH_SIZE=0 N_WORKERS=0 N_WORKERS=-2 \
    SKIP_ENV_CHECK=yes NONINTERACTIVE=true ALLOW_NO_SANDBOX=y SANDBOX_MODE=docker SANDBOX_MODE=none PYTHON_VERSION=3.11.9 PYTHON_VERSION=3.12 \
    OUTPUT_DIR="$TEST_HOME/results"$'\r' OUTPUT_DIR=/proc/results OUTPUT_DIR="$TEST_HOME/file" OUTPUT_DIR="$TEST_HOME/file/results" STATE_DIR=/sys/state VENV_DIR=/proc/venv \
    BASE_MODEL=./no/such BASE_MODEL=gpt2 BASE_MODEL="$TEST_HOME/file" BASE_MODEL="$TEST_HOME/empty" BASE_MODEL="$TEST_HOME/adapter" \
    CHECKPOINT_PATH="a b" CHECKPOINT_PATH="$TEST_HOME/weightless" CHECKPOINTS=./no/such CHECKPOINTS=' ' \
    DATASET_CHECK=./no/such DATASET_CHECK="$TEST_HOME/empty"; do
    run env "$setting" bash "$ROOT/eval_setup.sh" --demo
    expect_status 2 || { echo "$setting" && return 1; }
    expect_output "${setting%%[= ]*}="
    [[ $setting == *$'\r' ]] || expect_output "$setting"
  done
  [ ! -e "$STATE_DIR" ]
  [ -z "$(ls -A "$HOME")" ]
  NUM_SAMPLES=5 K_VALUES=1,10 run setup_sh --demo
  expect_output 'pass@10 of NUM_SAMPLES=5'
}

@test "settings that work are not refused, and leave nothing behind" {
  load_settings
  usage_error() { echo "refused: $*" && exit 2; }
  STRICT=0 BASE_MODEL=org/base CHECKPOINT_PATH=$ROOT/demo/models/adapter PRICE_PER_HOUR=.5 BATCH_SIZE=8 N_WORKERS=1 \
    OUTPUT_DIR=$TEST_HOME/a/b VENV_DIR=$TEST_HOME/c run check_settings
  expect_status 0
  [ -z "$output" ]
  [ ! -e "$TEST_HOME/a" ]
  [ ! -e "$TEST_HOME/c" ]
}

@test "a strict run refuses to do without a sandbox before anything else" {
  SANDBOX_MODE=none ALLOW_NO_SANDBOX=1 run setup_sh
  expect_status 2
  expect_output 'SANDBOX_MODE=none: a strict run refuses it'
}

@test "a start without HOME finds it; one that has none and no STATE_DIR is refused with the reason" {
  run env -u HOME -u STATE_DIR bash "$ROOT/eval_setup.sh" --demo --plan
  expect_status 0
  expect_output "$(getent passwd "$EUID" | cut -d: -f6)/.sigilderg/venv/bin/python"
  command_stub getent <<<'exit 2'
  command_stub mktemp <<<'echo "mktemp: failed: Permission denied" >&2; exit 1'
  run env -u HOME -u STATE_DIR OUTPUT_DIR="$TEST_HOME" bash "$ROOT/eval_setup.sh" --demo
  expect_status 2
  expect_output 'Permission denied'
}

@test "another shell hands over to bash, and the line ends of Windows are named" {
  run sh "$ROOT/eval_setup.sh" --list
  expect_status 0
  [[ $output == system_deps* ]]
  run bash --posix "$ROOT/eval_setup.sh" --list
  expect_status 0
  cp -r "$ROOT/eval_setup.sh" "$ROOT/eval_setup_config.sh" "$ROOT/lib" "$TEST_HOME"
  sed -i 's/$/\r/' "$TEST_HOME/eval_setup.sh" "$TEST_HOME"/lib/*.sh
  for shell in bash sh; do
    run "$shell" "$TEST_HOME/eval_setup.sh" --list
    expect_status 2
    [ "$output" = "error: the scripts in $TEST_HOME have the line ends of Windows. Clone the repository on this machine." ]
  done
  sed -i 's/\r$//' "$TEST_HOME/eval_setup.sh" "$TEST_HOME"/lib/*.sh
  run bash "$TEST_HOME/eval_setup.sh" --list
  expect_status 0
  sed -i 's/$/\r/' "$TEST_HOME/lib/steps.sh"
  run bash "$TEST_HOME/eval_setup.sh" --list
  expect_status 2
}

@test "a clone has the line ends of this system, whatever git is set to" {
  git -C "$TEST_HOME" init -q there
  cp "$ROOT/.gitattributes" "$ROOT/eval_setup.sh" "$TEST_HOME/there"
  cp "$ROOT/demo/models/base/model.safetensors" "$TEST_HOME/there"
  git -C "$TEST_HOME/there" add -A
  git -C "$TEST_HOME/there" -c user.name=t -c user.email=t@t commit -qm all
  git -c core.autocrlf=true clone -q "$TEST_HOME/there" "$TEST_HOME/clone"
  cmp "$ROOT/eval_setup.sh" "$TEST_HOME/clone/eval_setup.sh"
  cmp "$ROOT/demo/models/base/model.safetensors" "$TEST_HOME/clone/model.safetensors"
}

@test "--offline wants a folder that --download-only has finished" {
  mkdir "$TEST_HOME/half"
  run setup_sh --offline "$TEST_HOME/half" --plan
  expect_status 2
  expect_output 'no finished folder'
  touch "$TEST_HOME/half/complete"
  run setup_sh --demo --offline "$TEST_HOME/half" --plan
  expect_status 0
}

@test "vllm is a step where it is asked for" {
  run setup_sh --demo --plan
  expect_status 0
  [[ $output != *'vllm  '* ]]
  WITH_VLLM=1 run setup_sh --demo --plan --from vllm
  expect_status 0
  [[ ${lines[0]} == 'vllm         to do '* && ${lines[2]} == 'sigilderg    to do '* ]]
  run setup_sh --demo --plan --from vllm
  expect_status 0
  [[ ${lines[0]} == 'sigilderg    to do '* ]]
  ENGINE=vllm WITH_VLLM=1 run setup_sh --demo --plan --from vllm
  expect_status 0
  run setup_sh --demo --plan --only vllm
  expect_status 0
  [[ ${lines[0]} == 'vllm         to do '* ]]
  WITH_VLLM=yes run setup_sh --demo --plan
  expect_status 2
}
