#!/usr/bin/env bats
# A rented H100, as seen from PATH and from the network: every driver, every way in which it can be
# broken, and every way to get flash-attn.

load helpers

setup() {
  make_home
  printf 'ID=ubuntu\nVERSION_ID="22.04"\n' >"$TEST_HOME/jammy"
  export OS_RELEASE=$TEST_HOME/jammy
  for client in curl git python3 apt-get; do command_stub "$client" <<<'exit 6'; done
}
teardown() { remove_home; }

gpu_findings() (
  load_settings
  uptime_seconds() { echo "${UPTIME:-9999}"; }
  DRIVER_POLL_SECONDS=0
  find_gpu
)

@test "drivers from 525.60.13 to 580 are fit" {
  for driver in 525.60.13 535.161.08 550.127.05 570.124.06 580.65.06; do
    command_stub nvidia-smi <<<"echo 'NVIDIA H100 80GB HBM3, $driver'"
    run gpu_findings
    expect_status 0
    [ -z "$output" ] || { echo "$driver: $output" && return 1; }
  done
}

@test "older drivers are not, and the advice is not to touch them" {
  for driver in 470.256.02 525.60.9 525.60.12; do
    command_stub nvidia-smi <<<"echo 'NVIDIA H100 80GB HBM3, $driver'"
    run gpu_findings
    [[ $output == $'differs\tdriver\t525.60.13 or newer\t'"$driver"* ]]
    expect_output 'this program never touches it'
  done
}

@test "a library that was updated under the running module: reboot" {
  command_stub nvidia-smi <<<'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18'
  run gpu_findings
  expect_output 'version mismatch'
  expect_output 'reboot: sudo reboot'
}

@test "a driver that does not talk is not the same as no GPU" {
  command_stub nvidia-smi <<<'echo; echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9'
  run gpu_findings
  expect_output 'nvidia-smi fails: NVIDIA-SMI has failed'
  command_stub nvidia-smi <<<'echo "No devices were found"; exit 6'
  run gpu_findings
  expect_output 'no NVIDIA GPU'
  expect_no_output 'nvidia-smi fails'
}

@test "an nvidia-smi that hangs is given up" {
  command_stub timeout <<<'exit 124'
  command_stub nvidia-smi <<<'sleep 100'
  run gpu_findings
  expect_output 'it does not answer'
}

@test "no nvidia-smi at all" {
  command() { [[ $* != '-v nvidia-smi' ]] && builtin command "$@"; }
  run gpu_findings
  expect_output 'no driver for it'
}

@test "on a machine that has just booted the driver is waited for, later it is not" {
  command_stub nvidia-smi <<'STUB'
echo x >>"$STUBS/.asked"
(($(wc -l <"$STUBS/.asked") > 3)) && echo 'NVIDIA H100 80GB HBM3, 570.1' || exit 9
STUB
  UPTIME=30 run gpu_findings
  [ -z "$output" ]
  [ "$(wc -l <"$STUBS/.asked")" -eq 4 ]
  rm "$STUBS/.asked"
  UPTIME=9999 run gpu_findings
  expect_output 'nvidia-smi fails'
}

# --- models behind a licence ----------------------------------------------------------------------

# hub CODE_BASE CODE_ADAPTER: what the hub answers to someone who may read the one and the other.
hub() {
  command_stub curl <<STUB
cat >/dev/null
case \$* in
  *Meta-Llama*) printf $1 ;;
  *QLora*) printf $2 ;;
  *) exit 6 ;;
esac
STUB
}

model_findings() (
  DEMO=0
  load_settings
  find_model_access
)

@test "both models readable: nothing to say" {
  hub 302 200
  run model_findings
  [ -z "$output" ]
}

@test "each refusal is of its own model, with its own way out" {
  hub 401 200
  run model_findings
  expect_output $'access to meta-llama/Meta-Llama-3.1-8B-Instruct\tHTTP 401'
  expect_output 'accept its licence'
  expect_no_output QLora
  hub 200 404
  run model_findings
  expect_output $'access to Superuser666-Sigil/Llama-3.1-8B-Instruct-Rust-QLora/checkpoint-9000\tHTTP 404'
  expect_output 'check its name'
  hub 000 000
  run model_findings
  expect_output 'no answer'
  [ "${#lines[@]}" -eq 2 ]
}

@test "a strict run with a refused model does not begin" {
  hub 403 200
  command_stub nvidia-smi <<<'echo "NVIDIA H100 80GB HBM3, 570.1"'
  run setup_sh
  expect_status 3
  expect_output 'HTTP 403'
  expect_output 'Nothing was changed'
  [ ! -e "$STATE_DIR" ]
}

@test "a token file is used, and has to be its owner's alone" {
  mkdir -p "$HOME/.cache/huggingface"
  echo hf_from_file >"$HOME/.cache/huggingface/token"
  chmod 644 "$HOME/.cache/huggingface/token"
  command_stub curl <<<'[[ $(cat) == *"Bearer hf_from_file"* ]] && printf 200 || printf 401'
  run model_findings
  expect_output 'chmod 600'
  expect_no_output 'HTTP 401'
  expect_no_output hf_from_file
  chmod 600 "$HOME/.cache/huggingface/token"
  run model_findings
  [ -z "$output" ]
}

# --- flash-attn -----------------------------------------------------------------------------------

# A venv whose torch generates, with flash-attn once the file `flash` says so; a uv that installs what
# it is told to by writing that file.
cuda_machine() {
  load_settings
  mkdir -p "$VENV_DIR/bin" "$STATE_DIR/bootstrap/bin" "$STATE_DIR/cache"
  command_stub nvidia-smi <<<'echo "NVIDIA H100 80GB HBM3, 570.1"'
  cat >"$VENV_DIR/bin/python" <<STUB
#!/usr/bin/env bash
case \$* in
  *'version("flash-attn")'*) [[ -e $TEST_HOME/flash ]] && echo \${FLASH_VERSION:-$FLASH_ATTN_VERSION} ;;
  *prove_pytorch.py*\ flash_attention_2)
    grep -qx good "$TEST_HOME/flash" || { echo "flash attention does not run here: undefined symbol" >&2; exit 1; }
    ;;
  *prove_pytorch.py*\ $TORCH_VERSION\ cuda\ auto) [[ ! -e $TEST_HOME/no-cuda ]] ;;
  *) exit 99 ;;
esac
STUB
  cat >"$STATE_DIR/bootstrap/bin/uv" <<STUB
#!/usr/bin/env bash
echo "\$* MAX_JOBS=\${MAX_JOBS:-} FORCE=\${FLASH_ATTENTION_FORCE_BUILD:-} PATH=\$PATH" >>"$TEST_HOME/uv-calls"
case \$* in
  *.whl) cat "$TEST_HOME/wheel" >"$TEST_HOME/flash" ;;
  *flash-attn.txt) cat "$TEST_HOME/build" >"$TEST_HOME/flash" ;;
esac
STUB
  chmod +x "$VENV_DIR/bin/python" "$STATE_DIR/bootstrap/bin/uv"
  rm "$STUBS/curl"
  FLASH_ATTN_URL=file://$TEST_HOME
  echo 'a wheel' >"$TEST_HOME/$FLASH_ATTN_WHEEL"
  FLASH_ATTN_SHA256=$(sha256_of "$TEST_HOME/$FLASH_ATTN_WHEEL")
  touch "$TEST_HOME/uv-calls"
  echo good | tee "$TEST_HOME/wheel" >"$TEST_HOME/build"
}

compilers() { command_stub nvcc <<<'exit 0'; }

no_compilers() {
  command() { [[ $* != '-v nvcc' ]] && builtin command "$@"; }
}

@test "the pinned wheel is taken, and nothing is built" {
  cuda_machine
  compilers
  run as_program run_step pytorch 1 1
  expect_status 0
  [ ! -s "$STATE_DIR/deviations.tsv" ]
  [ "$(wc -l <"$TEST_HOME/uv-calls")" -eq 1 ]
  grep -q -- "--no-deps .*$FLASH_ATTN_WHEEL" "$TEST_HOME/uv-calls"
  run as_program run_step pytorch 1 1
  expect_output skipped
}

@test "flash-attn that works already is left alone" {
  cuda_machine
  echo good >"$TEST_HOME/flash"
  run as_program run_step pytorch 1 1
  expect_status 0
  [ ! -s "$TEST_HOME/uv-calls" ]
}

@test "flash-attn of another version is replaced" {
  cuda_machine
  echo good >"$TEST_HOME/flash"
  export FLASH_VERSION=2.7.0
  run as_program install_flash_attn_wheel
  expect_status 1
  unset FLASH_VERSION
  run as_program install_flash_attn_wheel
  expect_status 0
}

@test "a wheel that does not compute leads to a build, from hashed sources and by what memory allows" {
  cuda_machine
  compilers
  echo bad >"$TEST_HOME/wheel"
  run as_program run_step pytorch 1 1
  expect_status 0
  [ ! -s "$STATE_DIR/deviations.tsv" ]
  # ninja is the environment's own, and no wheel is looked for elsewhere.
  grep -qE -- "--no-build-isolation --require-hashes -r .*flash-attn.txt MAX_JOBS=[1-9][0-9]* FORCE=TRUE PATH=$VENV_DIR/bin:" \
    "$TEST_HOME/uv-calls"
  grep -q "^flash-attn==$FLASH_ATTN_VERSION --hash=sha256:$FLASH_ATTN_SOURCE_SHA256$" "$STATE_DIR/cache/flash-attn.txt"
}

@test "no wheel and no compiler: sdpa, on record; a strict run refuses it" {
  cuda_machine
  no_compilers
  FLASH_ATTN_URL=file://$TEST_HOME/nowhere
  run as_program run_step pytorch 1 1
  expect_status 0
  [ "$(cut -f1,3 "$STATE_DIR/deviations.tsv")" = $'pytorch.flash-attn\tsdpa' ]
  grep -q 'needs nvcc' "$STATE_DIR/logs/pytorch.log"
  STRICT=1
  run as_program run_step pytorch 1 1
  expect_status 3
  [ ! -s "$TEST_HOME/uv-calls" ]
}

@test "neither wheel nor build computes: sdpa, on record" {
  cuda_machine
  compilers
  echo bad | tee "$TEST_HOME/wheel" >"$TEST_HOME/build"
  run as_program run_step pytorch 1 1
  expect_status 0
  [ "$(wc -l <"$TEST_HOME/uv-calls")" -eq 2 ]
  [ "$(cut -f1,3 "$STATE_DIR/deviations.tsv")" = $'pytorch.flash-attn\tsdpa' ]
}

@test "a PyTorch that does not see the GPU fails the step" {
  cuda_machine
  touch "$TEST_HOME/no-cuda"
  run as_program run_step pytorch 1 1
  expect_status 1
  [ ! -e "$VENV_DIR/$PYTORCH_STAMP" ]
}

@test "another driver means another proof" {
  cuda_machine
  as_program run_step pytorch 1 1
  run as_program pytorch_probe
  expect_status 0
  command_stub nvidia-smi <<<'echo "NVIDIA H100 80GB HBM3, 580.65.06"'
  run as_program pytorch_probe
  expect_status 1
}
