#!/usr/bin/env bats
# What this machine is allowed to do, found out before anything is changed.

load helpers

setup() {
  make_home
  printf 'ID=ubuntu\nVERSION_ID="22.04"\n' >"$TEST_HOME/jammy"
  printf 'ID=debian\nVERSION_ID="12"\n' >"$TEST_HOME/bookworm"
  # No network, answered at once.
  command_stub curl <<<'exit 6'
  command_stub nvidia-smi <<<'echo "NVIDIA H100 80GB HBM3, 570.124.06"'
}
teardown() { remove_home; }

findings() (
  DEMO=0
  load_libraries
  preflight_findings
)

@test "another machine: exit 3, nothing changed, each difference named, both ways out named" {
  export OS_RELEASE=$TEST_HOME/bookworm
  command_stub nvidia-smi <<<'echo "No devices were found"; exit 6'
  run setup_sh
  expect_status 3
  expect_output 'os: debian 12'
  expect_output 'gpu: no NVIDIA GPU'
  expect_output '--demo'
  expect_output 'SKIP_ENV_CHECK=1'
  expect_output 'Nothing was changed'
  [ ! -e "$STATE_DIR" ]
  [ -z "$(ls -A "$HOME")" ]
}

@test "doctor reports the same, and changes nothing" {
  export OS_RELEASE=$TEST_HOME/bookworm
  run setup_sh doctor
  expect_status 3
  expect_output 'os: debian 12'
  [ ! -e "$STATE_DIR" ]
}

@test "the target has neither an os nor a gpu finding" {
  export OS_RELEASE=$TEST_HOME/jammy
  run findings
  expect_status 0
  expect_no_output $'\tos\t'
  expect_no_output $'\tgpu\t'
  expect_no_output $'\tdriver\t'
}

@test "a driver older than CUDA 12 is found, by number and not by text" {
  command_stub nvidia-smi <<<'echo "NVIDIA H100 PCIe, 525.60.9"'
  run findings
  expect_output $'\tdriver\t525.60.13 or newer\t525.60.9'
  command_stub nvidia-smi <<<'echo "NVIDIA H100 PCIe, 1000.1"'
  run findings
  expect_no_output $'\tdriver\t'
}

@test "another GPU is a difference" {
  command_stub nvidia-smi <<<'echo "Tesla V100-SXM2-16GB, 570.1"'
  run findings
  expect_output 'Tesla V100-SXM2-16GB'
}

@test "a full disk stops the demo with exit code 3 and the way out" {
  command_stub df <<<'printf "Filesystem 1024-blocks Used Available Capacity Mounted\n/dev/x 9 9 1048576 99%% /\n"'
  run setup_sh --demo
  expect_status 3
  expect_output 'disk: 1 GB, where 10 GB free'
  expect_output 'set STATE_DIR'
  [ ! -e "$STATE_DIR" ]
}

@test "no access to a gated model is found, and the token shows nowhere" {
  export HF_TOKEN=hf_secret
  command_stub curl <<'STUB'
echo "$*" >>"$STUBS/.curl-arguments"
[[ $* == *'-K -'* ]] && cat >>"$STUBS/.curl-input" && printf 403
true
STUB
  run findings
  expect_output 'access to meta-llama/Meta-Llama-3.1-8B-Instruct'
  expect_output 'HTTP 403'
  expect_no_output hf_secret
  grep -q 'Bearer hf_secret' "$STUBS/.curl-input"
  run cat "$STUBS/.curl-arguments"
  expect_no_output hf_secret
  expect_output 'Rust-QLora/resolve/main/checkpoint-9000/adapter_config.json'
}

@test "an unknown SANDBOX_MODE stops" {
  SANDBOX_MODE=paper run setup_sh --demo
  expect_status 3
  expect_output paper
}

@test "a lenient run records the differences as deviations" {
  export OS_RELEASE=$TEST_HOME/bookworm
  command_stub nvidia-smi <<<'exit 9'
  lenient_preflight() {
    load_libraries
    preflight
    record_platform
  }
  run as_program lenient_preflight
  expect_status 0
  [ "$(cut -f1 "$STATE_DIR/deviations.tsv")" = $'platform.os\nplatform.gpu' ]
}
