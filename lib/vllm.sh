# shellcheck shell=bash
# vLLM in an environment of its own: its requirements contradict the evaluation's. What it draws is
# compared with what PyTorch draws in the evaluation's environment; from then on `--engine auto` is vllm.

VLLM_LOCK=$ROOT/requirements/vllm.lock
VLLM_PROVED=.sigilderg-proved # sigil-eval looks for it, too: src/sigil_eval/generation/engines/vllm.py

vllm_describe() { say 'vLLM, in an environment of its own; it draws the same answers as PyTorch'; }

vllm_probe() {
  if ! stamped "$VLLM_VENV_DIR/$VLLM_PROVED" "$(vllm_key)"; then
    say 'not proved here'
    return 1
  fi
  say "vLLM drew here as it should; SIGIL_VLLM_PYTHON=$VLLM_VENV_DIR/bin/python"
}

vllm_packages() { printf '%s %s' "$(sha256_of "$VLLM_LOCK")" "$(python_path)"; }

vllm_key() {
  printf '%s %s %s %s' "$(vllm_packages)" "$(venv_key)" "$(nvidia_gpus)" "$(sha256_of "$ROOT/lib/python/prove_vllm.py")"
}

vllm_needs() { [[ -n ${PIP_NO_INDEX:-} ]] || needs_answer stop pip uv; }

vllm_apply() {
  has_gpu || die 3 'vLLM needs an NVIDIA GPU, and there is none here, or no driver for it. Leave WITH_VLLM out.'
  rm -f "$VLLM_VENV_DIR/$VLLM_PROVED"
  stamped "$VLLM_VENV_DIR/$VENV_MARKER" "$(vllm_packages)" && return 0
  fill_environment "$VLLM_VENV_DIR" "$VLLM_LOCK"
  stamp "$VLLM_VENV_DIR/$VENV_MARKER" "$(vllm_packages)"
}

vllm_verify() {
  "$VENV_DIR/bin/python" -I "$ROOT/lib/python/prove_vllm.py" "$VLLM_VENV_DIR/bin/python" cuda
  stamp "$VLLM_VENV_DIR/$VLLM_PROVED" "$(vllm_key)"
}
