#!/usr/bin/env bats
# The models, and what the last steps take for done.

load helpers

setup() {
  make_home
  export BASE_MODEL=org/base CHECKPOINT_PATH=org/tuned/final HF_HUB_CACHE=$TEST_HOME/hub
  load_settings
  mkdir -p "$VENV_DIR/bin"
  # What fetch_models.py would bring: one file for each model that is named.
  cat >"$VENV_DIR/bin/python" <<'STUB'
#!/usr/bin/env bash
[[ ${HF_TOKEN-unset} == unset || -n $HF_TOKEN ]] || { echo 'an empty token' >&2; exit 1; }
shift
for model; do
  file=$HF_HUB_CACHE/models--${model%%/*}--$(cut -d/ -f2 <<<"$model")/model.safetensors
  mkdir -p "$(dirname "$file")"
  echo weights >"$file"
  [[ -z $REFUSE || $model != *"$REFUSE"* ]] || { echo "$model is gated" >&2; exit 3; }
  printf '%s\t%s\n' "$(stat -c %s "$file")" "$file"
done
STUB
  chmod +x "$VENV_DIR/bin/python"
  export REFUSE=''
}
teardown() { remove_home; }

@test "the models are fetched once, an empty token is none, and both are listed for uninstalling" {
  HF_TOKEN='' run as_program run_step models 1 1
  expect_status 0
  [ "$(cut -f1 "$STATE_DIR/models.tsv" | sed 1d)" = $'8\n8' ]
  [ "$(cut -f2 "$STATE_DIR/made.tsv")" = "$HF_HUB_CACHE/models--org--base"$'\n'"$HF_HUB_CACHE/models--org--tuned" ]
  run as_program run_step models 1 1
  expect_output skipped
}

@test "of checkpoints, those that are named on the hub are fetched beforehand" {
  mkdir -p "$TEST_HOME/run"
  export CHECKPOINTS="$TEST_HOME/run org/many org/tuned/checkpoint-500"
  run as_program run_step models 1 1
  expect_status 0
  [ "$(cut -f2 "$STATE_DIR/made.tsv")" = "$HF_HUB_CACHE/models--org--base"$'\n'"$HF_HUB_CACHE/models--org--tuned" ]
  unset CHECKPOINTS
}

@test "a model that was in the cache before is not ours to remove" {
  mkdir -p "$HF_HUB_CACHE/models--org--base"
  as_program run_step models 1 1
  [ "$(cut -f2 "$STATE_DIR/made.tsv")" = "$HF_HUB_CACHE/models--org--tuned" ]
}

@test "a refused model fails the step with the hub's words, and nothing counts as there" {
  REFUSE=tuned run as_program run_step models 1 1
  expect_status 3
  expect_output 'org/tuned/final is gated'
  [ ! -e "$STATE_DIR/models.tsv" ]
}

@test "another model, a file that is gone, a file that was cut: not done" {
  as_program run_step models 1 1
  run as_program models_probe
  expect_status 0
  BASE_MODEL=org/other run as_program models_probe
  expect_status 1
  file=$HF_HUB_CACHE/models--org--base/model.safetensors
  echo w >"$file"
  run as_program models_probe
  expect_status 1
  rm "$file"
  run as_program models_probe
  expect_status 1
}

@test "a download that leaves its file short fails the verification" {
  as_program models_apply
  echo w >"$HF_HUB_CACHE/models--org--base/model.safetensors"
  run as_program models_verify
  expect_status 1
}

@test "folders of one's own need no fetching" {
  mkdir -p "$TEST_HOME/a"
  BASE_MODEL=$TEST_HOME/a CHECKPOINT_PATH=$TEST_HOME/a run as_program models_probe
  expect_status 0
}

@test "the cache is where the hub's client looks for it" {
  unset HF_HUB_CACHE HF_HOME XDG_CACHE_HOME HUGGINGFACE_HUB_CACHE
  export DISK=/disk
  is() { # EXPECTED NAME=VALUE...
    local expected=$1
    shift
    run env "$@" bash -c 'source "$ROOT/lib/all.sh"; model_cache'
    [ "$output" = "$expected" ] || { echo "$*: $output" && return 1; }
  }
  is "$HOME/.cache/huggingface/hub"
  is /x/huggingface/hub XDG_CACHE_HOME=/x
  is /h/hub HF_HOME=/h XDG_CACHE_HOME=/x
  is "$HOME/h/hub" HF_HOME='~/h'
  is "/disk/h/hub" HF_HOME='$DISK/h'
  is "/disk/h/hub" HF_HOME='${DISK}/h'
  is '/$NONE/${NONE}/hub' HF_HOME='/$NONE/${NONE}'
  is "$(getent passwd root | cut -d: -f6)/hub" HF_HOME='~root'
  is '~nobody-here/hub' HF_HOME='~nobody-here'
  is /legacy HUGGINGFACE_HUB_CACHE=/legacy HF_HOME=/h
  is /new HF_HUB_CACHE=/new HUGGINGFACE_HUB_CACHE=/legacy HF_HOME=/h
  is "$HOME" HF_HUB_CACHE='~'
  HUGGINGFACE_HUB_CACHE=/only-this-shell
  [ "$(model_cache)" = "$HOME/.cache/huggingface/hub" ]
}

# Stands in for the environment's Python: notes its calls, and a check by the driver ends with CODE.
driver_for_checks() {
  printf '#!/bin/sh\n' >"$VENV_DIR/bin/sigil-eval"
  cat >"$VENV_DIR/bin/python" <<STUB
#!/bin/sh
echo "\$*; SIGIL_RUSTC=\$SIGIL_RUSTC" >>$TEST_HOME/calls
[ "\${*%--check}" = "\$*" ] || { echo "the driver's own words"; exit "\${CODE:-0}"; }
STUB
  chmod +x "$VENV_DIR"/bin/*
  echo /some/rustc >"$STATE_DIR/rust.path"
}

@test "a run is checked by the call that is going to be made, and again when something has changed" {
  run as_program evaluation_probe
  expect_status 1
  expect_output 'not installed yet'
  driver_for_checks
  CODE=3 run as_program run_step evaluation 1 1
  expect_status 3
  expect_output "the driver's own words"
  run as_program evaluation_probe
  expect_status 1
  run as_program run_step evaluation 1 1
  expect_status 0
  driver_command
  grep -qxF "${DRIVER[*]:1} --check; SIGIL_RUSTC=/some/rustc" "$TEST_HOME/calls"
  run as_program run_step evaluation 1 1
  expect_output skipped
  for change in NUM_SAMPLES=3 SANDBOX_MODE=none STRICT=1 ACCEPTED_DEVIATIONS=all CUDA_VISIBLE_DEVICES=1; do
    # shellcheck disable=SC2163  # it is an assignment
    (export "$change" && [ "$(as_program evaluation_probe | tail -n 1)" = 'the driver has not checked this run yet' ])
  done
  run as_program evaluation_probe
  expect_status 0
  for file in deviations.tsv models.tsv rust.stamp; do
    echo "$file" >"$STATE_DIR/$file"
    run as_program evaluation_probe
    expect_status 1
    as_program run_step evaluation 1 1
  done
}

@test "sigil-eval can be called from any shell, and finds what was provisioned" {
  driver_for_checks
  printf '#!/bin/sh\necho "called: $*"\n' >"$VENV_DIR/bin/python"
  as_program evaluation_apply
  PYTHONPATH=/x run "$HOME/.local/bin/sigil-eval" score 'a b'
  expect_status 0
  [ "$output" = "called: -I $VENV_DIR/bin/sigil-eval score a b" ]
  for line in rustc=/some/rustc "crates=$(crates_dir)" "state_dir=$STATE_DIR" "checkout=$ROOT"; do
    grep -qxF "$line" "$VENV_DIR/sigilderg.env"
  done
  [ "$(cut -f1,2 "$STATE_DIR/made.tsv")" = $'link\t'"$HOME/.local/bin/sigil-eval" ]
}

@test "the command is made anew where it, its link or what it finds is gone or differs" {
  driver_for_checks
  for spoil in 'rm $STATE_DIR/bin/sigil-eval' 'chmod -x $STATE_DIR/bin/sigil-eval' 'echo >$STATE_DIR/bin/sigil-eval' \
    'rm $HOME/.local/bin/sigil-eval' 'rm $VENV_DIR/sigilderg.env' 'echo /other/rustc >$STATE_DIR/rust.path'; do
    as_program run_step evaluation 1 1
    run as_program run_step evaluation 1 1
    expect_output skipped
    eval "$spoil"
    run as_program evaluation_probe
    expect_status 1
    expect_output anew
  done
}

@test "a sigil-eval of somebody else's stays where it is" {
  driver_for_checks
  mkdir -p "$HOME/.local/bin"
  for theirs in 'echo mine >' 'ln -sfn /elsewhere/bin/sigil-eval'; do
    eval "$theirs $HOME/.local/bin/sigil-eval"
    before=$(ls -l "$HOME/.local/bin")
    as_program run_step evaluation 1 1
    [ "$(ls -l "$HOME/.local/bin")" = "$before" ]
    grep -q 'is not ours, and is left' "$STATE_DIR/logs/evaluation.log"
    [ -z "$(made_here link)" ]
    run as_program run_step evaluation 1 1
    expect_output skipped
  done
}

@test "the optional tools: looked for once, and again while gh could be had" {
  command_stub apt-cache <<<'echo "gh: 2.4"'
  printf '#!/bin/sh\n' >"$VENV_DIR/bin/hf"
  chmod +x "$VENV_DIR/bin/hf"
  GH_IS_MISSING=1
  command() { [[ $* == '-v gh' ]] && return "$GH_IS_MISSING" || builtin command "$@"; }
  cli_tools_apply() { :; }
  run as_program run_step cli_tools 1 1
  expect_status 0
  [ ! -e "$STATE_DIR/cli_tools.stamp" ]
  run as_program cli_tools_probe
  expect_status 1
  GH_IS_MISSING=0
  as_program run_step cli_tools 1 1
  run as_program run_step cli_tools 1 1
  expect_output skipped
  rm "$VENV_DIR/bin/hf"
  run as_program cli_tools_verify
  expect_status 1
}

@test "an environment whose packages do not import fails the verification" {
  run as_program venv_verify
  expect_status 0
  printf '#!/bin/sh\nexit 1\n' >"$VENV_DIR/bin/python"
  run as_program venv_verify
  expect_status 1
}

@test "the package itself has to start before the ecosystem counts as proved" {
  echo /some/python >"$STATE_DIR/python.path"
  printf '#!/bin/sh\nexit "${CODE:-0}"\n' >"$VENV_DIR/bin/sigil-eval"
  chmod +x "$VENV_DIR/bin/sigil-eval"
  CODE=1 run as_program sigilderg_verify
  expect_status 1
  run as_program sigilderg_probe
  expect_status 1
  as_program sigilderg_verify
  run as_program sigilderg_probe
  expect_status 0
}

@test "models are carried with the token that the hub's client would take, which is in no argument list" {
  command_stub python3 <<<"echo \"\$*; \$HF_TOKEN\" >$TEST_HOME/carried"
  unset HF_HOME XDG_CACHE_HOME HF_TOKEN_PATH
  mkdir -p "$HOME/.cache/huggingface"
  for content in '' $' hf_in_file\r\n'; do
    printf '%s' "$content" >"$HOME/.cache/huggingface/token"
    as_program carry_models "$TEST_HOME/models"
    [ "$(cat "$TEST_HOME/carried")" = "$ROOT/lib/python/carry_models.py $TEST_HOME/models org/base org/tuned/final; ${content:1:10}" ]
  done
}
