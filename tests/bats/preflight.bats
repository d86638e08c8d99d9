#!/usr/bin/env bats
# What this machine is allowed to do, found out before anything is changed.

load helpers

setup() {
  make_home
  printf 'ID=ubuntu\nVERSION_ID="22.04"\n' >"$TEST_HOME/jammy"
  printf 'ID=debian\nVERSION_ID="12"\n' >"$TEST_HOME/bookworm"
  # No network, answered at once.
  for client in curl git python3 apt-get; do command_stub "$client" <<<'exit 6'; done
  command_stub nvidia-smi <<<'echo "NVIDIA H100 80GB HBM3, 570.124.06"'
}
teardown() { remove_home; }

findings() (
  DEMO=0
  load_settings
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

@test "--plan says that it would stop, and why; where it would not, it says nothing of it" {
  export OS_RELEASE=$TEST_HOME/bookworm
  run setup_sh --plan
  expect_status 0
  expect_output 'It would stop before all that, with exit code 3.'
  expect_output 'os: debian 12'
  expect_no_output 'Nothing was changed'
  [ ! -e "$STATE_DIR" ]
  run setup_sh --demo --plan --only models
  expect_status 0
  expect_no_output 'It would stop'
  NUM_SAMPLES=0 run setup_sh --demo --plan
  expect_status 2
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
  expect_output 'disk: 1 GB, where 11 GB free'
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
  expect_status 2
  expect_output SANDBOX_MODE=paper
  SANDBOX_MODE=paper run setup_sh --demo doctor
  expect_status 3
  expect_output paper
}

@test "a lenient run records the differences as deviations" {
  export OS_RELEASE=$TEST_HOME/bookworm
  command_stub nvidia-smi <<<'exit 9'
  lenient_preflight() {
    load_settings
    preflight
    record_platform_deviations
  }
  run as_program lenient_preflight
  expect_status 0
  [ "$(cut -f1 "$STATE_DIR/deviations.tsv")" = $'platform.gpu\nplatform.os' ]
}

@test "places on one disk share what is free there" {
  command_stub df <<'STUB'
case ${*: -1} in
  /tmp) printf 'F B U A C M\n/dev/b 9 9 1048576 99%% /tmp\n' ;;
  *) printf 'F B U A C M\n/dev/a 9 9 %s 99%% /\n' "$((FREE_GB * 1048576))" ;;
esac
STUB
  export FREE_GB=34 TMPDIR=/tmp
  run findings
  expect_no_output $'\tdisk\t'
  FREE_GB=33 run findings
  expect_output $'stop\tdisk\t34 GB free on / for'
}

@test "packages to install and nobody who may: found before anything is changed" {
  command_stub dpkg-query <<<'exit 1'
  as_user() {
    DEMO=1
    load_settings
    can_be_root() { return 1; }
    find_root
  }
  run as_user
  expect_output $'stop\troot\t'
  expect_output firejail
  command_stub dpkg-query <<<'echo installed'
  run as_user
  [ -z "$output" ]
}

@test "sudo that asks for a password will do in a terminal only" {
  command_stub sudo <<<'exit 1'
  become_ordinary
  load_settings
  INTERACTIVE=0
  run as_program can_be_root
  expect_status 1
  INTERACTIVE=1
  run as_program can_be_root
  expect_status 0
}

@test "a logind that ends sessions is found, unless the user lingers; TMOUT is a note" {
  ((EUID)) || become_ordinary
  command_stub busctl <<<'echo "b ${KILL:-true}"'
  command_stub loginctl <<<'echo "Linger=${LINGER:-no}"'
  load_settings
  chmod -R a+rwX "$TEST_HOME"
  TMOUT=600 run as_program find_session_killers
  expect_output $'fails\tlogind'
  expect_output 'loginctl enable-linger'
  expect_output $'note\ttmout\t'
  LINGER=yes run as_program find_session_killers
  [ -z "$output" ]
  KILL=false run as_program find_session_killers
  [ -z "$output" ]
}

@test "each address is asked by its client, and only for steps that are not done" {
  load_settings
  one_describe() { :; }
  one_probe() { return 1; }
  one_needs() { needs_answer stop git file:///nowhere && needs_answer fails curl file:///etc/hostname; }
  two_probe() { return 0; }
  two_needs() { needs_answer stop curl file:///nowhere-else; }
  rm "$STUBS/curl" "$STUBS/git"
  run as_program find_network one two
  expect_status 0
  [ "${#lines[@]}" -eq 1 ]
  expect_output $'stop\tnetwork\tfile:///nowhere, for git'
  FORCE_STEP=two
  run as_program find_network two
  expect_output nowhere-else
}

@test "answers: git by git, pip by pip, a missing client by curl" {
  load_settings
  rm "$STUBS/git"
  git init -q --bare "$TEST_HOME/repository.git"
  run as_program answers git "file://$TEST_HOME/repository.git"
  expect_status 0
  run as_program answers git "file://$TEST_HOME/none.git"
  [ "$status" -ne 0 ]
  command_stub python3 <<<'[[ $* == *"index --help"* || ( $* == *"index versions"* && $* == *" uv" ) ]]'
  run as_program answers pip uv
  expect_status 0
  run as_program answers pip another
  expect_status 1
  command_stub python3 <<<'exit 1'
  command_stub curl <<<'[[ $* == *https://mirror/simple/uv/* ]]'
  PIP_INDEX_URL=https://mirror/simple run as_program answers pip uv
  expect_status 0
}

@test "a running evaluation is left alone before anything else is looked at" {
  pretend_run $$
  run setup_sh --demo
  expect_status 3
  expect_output 'left alone'
}

@test "too little memory and another architecture are found" {
  command_stub uname <<<'echo aarch64'
  run findings
  expect_output $'stop\tarchitecture\tx86_64\taarch64'
  awk() { echo 8; }
  export -f awk
  run findings
  expect_output $'differs\tram\t64 GB\t8 GB'
}

@test "a note alone stops nobody" {
  noted() {
    load_settings strict
    preflight_findings() { finding note tmout a b c d; }
    preflight
    doctor
  }
  run as_program noted
  expect_status 0
  expect_output tmout
}

@test "on a fit machine every question is asked to the end" {
  DEMO=0
  load_settings
  export OS_RELEASE=$TEST_HOME/jammy
  command_stub curl <<<'printf 200'
  command_stub dpkg-query <<<'echo installed'
  MIN_RAM_GB=1
  command_stub df <<<'printf "F B U A C M\n/dev/x 9 9 999999999 9%% /\n"'
  run as_program preflight_findings
  expect_status 0
  [ -z "$output" ]
}

@test "each answer of the hub has its own way out, and only a refusal speaks of a licence" {
  command_stub curl <<<'cat >/dev/null; printf "%s" "$ANSWER"'
  DEMO=0 load_settings
  says() { # ANSWER WORDS [WORDS THAT MUST NOT APPEAR]
    ANSWER=$1 run as_program find_on_hub org/name
    expect_status 0
    expect_output $'fails\tmodel\taccess to org/name'
    expect_output "$2"
    [[ -z ${3:-} ]] || expect_no_output "$3"
  }
  says 401 'accept its licence at https://huggingface.co/org/name and export HF_TOKEN'
  says 403 'accept its licence at https://huggingface.co/org/name with the account of HF_TOKEN'
  says 404 'check its name' licence
  for busy in 408 429 500 502 503 504 '503 200'; do says "$busy" 'try again in some minutes, or set HF_ENDPOINT' licence; done
  says 407 'the proxy says 407' licence
  says '000 407' 'the proxy says 407' licence
  says '000 403' 'the proxy says 403' licence
  says '000 000' 'open the network' licence
  says '' 'open the network' licence
  says 418 'HTTP 418' licence
  for fine in 200 302 307 '200 200'; do
    ANSWER=$fine run as_program find_on_hub org/name
    [ -z "$output" ]
  done
}

@test "a token is sent as the hub's client sends it, wherever it comes from" {
  DEMO=0 load_settings
  curl_sees() {
    curl() { cat >"$TEST_HOME/sent"; }
    model_access org/name
    cat "$TEST_HOME/sent"
  }
  expect_sent() {
    run as_program curl_sees
    [ "$output" = "${1:+header = \"Authorization: Bearer $1\"}" ] || { echo "sent: $output" && return 1; }
  }
  for HF_TOKEN in $'hf_good\r' ' hf_good' $'\thf_good\r\n' $'hf_good\n' $'hf_\rgood '; do expect_sent hf_good; done
  HF_TOKEN=$' \r\n' expect_sent ''
  HF_TOKEN='a"b' expect_sent 'a\"b'
  HF_TOKEN='' HUGGING_FACE_HUB_TOKEN=' hf_old' expect_sent hf_old
  mkdir -p "$HOME/.cache/huggingface"
  printf ' hf_file\r\n' >"$HOME/.cache/huggingface/token"
  HF_TOKEN=' ' expect_sent hf_file
  printf 'hf_named\r\n' >"$HOME/token"
  export HF_TOKEN_PATH='$HOME/token'
  HF_TOKEN='' expect_sent hf_named
}

@test "a token file that cannot be read, or by others, is found before any model is asked for" {
  DEMO=0 load_settings
  unset HF_TOKEN
  mkdir -p "$HOME/.cache/huggingface"
  echo hf_file >"$HOME/.cache/huggingface/token"
  become_ordinary
  run as_program find_token_file
  expect_output 'others on this machine can read it'
  chmod 600 "$HOME/.cache/huggingface/token"
  ((EUID)) || chown "$AS_USER" "$HOME/.cache/huggingface/token"
  run as_program find_token_file
  [ -z "$output" ]
  chmod 000 "$HOME/.cache/huggingface/token"
  run as_program find_token_file
  expect_output 'cannot be read'
  expect_output 'chmod 600'
  run as_program hf_token
  expect_status 0
  [ -z "$output" ]
  HF_TOKEN=hf_other run as_program find_token_file
  [ -z "$output" ]
}

@test "a GPU that is listed counts, whatever nvidia-smi's exit code and warnings; errors are no GPU" {
  load_settings
  uptime_seconds() { echo 9999; }
  for code in 0 14 15 255; do
    command_stub nvidia-smi <<STUB
echo 'WARNING: infoROM is corrupted at gpu 0000:07:00.0'
echo 'Unable to determine the device handle for GPU0000:08:00.0: Unknown Error' >&2
echo 'NVIDIA H100 80GB HBM3, 570.124.06'
exit $code
STUB
    run as_program nvidia_gpus
    [ "$output" = 'NVIDIA H100 80GB HBM3, 570.124.06' ]
    run as_program find_gpu
    expect_output $'note\tnvidia-smi\t'
    expect_output 'infoROM'
    expect_no_output $'\tgpu\t'
  done
  for words in 'No devices were found' '[Unknown Error], 570.1' '[GPU is lost], [GPU is lost]' 'NVIDIA H100, [N/A]' \
    'Failed to initialize NVML: Driver/library version mismatch' 'NVML library version: 570.124'; do
    command_stub nvidia-smi <<<"echo '$words'; exit 0"
    run as_program has_gpu
    expect_status 1
    run as_program find_gpu
    expect_output $'differs\tgpu\t'
  done
}

@test "HF_HUB_OFFLINE left over is found, unless the models are in the cache" {
  DEMO=0 BASE_MODEL=org/base CHECKPOINT_PATH=org/tuned/final
  load_settings
  for variable in HF_HUB_OFFLINE TRANSFORMERS_OFFLINE; do
    for value in 1 true YES on; do
      export "$variable=$value"
      run as_program find_model_access
      expect_output $'fails\tmodel\torg/base in '
      expect_output 'unset HF_HUB_OFFLINE'
    done
    export "$variable=0"
    command_stub curl <<<'printf 200'
    run as_program find_model_access
    [ -z "$output" ]
    unset "$variable"
  done
  export HF_HUB_OFFLINE=1 HF_HUB_CACHE=$TEST_HOME/hub
  for model in base tuned; do
    mkdir -p "$HF_HUB_CACHE/models--org--$model"/{refs,snapshots/abc/final}
    printf abc >"$HF_HUB_CACHE/models--org--$model/refs/main"
    touch "$HF_HUB_CACHE/models--org--$model/snapshots/abc/config.json"
  done
  run as_program find_model_access
  expect_output $'fails\tmodel\torg/tuned/final in '
  expect_no_output org/base
  touch "$HF_HUB_CACHE/models--org--tuned/snapshots/abc/final/adapter_config.json"
  run as_program find_model_access
  [ -z "$output" ]
}

@test "no folder in which programs may be run stops" {
  load_settings
  folder_for_programs() { return 1; }
  run as_program find_place_for_programs
  expect_output $'stop\tnoexec\t'
}

@test "pip is asked whatever its user has set for installations" {
  command_stub python3 <<'STUB'
[[ $* != *--help* ]] || exit 0
[[ -z ${PIP_REQUIRE_VIRTUALENV:-} && -z ${PYTHONHOME:-} && $PIP_INDEX_URL == https://mirror ]]
STUB
  load_settings
  export PIP_REQUIRE_VIRTUALENV=true PYTHONHOME=/nowhere PIP_INDEX_URL=https://mirror
  run as_program answers pip uv
  expect_status 0
}

@test "a repository that was carried here answers and is cloned, whoever it belongs to" {
  ((EUID == 0)) || skip 'changes owners'
  rm "$STUBS/git"
  load_settings
  git init -q --bare "$TEST_HOME/carried.git"
  commit=$(git -C "$TEST_HOME/carried.git" -c user.name=x -c user.email=x@example.com commit-tree -m x \
    "$(git -C "$TEST_HOME/carried.git" hash-object -w -t tree /dev/null)")
  git -C "$TEST_HOME/carried.git" update-ref HEAD "$commit"
  become_ordinary
  chown -R 12345 "$TEST_HOME/carried.git"
  run as_program answers git "file://$TEST_HOME/carried.git"
  expect_status 0
  run as_program run_git clone -q "file://$TEST_HOME/carried.git" "$HOME/clone"
  expect_status 0
  run as_program answers git "file://$TEST_HOME/none.git"
  [ "$status" -ne 0 ]
}

@test "a folder of --download-only that may not be read says so" {
  mkdir "$TEST_HOME/carried"
  touch "$TEST_HOME/carried/complete"
  load_settings
  become_ordinary
  ((EUID)) || chown -R 12345 "$TEST_HOME/carried"
  chmod 700 "$TEST_HOME/carried"
  ((EUID == 0)) || chmod 000 "$TEST_HOME/carried"
  run as_program use_offline_folder "$TEST_HOME/carried"
  chmod 700 "$TEST_HOME/carried"
  expect_status 2
  expect_output 'may not read it'
}

@test "a place for the compiler that Firejail would not let be executed is refused" {
  load_settings
  rust_home() { printf '%s/rust' "$STATE_DIR"; }
  for STATE_DIR in /var/lib/me /etc/me; do
    run as_program find_place_for_rust
    expect_output $'stop\tstate\t'
    expect_output 'set STATE_DIR'
  done
  for STATE_DIR in /variable/me /home/me/.sigilderg /mnt/data/me; do
    run as_program find_place_for_rust
    [ -z "$output" ]
  done
  STATE_DIR=/var/lib/me SANDBOX_MODE=none run as_program find_place_for_rust
  [ -z "$output" ]
}

@test "the hub's places and the token are settled where they are named, and not named where they are not" {
  load_settings
  settled() {
    unset HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_TOKEN HUGGING_FACE_HUB_TOKEN
    (($# == 0)) || export "${@?}"
    complete_environment
    env | grep -E '^(HF|HUGGING)' | sort
    [[ :$PATH: == *:/usr/sbin:* ]]
  }
  cd "$TEST_HOME"
  run as_program settled
  [ -z "$output" ]
  run as_program settled HF_HOME='$STATE_DIR/../hub' HF_TOKEN=$' hf_a\r'
  [ "$output" = "HF_HOME=$TEST_HOME/hub"$'\n'HF_TOKEN=hf_a ]
  run as_program settled HUGGINGFACE_HUB_CACHE=cache HF_TOKEN=' '
  [ "$output" = "HF_HUB_CACHE=$TEST_HOME/cache"$'\n'HUGGINGFACE_HUB_CACHE=cache ]
  run as_program settled HF_HUB_CACHE='' HF_HOME='~/own'
  [ "$output" = "HF_HOME=$HOME/own"$'\n'"HF_HUB_CACHE=$HOME/own/hub" ]
}
