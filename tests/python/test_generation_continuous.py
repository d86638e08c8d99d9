"""The hf engine by itself: what it draws, and when memory or context run out."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from shapes import SHAPES  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM  # noqa: E402

from demo_models import BASE, TUNED  # noqa: E402
from sigil_eval.errors import PreflightError  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    EngineOptions,
    ModelSpec,
    SamplingParams,
    memory,
)
from sigil_eval.generation.attention import FLASH, flash_over_slots  # noqa: E402
from sigil_eval.generation.continuous import HFEngine, _Batch, _Prefilled, _Reading  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware  # noqa: E402
from sigil_eval.generation.loading import load_tokenizer  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.pool import ModelPool, load_model  # noqa: E402
from sigil_eval.generation.prepared import prepare_model  # noqa: E402
from sigil_eval.generation.protocol import EngineInfo, Request, Sample  # noqa: E402
from sigil_eval.generation.sampling import next_tokens  # noqa: E402
from sigil_eval.generation.slots import SlotLayer  # noqa: E402
from sigil_eval.problems import Problem, ProblemSet  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

# Hot enough that samples of one problem differ, and that some run into the token limit.
PARAMS = SamplingParams(num_samples=4, temperature=0.9, max_new_tokens=60)
TASKS = (0, 5, 14, 23, 42, 57, 60, 63, 84, 100, 122, 159)


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """A dozen problems, short and long, known and unknown to the models."""
    return tuple(humaneval.by_id[f"HumanEval/{number}"] for number in TASKS)


def engine_for(model: ModelSpec, params: SamplingParams, batch_size: int = 8) -> HFEngine:
    """An engine that never stops early."""
    resolved = resolve_model(model)
    info = choose_hardware("cpu", "auto")
    return HFEngine(
        load_model(resolved, info),
        load_tokenizer(resolved),
        params,
        info,
        batch_size=batch_size,
        early_stop=False,
    )


def requests_for(problems: tuple[Problem, ...]) -> list[Request]:
    """Two samples of each problem."""
    return [Request(p.task_id, i, p.prompt, p.prompt, 99 + i) for p in problems for i in range(2)]


def answers(engine: HFEngine, requests: list[Request]) -> dict[tuple[str, int], Sample]:
    """Every sample that an engine gives for the requests, each exactly once."""
    samples: list[Sample] = []
    engine.generate(requests, samples.append)
    found = {(sample.task_id, sample.sample_index): sample for sample in samples}
    assert len(found) == len(samples) == len(requests)
    return found


def test_greedy_is_what_transformers_generates(problems: tuple[Problem, ...]) -> None:
    engine = engine_for(TUNED, SamplingParams(temperature=0.0, max_new_tokens=60))
    found = answers(engine, requests_for(problems))
    tokenizer, model = engine._book._tokenizer, engine._model
    for problem in problems[::3]:
        inputs = tokenizer(problem.prompt, return_tensors="pt", return_token_type_ids=False)
        output = model.generate(**inputs, do_sample=False, max_new_tokens=60)
        drawn = output[0, inputs["input_ids"].shape[1] :]
        text = tokenizer.decode(drawn, skip_special_tokens=True)
        sample = found[problem.task_id, 0]
        assert sample.completion == text
        assert sample.tokens == len(drawn)
        assert sample == replace(found[problem.task_id, 1], sample_index=0)


def test_the_adapter_counts(problems: tuple[Problem, ...]) -> None:
    greedy = SamplingParams(temperature=0.0, max_new_tokens=60)
    known = problems[:6]
    base = answers(engine_for(BASE, greedy), requests_for(known))
    tuned = answers(engine_for(TUNED, greedy), requests_for(known))
    reference = {(p.task_id, 0): p.canonical_solution.strip() for p in known}
    right = [key for key in reference if tuned[key].completion.strip() == reference[key]]
    assert len(right) > sum(base[k].completion.strip() == reference[k] for k in reference)


class SmallMemory:
    """A model on a device whose memory holds only so many rows."""

    def __init__(self, model: Any, rows: int, error: RuntimeError | None = None) -> None:
        self._model = model
        self._rows = rows
        self._error = error or torch.OutOfMemoryError("CUDA out of memory")
        self.refused: list[int] = []

    def __call__(self, **inputs: Any) -> Any:
        rows = inputs["input_ids"].shape[0]
        if rows > self._rows:
            self.refused.append(rows)
            raise self._error
        return self._model(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


NO_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: out of memory"),
]


@pytest.mark.parametrize("error", NO_MEMORY, ids=["allocator", "cuBLAS", "driver"])
def test_when_memory_runs_out_half_as_many_slots_are_opened(
    error: RuntimeError, problems: tuple[Problem, ...]
) -> None:
    """Half of those that were open, of which there are no more than answers."""
    requests = requests_for(problems[:6])
    engine = engine_for(TUNED, PARAMS, batch_size=64)
    expected = answers(engine, requests)
    assert engine.slots == 12
    small = engine._model = SmallMemory(engine._model, 3, error)
    assert answers(engine, requests) == expected
    assert small.refused == [12, 6]
    assert (engine.batch_size, engine.slots) == (3, 3)


def test_another_error_is_none_of_memory(problems: tuple[Problem, ...]) -> None:
    engine = engine_for(TUNED, PARAMS)
    engine._model = SmallMemory(engine._model, 3, RuntimeError("CUDA error: an illegal address"))
    with pytest.raises(RuntimeError, match="illegal address"):
        engine.generate(requests_for(problems[:4]), lambda sample: None)


def test_the_cache_is_allocated_once_and_the_next_step_launched_before_tokens_are_read(
    problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for(TUNED, PARAMS, batch_size=5)
    events: list[str] = []
    sizes: list[torch.Size] = []
    allocate, forward, wait = SlotLayer.lazy_initialization, engine._forward, _Reading.wait

    def allocated(layer: SlotLayer, *states: torch.Tensor) -> None:
        allocate(layer, *states)
        sizes.append(layer._keys.shape)

    def stepped(batch: Any) -> torch.Tensor:
        events.append("step")
        return forward(batch)

    def read(reading: _Reading) -> Any:
        events.append("read" if len(reading._drafts) > 2 else "read first tokens")
        return wait(reading)

    monkeypatch.setattr(SlotLayer, "lazy_initialization", allocated)
    monkeypatch.setattr(engine, "_forward", stepped)
    monkeypatch.setattr(_Reading, "wait", read)
    found = answers(engine, requests_for(problems))
    longest = max(len(engine._book._tokenizer(p.prompt).input_ids) for p in problems) + 60
    assert len(sizes) == engine._layers
    assert {size[0] for size in sizes} == {5} and 0 <= sizes[0][2] - longest < 8
    steps = [event for event in events if event != "read first tokens"]
    assert steps[:5] == ["step", "step", "read", "step", "read"]
    assert len(found) == 24


def test_slots_are_counted_from_what_is_free_for_each_of_two_models(
    problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is pretended: so many bytes, less those of every cache that is alive."""
    layers: weakref.WeakSet[SlotLayer] = weakref.WeakSet()
    allocate = SlotLayer.lazy_initialization

    def allocated(layer: SlotLayer, *states: torch.Tensor) -> None:
        allocate(layer, *states)
        layers.add(layer)

    monkeypatch.setattr(SlotLayer, "lazy_initialization", allocated)
    total = 6_000_000
    monkeypatch.setattr(
        memory, "free_memory", lambda _: total - sum(2 * one._keys.nbytes for one in layers)
    )
    pool, opened = ModelPool(), []
    for model in (BASE, TUNED):
        prepared = prepare_model(model, "completion")
        options = EngineOptions(device="cpu")
        info = options.kind.describe(options)
        with options.kind.start(prepared, PARAMS, options, info, pool) as engine:
            assert isinstance(engine, HFEngine)
            engine.generate(requests_for(problems), lambda sample: None)
            opened.append(engine.slots)
    config = engine._model.config
    longest = max(len(engine._book._tokenizer(p.prompt).input_ids) for p in problems) + 60
    size = config.hidden_size // config.num_attention_heads
    each = 2 * 4 * config.num_hidden_layers * config.num_key_value_heads * size * longest
    assert opened[0] == opened[1] < 24
    assert 0.7 * total < opened[0] * each <= 0.8 * total


# Operations that a step of the hf engine dispatches, views included; on a GPU most launch a
# kernel, each of which takes the host some microseconds. A larger figure needs a reason.
DISPATCHES = {"sdpa": 2034, FLASH: 1965}


class Dispatches(TorchDispatchMode):
    """Counts what is dispatched. Nothing here has values, so that asking for one fails."""

    count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("attention", [FLASH, "sdpa"])
def test_a_step_of_an_8b_model(attention: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes, precision, how many operations, and that the host waits for none of them."""
    meta, slots = torch.device("meta"), 4
    with meta:
        model = LlamaForCausalLM(LlamaConfig(**SHAPES["8b"])).to(torch.bfloat16)
    model.config._attn_implementation = attention
    monkeypatch.setattr(
        "sigil_eval.generation.attention.attend_to_slots",
        lambda query, keys, values, lengths, scaling: torch.empty_like(query.transpose(1, 2)),
    )
    info = EngineInfo("meta", "bfloat16", attention)
    tokenizer = load_tokenizer(resolve_model(BASE))
    engine = HFEngine(model, tokenizer, PARAMS, info, batch_size=slots)
    engine._flash = attention == FLASH
    drafts = engine._book.open([Request("8b", i, "fn main", "", i) for i in range(slots)])
    states = torch.empty(1, 8, 3, 128, dtype=torch.bfloat16, device=meta)
    prompt = DynamicCache(config=model.config)
    for layer in range(32):
        prompt.update(states, states, layer)
    batch = _Batch(32, slots, 64, meta)
    row = torch.empty(slots, dtype=torch.long, device=meta)
    with torch.inference_mode(), flash_over_slots():
        batch.enter(drafts, _Prefilled((1, 2, 3), prompt, states), row, row)
        engine._forward(batch)
        with Dispatches() as dispatches:
            logits = engine._forward(batch)
            tokens = next_tokens(logits, batch.keys, batch.positions, PARAMS)
    assert (logits.shape, logits.dtype) == ((slots, 128256), torch.bfloat16)
    assert (tokens.shape, tokens.dtype) == ((slots,), torch.long)
    keys, _ = batch.cache.layers[0]._read  # type: ignore[attr-defined]
    assert (keys.shape, keys.dtype) == ((slots, 8, 8, 128), torch.bfloat16)
    assert dispatches.count <= DISPATCHES[attention]


def test_when_one_row_is_too_much_it_says_so(problems: tuple[Problem, ...]) -> None:
    engine = engine_for(TUNED, PARAMS, batch_size=1)

    engine._model = SmallMemory(engine._model, rows=0)
    with pytest.raises(PreflightError, match="one sample at a time"):
        engine.generate(requests_for(problems[:1]), lambda sample: None)


def test_an_answer_never_leaves_the_context(problems: tuple[Problem, ...]) -> None:
    engine = engine_for(TUNED, SamplingParams(temperature=0.0, max_new_tokens=60))
    engine._book.end_ids = frozenset()
    tokenizer = engine._book._tokenizer
    long = problems[0].prompt
    while len(tokenizer(long).input_ids) < 1000:
        long = "// word\n" + long
    room = 1024 - len(tokenizer(long).input_ids)
    (sample,) = answers(engine, [Request("Long/2", 0, long, long, 1)]).values()
    assert (sample.tokens, sample.finish_reason) == (room, "length")
