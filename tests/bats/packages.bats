#!/usr/bin/env bats
# PyTorch, the ecosystem, the sandbox and the optional tools: what counts as proved.

load helpers

setup() {
  make_home
  load_settings
  mkdir -p "$VENV_DIR/bin" "$STATE_DIR/bootstrap/bin" "$STATE_DIR/cache"
  echo /some/python >"$STATE_DIR/python.path"
  command_stub curl <<<'exit 6'
  command_stub nvidia-smi <<<'exit 9'
  fake_command "$STATE_DIR/bootstrap/bin/uv" <<<'echo "uv $*"'
  fake_command "$VENV_DIR/bin/sigil-eval" <<<'echo "sigil-eval 1.0.0"'
}
teardown() { remove_home; }

fake_command() {
  {
    echo '#!/usr/bin/env bash'
    cat
  } >"$1"
  chmod +x "$1"
}

@test "without CUDA, flash-attn is a deviation and is not tried" {
  fake_command "$VENV_DIR/bin/python" <<<'exit 0'
  run as_program run_step pytorch 1 1
  expect_status 0
  [ "$(cut -f1,3 "$STATE_DIR/deviations.tsv")" = $'pytorch.flash-attn\tsdpa on the CPU' ]
  run as_program run_step pytorch 1 1
  expect_output skipped
}

@test "a PyTorch that does not compute fails the step and leaves no proof" {
  fake_command "$VENV_DIR/bin/python" <<<'exit 1'
  run as_program run_step pytorch 1 1
  expect_status 1
  [ ! -e "$VENV_DIR/$PYTORCH_STAMP" ]
}

@test "with CUDA, a flash-attn wheel with another checksum is not installed" {
  command_stub nvidia-smi <<<'echo "NVIDIA H100, 570.1"'
  # The environment's python: torch works, flash_attn does not import.
  fake_command "$VENV_DIR/bin/python" <<<'[[ $* != *flash_attn* ]]'
  FLASH_ATTN_URL=file://$TEST_HOME
  echo 'not a wheel' >"$TEST_HOME/$FLASH_ATTN_WHEEL"
  rm "$STUBS/curl"
  PATH=$STUBS:/usr/bin:/bin run as_program run_step pytorch 1 1
  expect_status 0
  grep -q 'is not the pinned file' "$STATE_DIR/logs/pytorch.log"
  run grep -c '^uv pip install' "$STATE_DIR/logs/pytorch.log"
  [ "$output" = 0 ]
  [ "$(cut -f1,3 "$STATE_DIR/deviations.tsv")" = $'pytorch.flash-attn\tsdpa' ]
}

@test "a package that is there but does not do its job is a deviation that says so" {
  fake_command "$VENV_DIR/bin/python" <<<'[[ $2 != finetuner ]] || { echo "AssertionError: broken" >&2; exit 1; }'
  run as_program run_step sigilderg 1 1
  expect_status 0
  [ "$(cut -f1,3 "$STATE_DIR/deviations.tsv")" = $'sigilderg.finetuner\tAssertionError: broken' ]
}

@test "where GitHub answers, the pinned source is tried before giving up" {
  answers() { :; }
  fake_command "$VENV_DIR/bin/python" <<<'[[ $2 != trainer || -e $STATE_DIR/sources/SigilDERG-Finetuner ]]'
  commit=${FINETUNER_SOURCE#*@}
  stub git "init -q * => mkdir -p $STATE_DIR/sources/SigilDERG-Finetuner" "-C * fetch * $commit => true" \
    '-C * checkout -q FETCH_HEAD => true'
  export STATE_DIR
  run as_program run_step sigilderg 1 1
  expect_status 0
  [ ! -s "$STATE_DIR/deviations.tsv" ]
  grep -q "uv pip install .* -e $STATE_DIR/sources/SigilDERG-Finetuner" "$STATE_DIR/logs/sigilderg.log"
  verify_stubs
}

@test "a source that does no more than the published package is taken out again" {
  answers() { :; }
  fake_command "$VENV_DIR/bin/python" <<<'[[ $2 != trainer ]] || { echo "AssertionError: cannot train"; exit 1; }'
  stub git "init -q * => mkdir -p $STATE_DIR/sources/SigilDERG-Finetuner" "-C * fetch * => true" \
    '-C * checkout -q FETCH_HEAD => true'
  STRICT=1
  run as_program run_step sigilderg 1 1
  expect_status 0
  [ ! -s "$STATE_DIR/deviations.tsv" ] # sigil-eval train does it
  grep -q 'trainer: AssertionError: cannot train' "$STATE_DIR/logs/sigilderg.log"
  grep -q '^sigil-eval train trains by the same configurations' "$STATE_DIR/logs/sigilderg.log"
  grep -q "uv pip install .*--reinstall .*--require-hashes -r $STATE_DIR/cache/sigilderg-finetuner.txt" "$STATE_DIR/logs/sigilderg.log"
  grep -q '^sigilderg-finetuner==3.0.0 ' "$STATE_DIR/cache/sigilderg-finetuner.txt"
  [ "$(grep -c '==' "$STATE_DIR/cache/sigilderg-finetuner.txt")" = 1 ]
  grep -q -- '--hash=sha256:' "$STATE_DIR/cache/sigilderg-finetuner.txt"
  [ ! -e "$STATE_DIR/sources/SigilDERG-Finetuner" ]
  verify_stubs
}

@test "a source that breaks off on its way leaves the deviation, not a failure" {
  answers() { :; }
  fake_command "$VENV_DIR/bin/python" <<<'[[ $2 != *trainer ]]'
  stub git 'init -q * => true' '-C * fetch * => exit 128'
  run as_program run_step sigilderg 1 1
  expect_status 0
  [ "$(cut -f1 "$STATE_DIR/deviations.tsv")" = sigilderg.trainer ]
  verify_stubs
}

@test "a strict run stops where nothing trains" {
  fake_command "$VENV_DIR/bin/python" <<<'[[ $2 != *trainer ]] || { echo "AssertionError: no step"; exit 1; }'
  STRICT=1
  run as_program run_step sigilderg 1 1
  [ "$status" -ne 0 ]
  expect_output sigilderg.trainer
  [ ! -e "$VENV_DIR/$SIGILDERG_STAMP" ]
}

@test "sources are named by their commits" {
  for source in "$PIPELINE_SOURCE" "$FINETUNER_SOURCE" "$HUMAN_EVAL_SOURCE"; do
    [[ -z $source || $source =~ ^[^/@]+/[^/@]+@[0-9a-f]{40}$ ]]
  done
}

@test "the list of accepted deviations may have commas, and may be empty" {
  for given in 'a b' 'a,b' 'a, b' $'a\tb\n'; do
    ACCEPTED_DEVIATIONS=$given
    source "$ROOT/eval_setup_config.sh"
    [[ " $ACCEPTED_DEVIATIONS " == *' a '* && " $ACCEPTED_DEVIATIONS " == *' b '* ]]
  done
  ACCEPTED_DEVIATIONS=''
  source "$ROOT/eval_setup_config.sh"
  [ -z "$ACCEPTED_DEVIATIONS" ]
  unset ACCEPTED_DEVIATIONS
  source "$ROOT/eval_setup_config.sh"
  [ -z "$ACCEPTED_DEVIATIONS" ]
}

@test "a sandbox that lets a canary out stops with exit code 3 and leaves no proof" {
  id "$SANDBOX_USER" >/dev/null 2>&1 || ((EUID)) || skip 'would make a user'
  fake_command "$VENV_DIR/bin/sigil-eval" <<<'echo "wrote outside"; exit 3'
  run as_program run_step sandbox 1 1
  expect_status 3
  expect_output 'wrote outside'
  expect_output 'SANDBOX_MODE=none'
  [ ! -e "$STATE_DIR/sandbox.stamp" ]
}

@test "SANDBOX_MODE=none is a deviation, and a strict run refuses it" {
  SANDBOX_MODE=none
  run as_program run_step sandbox 1 1
  expect_status 0
  [ "$(cut -f1-3 "$STATE_DIR/deviations.tsv")" = $'sandbox\tFirejail\tnone' ]
  STRICT=1
  run as_program run_step sandbox 1 1
  expect_status 3
}

@test "going back to Firejail proves it, and takes the deviation away" {
  id "$SANDBOX_USER" >/dev/null 2>&1 || ((EUID)) || skip 'would make a user'
  SANDBOX_MODE=none
  as_program run_step sandbox 1 1
  SANDBOX_MODE=firejail
  run as_program run_step sandbox 1 1
  expect_status 0
  expect_no_output skipped
  [ ! -s "$STATE_DIR/deviations.tsv" ]
}

@test "gh that cannot be had stops nothing" {
  fake_command "$VENV_DIR/bin/hf" <<<'exit 0'
  command_stub dpkg-query <<<'exit 1'
  command_stub apt-get <<<'exit 100'
  command_stub sudo <<<'exit 1'
  command() { [[ $* != '-v gh' ]] && builtin command "$@"; }
  run as_program run_step cli_tools 1 1
  expect_status 0
  grep -q 'gh could not be installed' "$STATE_DIR/logs/cli_tools.log"
}

@test "vLLM counts as there once it has drawn as it should, until its requirements or the Python change" {
  mkdir -p "$VLLM_VENV_DIR/bin"
  nvidia_gpus() { echo 'NVIDIA H100, 550.1'; }
  fake_command "$VENV_DIR/bin/python" <<<'echo "$*"; exit "${CODE:-0}"'
  CODE=1 run as_program vllm_verify
  expect_status 1
  run as_program vllm_probe
  expect_status 1
  run as_program vllm_verify
  expect_output "/lib/python/prove_vllm.py $VLLM_VENV_DIR/bin/python cuda"
  run as_program vllm_probe
  expect_status 0
  expect_output "SIGIL_VLLM_PYTHON=$VLLM_VENV_DIR/bin/python"
  echo /another/python >"$STATE_DIR/python.path"
  run as_program vllm_probe
  expect_status 1
}

@test "an environment of vLLM that is to be proved again is not filled again, and does not count meanwhile" {
  mkdir -p "$VLLM_VENV_DIR"
  nvidia_gpus() { echo 'NVIDIA H100, 550.1'; }
  fill_environment() { echo "filled from $2"; }
  run as_program vllm_apply
  expect_output "filled from $VLLM_LOCK"
  touch "$VLLM_VENV_DIR/$VLLM_PROVED"
  run as_program vllm_apply
  expect_status 0
  [[ $output != *filled* && ! -e $VLLM_VENV_DIR/$VLLM_PROVED ]]
  nvidia_gpus() { :; }
  run as_program vllm_apply
  expect_status 3
  expect_output 'vLLM needs an NVIDIA GPU'
}
