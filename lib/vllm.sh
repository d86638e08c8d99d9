# shellcheck shell=bash
# vLLM in an environment of its own, for `--engine vllm`: its requirements contradict the evaluation's.
# Nothing else needs it.

VLLM_LOCK=$ROOT/requirements/vllm.lock

vllm_describe() { say 'vLLM in an environment of its own, for --engine vllm'; }

vllm_probe() {
  if ! stamped "$VLLM_VENV_DIR/$VENV_MARKER" "$(vllm_key)"; then
    say 'not there, unfinished, or made from other requirements'
    return 1
  fi
  say "vLLM as locked, in $VLLM_VENV_DIR; SIGIL_VLLM_PYTHON=$VLLM_VENV_DIR/bin/python"
}

vllm_key() { printf '%s %s' "$(sha256_of "$VLLM_LOCK")" "$(python_path)"; }

vllm_apply() { fill_environment "$VLLM_VENV_DIR" "$VLLM_LOCK"; }

vllm_verify() {
  "$VLLM_VENV_DIR/bin/python" -c 'import vllm'
  stamp "$VLLM_VENV_DIR/$VENV_MARKER" "$(vllm_key)"
}
