# shellcheck shell=bash
# The evaluation driver: that it will do, with which arguments, and in which environment.

evaluation_describe() { say 'the command sigil-eval; and this very run, checked beforehand by the driver'; }

evaluation_probe() {
  if [[ ! -x $VENV_DIR/bin/sigil-eval ]]; then
    say 'sigil-eval is not installed yet'
    return 1
  fi
  if ! sigil_eval_is_made; then
    say 'the command sigil-eval is yet to be made, or to be made anew'
    return 1
  fi
  if ! stamped "$STATE_DIR/evaluation.stamp" "$(evaluation_key)"; then
    say 'the driver has not checked this run yet'
    return 1
  fi
  say "$(sigil_eval_path) is there, and the driver has checked this run"
}

# Where sigil-pipeline asks for crates, of which the first is named. A folder of data may be there already.
evaluation_needs() {
  local crate
  ((LOOP)) || return 0
  crate=$(sed -nE '/^[[:space:]]*([a-z0-9_-]+@[^[:space:]#]+).*/{s//\1/p;q}' "$CRATES")
  [[ -z $crate ]] || needs_answer fails curl "https://static.crates.io/crates/${crate%@*}/${crate/@/-}.crate"
}

evaluation_apply() { make_sigil_eval; }

# What is proved is the call that is going to be made, all but what costs time.
evaluation_verify() {
  "$(sigil_eval_path)" --version
  driver_command
  scoring_environment "${DRIVER[@]}" --check
  stamp "$STATE_DIR/evaluation.stamp" "$(evaluation_key)"
}

# What that check depends on. A machine that was restarted may have come up without its GPU.
evaluation_key() {
  driver_command
  {
    printf '%s\n' "${DRIVER[@]}" "$(venv_key)" "$(provisioned_values)" "$(boot_id)" "${CUDA_VISIBLE_DEVICES-all}"
    cat "$STATE_DIR"/{deviations.tsv,models.tsv,rust.stamp,sandbox.stamp} "$VLLM_VENV_DIR/$VLLM_PROVED" "$CRATES" \
      "$TRAIN_CONFIG" 2>/dev/null || true
    find "$ROOT/src" "$ROOT/scripts" -name '*.py' -printf '%p %s %T@\n' | LC_ALL=C sort
  } | sha256sum
}

# Runs a command with what the scorer needs to know about this machine: the check as the run. What fetches
# crates goes by the system's certificates, as uv does: a company network may have its own.
scoring_environment() {
  REQUESTS_CA_BUNDLE=${REQUESTS_CA_BUNDLE:-${CURL_CA_BUNDLE:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}} \
    SIGIL_RUSTC=$(rustc_path) SIGIL_CRATES_DIR=$(crates_dir) SIGIL_SANDBOX_USER=$SANDBOX_USER \
    SIGIL_VLLM_PYTHON=$VLLM_VENV_DIR/bin/python PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 "$@"
}

# What the driver does, for those who ask how far it is.
driver_does() { if ((LOOP)); then printf 'the loop'; else printf 'the evaluation'; fi; }

# The driver's command line, one word a line of the array DRIVER.
driver_command() {
  local swept
  read -ra swept <<<"$CHECKPOINTS"
  DRIVER=("$VENV_DIR/bin/python" "$ROOT/scripts/evaluate_humaneval.py")
  if ((LOOP)); then
    DRIVER+=(loop "$CRATES" "$TRAIN_CONFIG" --val-share "$VAL_SHARE" --most-too-long "$MOST_TOO_LONG")
    [[ -z $WRITER_URL ]] || DRIVER+=(--writer-url "$WRITER_URL" --writer-model "$WRITER_MODEL")
  elif ((${#swept[@]})); then
    DRIVER+=(sweep "${swept[@]}" --base-model "$BASE_MODEL")
  else
    DRIVER+=(--checkpoint-path "$CHECKPOINT_PATH" --base-model "$BASE_MODEL")
  fi
  DRIVER+=(--num-samples "$NUM_SAMPLES" --k-values "$K_VALUES" --seed "$SEED"
    --sandbox-mode "$SANDBOX_MODE" --price-per-hour "$PRICE_PER_HOUR"
    --output-dir "$OUTPUT_DIR" --provision-state "$STATE_DIR" --accepted-deviations "$ACCEPTED_DEVIATIONS")
  [[ -z $DATASET_CHECK ]] || DRIVER+=(--dataset-check "$DATASET_CHECK")
  [[ -z $HEADLINE ]] || DRIVER+=(--headline "$HEADLINE")
  [[ $ENGINE == auto ]] || DRIVER+=(--engine "$ENGINE")
  [[ -z $BATCH_SIZE ]] || DRIVER+=(--batch-size "$BATCH_SIZE")
  [[ -z $N_WORKERS ]] || DRIVER+=(--n-workers "$N_WORKERS")
  if [[ $SANDBOX_MODE == none ]]; then DRIVER+=(--allow-no-sandbox); fi # confirm_no_sandbox has asked
  if ((DEMO)); then DRIVER+=(--demo); fi
  if ((STRICT)); then DRIVER+=(--strict); else DRIVER+=(--no-strict); fi
}
