#!/usr/bin/env python3
"""Output tokens per second of each way to generate, on the same model and the same requests.

    static     the earlier package's way: generate() on left-padded batches of 32, up to 512 tokens
    hf-static  the oracle: generate() with content-keyed noise
    hf         this package's own loop
    cb         transformers' own continuous batching, with its own sampler and no early stop
    vllm       vLLM, where the set-up made it or SIGIL_VLLM_PYTHON names its interpreter
    vllm-same  vLLM with --batch-invariant, on a GPU

With a GPU the model has the shape of Llama-3.1-8B and random weights; answers get lengths as real
ones have, since random weights never end one. Without, it is the demo's base model, whose answers
end by themselves, on one thread; seconds are then those of the processor, so that other work on the
machine does not count; vLLM's are the clock's. Only tokens that belong to an answer are counted.

First it is checked that hf computes here what the model is (all of check.py says more). Then each
way has a process of its own, so that none finds the other's memory or compiled code, and ends after
--minutes. For vLLM the weights are saved in the folder of temporary files, 16 GB on a GPU. There,
those that take any batch are tried with 256 answers under way, which is comparable between cards,
and with as many as fit. What is to be reached on an H100: 15 times the earlier way, where static
comes first, and 60 % of the roofline with both batches.

    python benchmarks/generation/compare.py
    python benchmarks/generation/compare.py --model small --samples 1 --only static hf
    python benchmarks/generation/compare.py --unchecked --only vllm
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, and by its every thread

import torch
from contenders import CONTENDERS, IN_VLLM, SLOW, Setting, vllm_info
from roofline import Roofline
from shapes import SHAPES, random_model

from sigil_eval.errors import SigilEvalError
from sigil_eval.generation.engines.local import largest_batch
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.loading import load_base, load_tokenizer
from sigil_eval.generation.models import resolve_model
from sigil_eval.generation.protocol import ModelSpec, Request, SamplingParams
from sigil_eval.problems import load_problem_set

HERE = Path(__file__).resolve().parent
DEMO_BASE = HERE.parents[1] / "demo" / "models" / "base"
# Lengths of answers: log-normal, 150 tokens on average, up to the limit.
MEAN_TOKENS, SPREAD = 150, 0.6
# What those that are not slow are to reach.
LEAST_TIMES, LEAST_SHARE = 15, 0.6


def main() -> None:
    options = parse()
    if options.contender:
        contend(options)
        return
    if not options.unchecked:
        check = [sys.executable, str(HERE / "check.py"), "--device", options.device]
        if subprocess.run([*check, "--only", "engine_is_right"]).returncode:
            sys.exit("hf is not right here; its speed means nothing")
    first: float | None = None
    earlier = options.only[0] == "static"
    for name in options.only:
        for size in batch_sizes(name, options):
            found = in_a_process(name, size, options)
            if isinstance(found, str):
                print(f"{name:10} left out: {found}", flush=True)
                continue
            first = first or found["rate"]
            times, share = found["rate"] / first, found["share"]
            print(
                f"{name:10} {found['rate']:9.0f} tokens/s  {times:6.1f} x  "
                f"{100 * share:5.1f} % of the roofline at batch {found['batch']}  "
                f"({found['tokens']} tokens in {found['seconds']:.1f} s)"
                f"{'' if name in SLOW else goals(times if earlier else None, share)}",
                flush=True,
            )


def goals(times: float | None, share: float) -> str:
    """Whether a way is as fast as it should be on an H100: against the earlier way, where that was
    measured, and the roofline."""
    reached = {True: "reached", False: "missed"}
    of_times = "" if times is None else f"{LEAST_TIMES} x {reached[times >= LEAST_TIMES]}, "
    return f"  goals: {of_times}{100 * LEAST_SHARE:.0f} % {reached[share >= LEAST_SHARE]}"


def batch_sizes(name: str, options: argparse.Namespace) -> list[int | None]:
    """With how many answers under way a contender is tried; None is what fits."""
    if options.batch_size or not torch.cuda.is_available() or name in SLOW:
        return [options.batch_size]
    return [256, None]


def in_a_process(name: str, size: int | None, options: argparse.Namespace) -> dict[str, Any] | str:
    """What a contender reports, or why it does not; what it says besides is shown."""
    command = [sys.executable, __file__, "--contender", name, "--model", options.model]
    command += ["--samples", str(options.samples), "--device", options.device]
    command += ["--attention", options.attention, "--problems", str(options.problems)]
    command += ["--batch-size", str(size)] if size else []
    # The folder is this process's, so that it goes even when the other has to be killed.
    with tempfile.TemporaryDirectory() as folder:
        try:
            finished = subprocess.run(
                [*command, "--folder", folder],
                stdout=subprocess.PIPE,
                text=True,
                timeout=60 * options.minutes,
            )
        except subprocess.TimeoutExpired:
            return f"not done after {options.minutes:g} minutes"
    if finished.returncode:
        print(finished.stdout, end="", flush=True)
        return f"exit code {finished.returncode}"
    *said, last = finished.stdout.strip().split("\n")
    for line in said:
        print(line, flush=True)
    report: dict[str, Any] = json.loads(last)
    left_out: str | None = report.get("left out")
    return left_out or report


def contend(options: argparse.Namespace) -> None:
    """In a contender's own process: print, as the last line, what came of it."""
    try:
        report = measured(options)
    except SigilEvalError as error:
        report = {"left out": str(error)}
    print(json.dumps(report))


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """A contender's rate, and what of the roofline it is. Raises SigilEvalError."""
    if options.contender in IN_VLLM:
        # Why not is said before anything takes time.
        vllm_info(options.device, batch_invariant=IN_VLLM[options.contender])
    setting = prepare(options)
    total = len(setting.requests)
    print(f"{options.model}: {total} requests on {setting.info}, {where(setting.info.device)}")
    roofline = Roofline.measure(setting.model, setting.info.device)
    print(roofline)
    rate = CONTENDERS[options.contender](setting)
    possible = roofline.tokens_per_second(rate.batch_size, mean_context(setting))
    return {
        "rate": rate.per_second,
        "share": rate.per_second / possible,
        "batch": rate.batch_size,
        "tokens": rate.tokens,
        "seconds": rate.seconds,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    gpu = torch.cuda.is_available()
    parser.add_argument("--model", choices=(*SHAPES, "demo"), default="8b" if gpu else "demo")
    parser.add_argument("--samples", type=int, default=20 if gpu else 5, help="for each problem")
    parser.add_argument(
        "--batch-size", type=int, help="of hf, cb and both vllm (default: 256 and what fits)"
    )
    parser.add_argument(
        "--problems", type=int, default=164, help="the first so many (default: all)"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--attention", default="auto")
    parser.add_argument("--minutes", type=float, default=5.0, help="at most, for each (default: 5)")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--unchecked", action="store_true", help="it is known to be right here")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(options: argparse.Namespace) -> Setting:
    """The model on its device, and the requests."""
    info = choose_hardware(options.device, "auto", attention=options.attention)
    demo = resolve_model(ModelSpec(str(DEMO_BASE)))
    tokenizer = load_tokenizer(demo)
    real = options.model == "demo"
    model = load_base(demo.base, info) if real else random_model(options.model, info)
    params = SamplingParams(num_samples=options.samples)
    lengths = random.Random(1)
    scale = math.log(MEAN_TOKENS) - SPREAD**2 / 2

    def limit() -> int | None:
        drawn = round(lengths.lognormvariate(scale, SPREAD))
        return None if real else max(1, min(drawn, params.max_new_tokens))

    requests = [
        Request(p.task_id, i, p.prompt, p.prompt, sample_key(1, "model", p.task_id, i), limit())
        for p in load_problem_set("humaneval-rust").problems[: options.problems]
        for i in range(options.samples)
    ]
    size = options.batch_size or largest_batch(info)
    return Setting(model, tokenizer, info, params, requests, size, options.folder, not real)


def where(device: str) -> str:
    """The machine, for the record."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"{torch.get_num_threads()} threads, torch {torch.__version__}"


def mean_context(setting: Setting) -> float:
    """Tokens that a step reads for one answer, on average over its life."""
    prompts = [len(setting.tokenizer(r.prompt).input_ids) for r in setting.requests]
    return sum(prompts) / len(prompts) + MEAN_TOKENS / 2


if __name__ == "__main__":
    main()
