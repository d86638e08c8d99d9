#!/usr/bin/env python3
"""Output tokens per second of each way to generate, on the same model and the same requests.

    static     the earlier package's way: generate() on left-padded batches of 32, up to 512 tokens
    hf-static  the oracle: generate() with content-keyed noise
    hf         the default engine
    cb         transformers' own continuous batching, with its own sampler and no early stop
    vllm       vLLM, where SIGIL_VLLM_PYTHON names its interpreter
    vllm-same  vLLM with --batch-invariant, on a GPU

With a GPU the model has the shape of Llama-3.1-8B and random weights; answers get lengths as real
ones have, since random weights never end one. Without, it is the demo's base model, whose answers
end by themselves, on one thread; seconds are then those of the processor, so that other work on the
machine does not count. Only tokens that belong to an answer are counted.

First it is checked that the default engine computes here what the model is (all of check.py says
more). Then each way has a process of its own, so that none finds the other's memory or compiled
code, and ends after --minutes. On a GPU those that take any batch are tried with 256 answers under
way, which is comparable between cards, and with as many as fit. What is to be reached on an H100:
15 times the earlier way, and 60 % of the roofline with both batches.

    python benchmarks/generation/compare.py
    python benchmarks/generation/compare.py --model small --samples 1 --only static hf
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
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, and by its every thread

import torch
from roofline import Roofline, clock_of
from shapes import SHAPES, random_model

from sigil_eval.errors import SigilEvalError
from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.engines.local import largest_batch
from sigil_eval.generation.engines.vllm import vllm_python
from sigil_eval.generation.hardware import choose_hardware
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.loading import load_base, load_tokenizer
from sigil_eval.generation.models import resolve_model
from sigil_eval.generation.protocol import EngineInfo, ModelSpec, Request, Sample, SamplingParams
from sigil_eval.generation.static import HFStaticEngine
from sigil_eval.generation.vllm_engine import VLLMEngine
from sigil_eval.problems import load_problem_set

HERE = Path(__file__).resolve().parent
DEMO_BASE = HERE.parents[1] / "demo" / "models" / "base"
# Lengths of answers: log-normal, 150 tokens on average, up to the limit.
MEAN_TOKENS, SPREAD = 150, 0.6
# Those that are there to be compared with, in batches of 32; and what the others are to reach.
SLOW = ("static", "hf-static")
LEAST_TIMES, LEAST_SHARE = 15, 0.6


@dataclass(frozen=True)
class Setting:
    """What every contender is given."""

    model: Any
    tokenizer: Any
    info: EngineInfo
    params: SamplingParams
    requests: list[Request]
    batch_size: int
    folder: Path
    random_weights: bool


@dataclass(frozen=True)
class Rate:
    """Tokens that belong to answers, the seconds they took, and of what size batches were."""

    tokens: int
    seconds: float
    batch_size: int

    @property
    def per_second(self) -> float:
        """Output tokens a second."""
        return self.tokens / self.seconds


def main() -> None:
    options = parse()
    if options.contender:
        contend(options)
        return
    if not options.unchecked:
        check = [sys.executable, str(HERE / "check.py"), "--device", options.device]
        if subprocess.run([*check, "--only", "engine_is_right"]).returncode:
            sys.exit("the default engine is not right here; its speed means nothing")
    first: float | None = None
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
                f"{'' if name in SLOW else goals(times, share)}",
                flush=True,
            )


def goals(times: float, share: float) -> str:
    """Whether a way is as fast as it should be on an H100: against the first, and the roofline."""
    reached = {True: "reached", False: "missed"}
    return (
        f"  goals: {LEAST_TIMES} x {reached[times >= LEAST_TIMES]}, "
        f"{100 * LEAST_SHARE:.0f} % {reached[share >= LEAST_SHARE]}"
    )


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
    try:
        finished = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=60 * options.minutes
        )
    except subprocess.TimeoutExpired:
        return f"not done after {options.minutes:g} minutes"
    *said, last = finished.stdout.strip().split("\n")
    if finished.returncode:
        return last or f"exit code {finished.returncode}"
    print("\n".join(said), flush=True)
    report: dict[str, Any] = json.loads(last)
    return report


def contend(options: argparse.Namespace) -> None:
    """In a contender's own process: measure it, and print what came of it as the last line."""
    with tempfile.TemporaryDirectory() as folder:
        setting = prepare(options, Path(folder))
        total = len(setting.requests)
        print(f"{options.model}: {total} requests on {setting.info}, {where(setting.info.device)}")
        roofline = Roofline.measure(setting.model, setting.info.device)
        print(roofline)
        try:
            rate = CONTENDERS[options.contender](setting)
        except SigilEvalError as error:
            sys.exit(print(error) or 1)
    possible = roofline.tokens_per_second(rate.batch_size, mean_context(setting))
    report = {
        "rate": rate.per_second,
        "share": rate.per_second / possible,
        "batch": rate.batch_size,
        "tokens": rate.tokens,
        "seconds": rate.seconds,
    }
    print(json.dumps(report))


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
    return parser.parse_args()


def prepare(options: argparse.Namespace, folder: Path) -> Setting:
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
    return Setting(model, tokenizer, info, params, requests, size, folder, not real)


def where(device: str) -> str:
    """The machine, for the record."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"{torch.get_num_threads()} threads, torch {torch.__version__}"


def timed(work: Callable[[], int], batch_size: int, device: str) -> Rate:
    """The rate of what returns a number of tokens."""
    cuda, clock = device.startswith("cuda"), clock_of(device)
    if cuda:
        torch.cuda.synchronize(device)
    began = clock()
    tokens = work()
    if cuda:
        torch.cuda.synchronize(device)
    return Rate(tokens, clock() - began, batch_size)


def mean_context(setting: Setting) -> float:
    """Tokens that a step reads for one answer, on average over its life."""
    prompts = [len(setting.tokenizer(r.prompt).input_ids) for r in setting.requests]
    return sum(prompts) / len(prompts) + MEAN_TOKENS / 2


def some(setting: Setting) -> list[Request]:
    """As many requests as slow contenders get: on a GPU, enough for a rate."""
    cuda = setting.info.device.startswith("cuda")
    return random.Random(2).sample(setting.requests, 128) if cuda else setting.requests


def static(setting: Setting) -> Rate:
    """The earlier package's way."""
    tokenizer, model = setting.tokenizer, setting.model
    tokenizer.padding_side = "left"

    @torch.inference_mode()
    def work() -> int:
        tokens, requests = 0, some(setting)
        for start in range(0, len(requests), 32):
            batch = requests[start : start + 32]
            inputs = tokenizer(
                [request.prompt for request in batch],
                return_tensors="pt",
                padding=True,
                return_token_type_ids=False,
            ).to(setting.info.device)
            limits = [request.max_new_tokens or setting.params.max_new_tokens for request in batch]
            output = model.generate(
                **inputs,
                do_sample=True,
                temperature=setting.params.temperature,
                top_p=setting.params.top_p,
                top_k=setting.params.top_k,
                max_new_tokens=max(limits),
                pad_token_id=tokenizer.pad_token_id,
            )
            rows = output[:, inputs["input_ids"].shape[1] :].tolist()
            tokens += sum(map(tokens_of, rows, limits, [setting] * len(rows)))
        return tokens

    return timed(work, 32, setting.info.device)


def tokens_of(row: Sequence[int], limit: int, setting: Setting) -> int:
    """Tokens of a row that belong to its answer."""
    end = setting.tokenizer.eos_token_id
    if not setting.random_weights and end in row:
        return row.index(end) + 1
    return min(limit, len(row))


def engine(kind: type[HFEngine | HFStaticEngine], requests: list[Request], size: int) -> Any:
    def run(setting: Setting) -> Rate:
        drawer = kind(
            setting.model,
            setting.tokenizer,
            setting.params,
            setting.info,
            batch_size=size,
            early_stop=not setting.random_weights,
        )
        rate = timed(lambda: tokens_drawn(drawer.generate, requests), size, setting.info.device)
        return replace(rate, batch_size=drawer.slots) if kind is HFEngine else rate

    return run


def tokens_drawn(generate: Callable[..., None], requests: list[Request]) -> int:
    samples: list[Sample] = []
    generate(requests, samples.append)
    return sum(sample.tokens for sample in samples)


def continuous(setting: Setting) -> Rate:
    """transformers' own continuous batching."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    params = setting.params
    config = GenerationConfig(
        do_sample=True,
        temperature=params.temperature,
        top_p=params.top_p,
        top_k=params.top_k,
        max_new_tokens=params.max_new_tokens,
        eos_token_id=setting.model.generation_config.eos_token_id,
        pad_token_id=setting.tokenizer.pad_token_id,
    )
    batching = ContinuousBatchingConfig(
        auto_switch_to_flash=False, max_requests_per_batch=setting.batch_size
    )

    def work() -> int:
        with setting.model.continuous_batching_context_manager(
            generation_config=config, continuous_batching_config=batching
        ) as manager:
            for number, request in enumerate(setting.requests):
                manager.add_request(
                    setting.tokenizer(request.prompt).input_ids,
                    request_id=str(number),
                    max_new_tokens=request.max_new_tokens or params.max_new_tokens,
                )
            tokens = 0
            for _ in setting.requests:
                tokens += len(manager.get_result(timeout=600).generated_tokens)
        return tokens

    return timed(work, setting.batch_size, setting.info.device)


def vllm(setting: Setting, *, batch_invariant: bool = False) -> Rate:
    """vLLM with the same weights, from the first token on: its start is not counted."""
    info = replace(setting.info, attention="vllm", batch_invariant=batch_invariant)
    setting.model.save_pretrained(setting.folder)
    drawer = VLLMEngine(
        vllm_python(),
        setting.folder,
        setting.tokenizer,
        setting.params,
        info,
        batch_size=setting.batch_size,
        early_stop=not setting.random_weights,
    )
    setting.model.to("meta")  # vLLM wants the device's memory for itself
    torch.cuda.empty_cache()
    tokens = tokens_drawn(drawer.generate, setting.requests)
    return Rate(tokens, time.monotonic() - drawer.ready_at, setting.batch_size)


CONTENDERS: dict[str, Callable[[Setting], Rate]] = {
    "static": static,
    "hf-static": lambda setting: engine(HFStaticEngine, some(setting), 32)(setting),
    "hf": lambda setting: engine(HFEngine, setting.requests, setting.batch_size)(setting),
    "cb": continuous,
    "vllm": vllm,
    "vllm-same": lambda setting: vllm(setting, batch_invariant=True),
}


if __name__ == "__main__":
    main()
