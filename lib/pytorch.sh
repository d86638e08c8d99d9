# shellcheck shell=bash
# PyTorch, which the lock installed, and flash-attn, which only a CUDA machine can use.

PYTORCH_STAMP=.sigilderg-pytorch # in the environment, so that a rebuilt one is proved again

pytorch_describe() { say "PyTorch $TORCH_VERSION; on a CUDA machine also flash-attn $FLASH_ATTN_VERSION"; }

pytorch_key() { printf '%s %s %s %s' "$(venv_key)" "$FLASH_ATTN_VERSION" "$(nvidia_gpus)" "$(sha256_of "$ROOT/lib/python/prove_pytorch.py")"; }

pytorch_probe() {
  if ! stamped "$VENV_DIR/$PYTORCH_STAMP" "$(pytorch_key)"; then
    say 'not proved in this environment'
    return 1
  fi
  say "PyTorch $TORCH_VERSION generated here as it should"
}

pytorch_needs() { if has_gpu; then needs_answer fails curl "$FLASH_ATTN_URL/$FLASH_ATTN_WHEEL"; fi; }

pytorch_apply() {
  if ! has_gpu; then
    deviation pytorch.flash-attn "flash-attn $FLASH_ATTN_VERSION" 'sdpa on the CPU' \
      'attention is computed by PyTorch itself; numbers may differ in the last bits'
    return 0
  fi
  flash_attn_works || install_flash_attn_wheel || build_flash_attn || true
  flash_attn_works || deviation pytorch.flash-attn "flash-attn $FLASH_ATTN_VERSION" 'sdpa' \
    'attention is computed by PyTorch itself: slower, and numbers may differ in the last bits'
}

pytorch_verify() {
  prove_pytorch auto
  stamp "$VENV_DIR/$PYTORCH_STAMP" "$(pytorch_key)"
}

# The calls that generation makes, not an import: "undefined symbol" only shows when the kernel is
# loaded, a missing einops only when transformers asks for it.
prove_pytorch() {
  "$VENV_DIR/bin/python" -I "$ROOT/lib/python/prove_pytorch.py" "$TORCH_VERSION" "$(has_gpu && echo cuda || echo cpu)" "$1"
}

flash_attn_works() {
  [[ $(flash_attn_version) == "$FLASH_ATTN_VERSION" ]] && prove_pytorch flash_attention_2
}

flash_attn_version() {
  "$VENV_DIR/bin/python" -I -c 'from importlib.metadata import version; print(version("flash-attn"))' 2>/dev/null
}

install_flash_attn_wheel() {
  local wheel=$STATE_DIR/cache/$FLASH_ATTN_WHEEL
  fetch "$FLASH_ATTN_URL/$FLASH_ATTN_WHEEL" "$FLASH_ATTN_SHA256" "$wheel" &&
    uv_pip_install "$wheel" && flash_attn_works
}

# From the hashed source, with the environment's own ninja and wheel: without FORCE_BUILD its setup.py
# would take a wheel from wherever it finds one, unchecked. A compile job takes about 8 GB.
build_flash_attn() {
  local jobs requirement=$STATE_DIR/cache/flash-attn.txt
  if ! command -v nvcc >/dev/null; then
    say 'flash-attn is not built from source: that needs nvcc'
    return 1
  fi
  jobs=$(awk '/^MemAvailable:/ {n = int($2 / 8388608); print (n > 1 ? n : 1)}' /proc/meminfo)
  printf 'flash-attn==%s --hash=sha256:%s\n' "$FLASH_ATTN_VERSION" "$FLASH_ATTN_SOURCE_SHA256" >"$requirement"
  use_uv_settings "$STATE_DIR/bootstrap/bin/python"
  PATH=$VENV_DIR/bin:$PATH MAX_JOBS=$jobs FLASH_ATTENTION_FORCE_BUILD=TRUE timeout "${FLASH_ATTN_BUILD_MINUTES}m" \
    "$STATE_DIR/bootstrap/bin/uv" pip install -p "$VENV_DIR" --no-deps --no-build-isolation --require-hashes -r "$requirement"
}
