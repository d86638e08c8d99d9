#!/usr/bin/env python3
"""Whether hf is right on this machine's device; run it before compare.py.

With the demo's two models, which need no download: the engine against plain attention in float32,
and against generate(), in float32 and in half precision, with the adapter merged and beside the
weights; the noise of the device against the CPU's; memory that runs out; and how many answers fit
for a second model. On a CPU it checks what a CPU has.

    python benchmarks/generation/check.py
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

import torch

from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.engines import EngineOptions
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.loading import load_tokenizer
from sigil_eval.generation.memory import fitting
from sigil_eval.generation.models import resolve_model
from sigil_eval.generation.pool import ModelPool, load_model
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.proof import prove_engine
from sigil_eval.generation.protocol import ModelSpec, Request, Sample, SamplingParams
from sigil_eval.generation.sampling import gumbel_noise, next_tokens
from sigil_eval.generation.static import HFStaticEngine
from sigil_eval.problems import load_problem_set

MODELS = Path(__file__).resolve().parents[2] / "demo" / "models"
BASE = resolve_model(ModelSpec(str(MODELS / "base")))
TUNED = resolve_model(ModelSpec(str(MODELS / "base"), str(MODELS / "adapter")))
PARAMS = SamplingParams(temperature=0.8, max_new_tokens=96)
KINDS = (("base", BASE, True), ("merged", TUNED, True), ("unmerged", TUNED, False))

# Of the samples, how many have to be the same in two ways of computing. In half precision two right
# ways round otherwise, and one token that differs makes another sample.
SAME = {"float32": 0.97, "bfloat16": 0.6}

Finding = tuple[bool, str]


def main() -> int:
    """Make every check; 1 if one of them fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    checks = [engine_is_right, engine_is_the_oracle, noise_is_the_same]
    more = [memory_runs_out, second_model_fits]
    names = [check.__name__ for check in (*checks, *more)]
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    device = choose_hardware(options.device, "float32").device
    if device.startswith("cuda"):
        checks += more
        print(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}")
    failed = 0
    for check in (check for check in checks if check.__name__ in options.only):
        began = time.monotonic()
        for right, words in check(device):
            print(f"{'ok' if right else 'FAILED':6} {words}", flush=True)
            failed += not right
        print(f"       {check.__name__}: {time.monotonic() - began:.0f} s")
    return int(failed > 0)


def precisions(device: str) -> tuple[str, ...]:
    """Those that a check is made in."""
    return ("float32", "bfloat16") if device.startswith("cuda") else ("float32",)


def engine_is_right(device: str) -> Iterator[Finding]:
    """Each logits that the engine draws from, against plain attention in float32."""
    for dtype in precisions(device):
        for name, model, merge in KINDS:
            info = choose_hardware(device, dtype, merge=merge)
            for attention in sorted({"sdpa", info.attention}):
                yield True, f"{name}: {prove_engine(model, replace(info, attention=attention))}"


def requests(samples: int = 2) -> list[Request]:
    """Every fourth problem, some samples of each."""
    return [
        Request(p.task_id, i, p.prompt, p.prompt, sample_key(1, "model", p.task_id, i))
        for p in load_problem_set("humaneval-rust").problems[::4]
        for i in range(samples)
    ]


def drawn(engine: HFEngine | HFStaticEngine, samples: int = 2) -> dict[tuple[str, int], str]:
    """The text of every sample."""
    found: list[Sample] = []
    engine.generate(requests(samples), found.append)
    return {(sample.task_id, sample.sample_index): sample.completion for sample in found}


def engine_is_the_oracle(device: str) -> Iterator[Finding]:
    """The engine's samples, against those of generate() with the same noise."""
    for dtype in precisions(device):
        for name, model, merge in KINDS:
            info = choose_hardware(device, dtype, merge=merge)
            loaded, tokenizer = load_model(model, info), load_tokenizer(model)
            expected = drawn(HFStaticEngine(loaded, tokenizer, PARAMS, info, batch_size=32))
            for size in (7, 64):
                found = drawn(HFEngine(loaded, tokenizer, PARAMS, info, batch_size=size))
                yield compared(found, expected, dtype, f"{name}, {dtype}, batch {size}, oracle")


def compared(
    found: dict[tuple[str, int], str], expected: dict[tuple[str, int], str], dtype: str, what: str
) -> Finding:
    """How many samples are the same."""
    same = sum(found[key] == text for key, text in expected.items())
    right = found.keys() == expected.keys() and same >= SAME[dtype] * len(expected)
    return right, f"{what}: {same} of {len(expected)} samples are the same"


def noise_is_the_same(device: str) -> Iterator[Finding]:
    """The device's noise and choices, against the CPU's."""
    draw = torch.Generator().manual_seed(3)
    keys = torch.randint(-(2**63), 2**63 - 1, (512,), generator=draw)
    positions = torch.randint(0, 512, (512,), generator=draw)
    tokens = torch.randint(0, 128256, (512, 64), generator=draw)
    here = gumbel_noise(keys, positions, tokens)
    there = gumbel_noise(keys.to(device), positions.to(device), tokens.to(device)).cpu()
    furthest = float((here - there).abs().max())
    yield furthest < 1e-12, f"noise differs by {furthest:.1e} at most"
    logits = torch.randn(512, 128256, generator=draw) * 4
    params = SamplingParams(temperature=0.8)
    here = next_tokens(logits, keys, positions, params)
    there = next_tokens(logits.to(device), keys.to(device), positions.to(device), params).cpu()
    same = int((here == there).sum())
    yield same == len(keys), f"{same} of {len(keys)} tokens drawn are the same"


def memory_runs_out(device: str) -> Iterator[Finding]:
    """An allocator that may have little: the engine halves its batch, and draws the same."""
    info = choose_hardware(device, "float32")
    loaded, tokenizer = load_model(BASE, info), load_tokenizer(BASE)
    expected = drawn(HFEngine(loaded, tokenizer, PARAMS, info, batch_size=64), samples=13)
    torch.cuda.empty_cache()
    engine = HFEngine(loaded, tokenizer, PARAMS, info, batch_size=512)
    torch.cuda.set_per_process_memory_fraction(
        (torch.cuda.memory_reserved(device) + (96 << 20))
        / torch.cuda.get_device_properties(device).total_memory
    )
    try:
        found = drawn(engine, samples=13)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    yield engine.batch_size < 512, f"out of memory: the batch went from 512 to {engine.batch_size}"
    yield compared(found, expected, "float32", "after running out of memory")


def second_model_fits(device: str) -> Iterator[Finding]:
    """As many slots for a second model as for the first, though the first has used its own."""
    info, models = choose_hardware(device, "bfloat16"), ModelPool()
    slots, kept = [], []
    for model in (BASE, TUNED):
        slots.append(fitting(models.borrow(model, info), 1024, device) or 0)
        torch.cuda.reset_peak_memory_stats(device)
        prepared = Prepared(
            "model", "completion", model.revisions, model=model, tokenizer=load_tokenizer(model)
        )
        options = EngineOptions(batch_size=512)
        with options.kind.start(prepared, PARAMS, options, info, models) as engine:
            engine.generate(requests(samples=13), lambda sample: None)
        kept.append(torch.cuda.memory_reserved(device) / torch.cuda.max_memory_reserved(device))
    yield 0.98 * slots[0] < slots[1], f"slots of the first and the second model: {slots}"
    yield max(kept) < 0.5, f"kept of a model's memory when it is done: {100 * max(kept):.0f} %"


if __name__ == "__main__":
    sys.exit(main())
