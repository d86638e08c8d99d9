"""What flash attention's path through transformers and the engine does, computed by a CPU.

In a process of its own, because libraries look for a GPU only once. flash-attn is the stand-in of
tests/stand_ins, and transformers is told that there is a GPU; nothing of this package is. Kernels
with each of FAULTS are tried, and then the whole path with one that is right.
"""

# ruff: noqa: E402 - what is imported finds what the lines above have changed
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "stand_ins" / "flash_attn")]

import torch
import transformers.utils.import_utils

transformers.utils.import_utils.is_torch_cuda_available = lambda: True

import flash_attn

from sigil_eval.errors import PreflightError
from sigil_eval.generation import attention
from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.loading import load_tokenizer
from sigil_eval.generation.models import resolve_model
from sigil_eval.generation.pool import load_model
from sigil_eval.generation.proof import prove_engine
from sigil_eval.generation.protocol import (
    EngineInfo,
    ModelSpec,
    Request,
    Sample,
    SamplingParams,
)
from sigil_eval.generation.static import HFStaticEngine

BASE = resolve_model(ModelSpec(str(ROOT / "demo/models/base")))
TUNED = resolve_model(ModelSpec(str(ROOT / "demo/models/base"), str(ROOT / "demo/models/adapter")))
FLASH = EngineInfo("cpu", "bfloat16", attention.FLASH)
PROMPTS = [f"fn count(text: &str) -> usize {{\n{'    // lines\n' * n}" for n in (0, 3, 9)]

Kernel = Callable[..., torch.Tensor]


def ignores_lengths(kernel: Kernel) -> Kernel:
    return lambda q, k, v, cache_seqlens, **more: kernel(q, k, v, **more)


def reads_too_little(kernel: Kernel) -> Kernel:
    return lambda q, k, v, cache_seqlens, **more: kernel(
        q, k, v, cache_seqlens=(cache_seqlens - 1).clamp_(min=1), **more
    )


def reads_too_much(kernel: Kernel) -> Kernel:
    return lambda q, k, v, cache_seqlens, **more: kernel(
        q, k, v, cache_seqlens=cache_seqlens + 1, **more
    )


def rounds_otherwise(kernel: Kernel) -> Kernel:
    """As a right kernel may: the last bit of every value is another."""

    def rounded(*args: Any, **more: Any) -> torch.Tensor:
        found = kernel(*args, **more)
        return (found.float() * (1 + torch.finfo(found.dtype).eps)).to(found.dtype)

    return rounded


FAULTS = {
    "ignores lengths": ignores_lengths,
    "reads too little": reads_too_little,
    "reads too much": reads_too_much,
    "rounds otherwise": rounds_otherwise,
}


def drawn(engine: HFEngine | HFStaticEngine) -> list[str]:
    """Samples of the prompts."""
    samples: list[Sample] = []
    requests = [
        Request(f"task/{i}", sample, prompt, prompt, 50 + 3 * sample + i)
        for i, prompt in enumerate(PROMPTS)
        for sample in range(3)
    ]
    engine.generate(requests, samples.append)
    samples.sort(key=lambda sample: (sample.task_id, sample.sample_index))
    return [sample.completion for sample in samples]


def main() -> None:
    loaded, tokenizer = load_model(TUNED, FLASH), load_tokenizer(TUNED)
    params = SamplingParams(temperature=0.3, max_new_tokens=24)

    def answers() -> list[str]:
        return drawn(HFEngine(loaded, tokenizer, params, FLASH, batch_size=4))

    oracle = drawn(HFStaticEngine(loaded, tokenizer, params, FLASH, batch_size=1))
    right = flash_attn.flash_attn_with_kvcache
    for name, fault in FAULTS.items():
        flash_attn.flash_attn_with_kvcache = fault(right)
        try:
            print(f"{name}: {len(answers())} samples")
        except PreflightError as error:
            print(f"{name}: {error}")
    flash_attn.flash_attn_with_kvcache = right
    attention.check_attention_to_slots("cpu", torch.bfloat16)
    attention.check_attention_to_slots("cpu", torch.float16, heads=4, key_heads=4, size=64)
    print("the kernel is right")
    for model in (BASE, TUNED):
        print(prove_engine(model, FLASH))
    same = sum(map(str.__eq__, answers(), oracle))
    print(f"{same} of {len(oracle)} samples are the oracle's")
    print(f"afterwards: {loaded.config._attn_implementation}")


if __name__ == "__main__":
    main()
