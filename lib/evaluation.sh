# shellcheck shell=bash
# The evaluation driver: that it starts, with which arguments, and in which environment.

evaluation_describe() { say 'the evaluation driver, started once with --version'; }

evaluation_probe() {
  local version
  [[ -x $VENV_DIR/bin/sigil-eval ]] || {
    say 'sigil-eval is not installed yet'
    return 1
  }
  version=$(scoring_environment "$VENV_DIR/bin/sigil-eval" --version)
  say "$version starts"
}

evaluation_apply() { :; }

evaluation_verify() { evaluation_probe; }

# Runs a command with what the scorer needs to know about this machine.
scoring_environment() {
  SIGIL_RUSTC=$(rustc_path) SIGIL_CRATES_DIR=$(crates_dir) SIGIL_SANDBOX_USER=$SANDBOX_USER "$@"
}

# The driver's command line, one word a line of the array DRIVER.
driver_command() {
  DRIVER=("$VENV_DIR/bin/python" "$ROOT/scripts/evaluate_humaneval.py"
    --base-model "$BASE_MODEL" --checkpoint-path "$CHECKPOINT_PATH"
    --num-samples "$NUM_SAMPLES" --k-values "$K_VALUES" --seed "$SEED"
    --sandbox-mode "$SANDBOX_MODE" --price-per-hour "$PRICE_PER_HOUR"
    --output-dir "$OUTPUT_DIR" --provision-state "$STATE_DIR")
  [[ -z $BATCH_SIZE ]] || DRIVER+=(--batch-size "$BATCH_SIZE")
  [[ -z $N_WORKERS ]] || DRIVER+=(--n-workers "$N_WORKERS")
  if ((DEMO)); then DRIVER+=(--demo); fi
  if ((STRICT)); then DRIVER+=(--strict); else DRIVER+=(--no-strict); fi
}

# Variables that the evaluation takes over from the shell that starts it. A tmux server that runs
# already has its own environment, and `tmux -e` would show a token to everyone.
PASSED_ON=(PATH HOME LANG LC_ALL TMPDIR NO_COLOR SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CUDA_VISIBLE_DEVICES
  HF_TOKEN HF_TOKEN_PATH HF_HOME HF_HUB_CACHE XDG_CACHE_HOME HF_ENDPOINT HF_HUB_OFFLINE http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY)

# Writes the file that the session reads and deletes: 0600, because HF_TOKEN may be in it.
write_session_file() {
  local file=$1 name
  rm -f "$file"
  (
    umask 077
    {
      for name in "${PASSED_ON[@]}"; do
        [[ -z ${!name+set} ]] || printf 'export %s=%q\n' "$name" "${!name}"
      done
      printf 'export SIGIL_RUSTC=%q SIGIL_CRATES_DIR=%q SIGIL_SANDBOX_USER=%q PYTHONUNBUFFERED=1\n' \
        "$(rustc_path)" "$(crates_dir)" "$SANDBOX_USER"
      printf 'export SIGIL_VLLM_PYTHON=%q\n' "$VLLM_VENV_DIR/bin/python"
      driver_command
      printf 'OUTPUT_DIR=%q\n' "$OUTPUT_DIR"
      printf 'DRIVER=('
      printf '%q ' "${DRIVER[@]}"
      printf ')\n'
    } >"$file"
  )
}
