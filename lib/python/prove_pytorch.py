"""Prove that PyTorch does here what generation asks of it, by generating: a prompt is read and
answers are drawn by the engine hf, and every logit is compared with plain attention's.

Usage: prove_pytorch.py VERSION cpu|cuda auto|sdpa|flash_attention_2
"""

from __future__ import annotations

import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"
sys.path.insert(0, str(SOURCES))  # the package is installed by a later step

import torch  # noqa: E402

from sigil_eval.errors import SigilEvalError  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.proof import prove_engine  # noqa: E402
from sigil_eval.generation.protocol import ModelSpec  # noqa: E402
from sigil_eval.provisioned import checkout  # noqa: E402


def main() -> int:
    """Prove it; 0, or the exit code of what is wrong."""
    expected, device, attention = sys.argv[1:]
    version = torch.__version__.split("+")[0]
    if version != expected:
        print(f"PyTorch is {version}, expected {expected}", file=sys.stderr)
        return 1
    if device == "cuda" and not torch.cuda.is_available():
        print("nvidia-smi sees a GPU that PyTorch does not", file=sys.stderr)
        return 1
    try:
        info = choose_hardware(device, "auto", attention=attention)
        model = resolve_model(ModelSpec(str(checkout() / "demo" / "models" / "base")))
        print(prove_engine(model, info))
    except SigilEvalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
