"""Prove that vLLM draws here what it should: its answers are compared with those of the engine hf.

Usage: prove_vllm.py VLLM_PYTHON cpu|cuda
"""

from __future__ import annotations

import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"
sys.path.insert(0, str(SOURCES))

from sigil_eval.errors import SigilEvalError  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.protocol import ModelSpec  # noqa: E402
from sigil_eval.generation.vllm_proof import prove_vllm  # noqa: E402
from sigil_eval.provisioned import checkout  # noqa: E402


def main() -> int:
    """Prove it; 0, or 1 where something is wrong."""
    python, device = sys.argv[1:]
    models = checkout() / "demo" / "models"
    try:
        model = resolve_model(ModelSpec(str(models / "base"), str(models / "adapter")))
        print(prove_vllm(Path(python), model, choose_hardware(device, "auto", attention="sdpa")))
    except SigilEvalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
