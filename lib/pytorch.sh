# shellcheck shell=bash
# PyTorch, which the lock installed, and flash-attn, which only a CUDA machine can use.

PYTORCH_STAMP=.sigilderg-pytorch # in the environment, so that a rebuilt one is proved again

pytorch_describe() { say "PyTorch $TORCH_VERSION; on a CUDA machine also flash-attn $FLASH_ATTN_VERSION"; }

pytorch_key() { printf '%s %s %s' "$(venv_key)" "$FLASH_ATTN_VERSION" "$(nvidia_gpus)"; }

pytorch_probe() {
  if ! stamped "$VENV_DIR/$PYTORCH_STAMP" "$(pytorch_key)"; then
    say 'not proved in this environment'
    return 1
  fi
  say "PyTorch $TORCH_VERSION computed a product here"
}

pytorch_needs() { if has_gpu; then need fails curl "$FLASH_ATTN_URL/$FLASH_ATTN_WHEEL"; fi; }

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
  "$VENV_DIR/bin/python" - "$TORCH_VERSION" "$(has_gpu && echo cuda || echo cpu)" <<'PYTHON'
import sys

import torch

expected, device = sys.argv[1:]
version = torch.__version__.split("+")[0]
assert version == expected, f"PyTorch is {version}, expected {expected}"
if device == "cuda":
    assert torch.cuda.is_available(), "nvidia-smi sees a GPU that PyTorch does not"
ones = torch.ones(8, 8, device=device)
assert float((ones @ ones).sum()) == 512.0
PYTHON
  stamp "$VENV_DIR/$PYTORCH_STAMP" "$(pytorch_key)"
}

# "undefined symbol" here means that the wheel was made for another PyTorch.
flash_attn_works() {
  "$VENV_DIR/bin/python" -c "import flash_attn; assert flash_attn.__version__ == '$FLASH_ATTN_VERSION'"
}

install_flash_attn_wheel() {
  local wheel=$STATE_DIR/cache/$FLASH_ATTN_WHEEL
  fetch "$FLASH_ATTN_URL/$FLASH_ATTN_WHEEL" "$FLASH_ATTN_SHA256" "$wheel" &&
    uv_pip_install "$wheel" && flash_attn_works
}

# A compile job of flash-attn takes about 8 GB.
build_flash_attn() {
  local jobs requirement=$STATE_DIR/cache/flash-attn.txt
  if ! command -v nvcc >/dev/null || ! command -v ninja >/dev/null; then
    say 'flash-attn is not built from source: that needs nvcc and ninja'
    return 1
  fi
  jobs=$(awk '/^MemAvailable:/ {n = int($2 / 8388608); print (n > 1 ? n : 1)}' /proc/meminfo)
  printf 'flash-attn==%s --hash=sha256:%s\n' "$FLASH_ATTN_VERSION" "$FLASH_ATTN_SOURCE_SHA256" >"$requirement"
  use_pip_index
  MAX_JOBS=$jobs timeout "${FLASH_ATTN_BUILD_MINUTES}m" "$STATE_DIR/bootstrap/bin/uv" pip install -p "$VENV_DIR" \
    --no-deps --no-build-isolation --require-hashes -r "$requirement"
}
