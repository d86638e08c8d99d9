"""The default engine by itself: what it draws, and when memory or context run out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from demo_models import BASE, TUNED  # noqa: E402
from sigil_eval.errors import PreflightError  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    ModelSpec,
    SamplingParams,
)
from sigil_eval.generation.continuous import HFEngine  # noqa: E402
from sigil_eval.generation.hardware import choose_hardware  # noqa: E402
from sigil_eval.generation.loading import load_tokenizer  # noqa: E402
from sigil_eval.generation.models import resolve_model  # noqa: E402
from sigil_eval.generation.pool import load_model  # noqa: E402
from sigil_eval.generation.protocol import Request, Sample  # noqa: E402
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
    for problem in problems:
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

    def __init__(self, model: Any, rows: int) -> None:
        self._model = model
        self._rows = rows
        self.refused = 0

    def __call__(self, **inputs: Any) -> Any:
        if inputs["input_ids"].shape[0] > self._rows:
            self.refused += 1
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self._model(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def test_when_memory_runs_out_the_batch_is_halved(problems: tuple[Problem, ...]) -> None:
    requests = requests_for(problems)
    engine = engine_for(TUNED, PARAMS)
    expected = answers(engine, requests)
    small = engine._model = SmallMemory(engine._model, rows=3)
    assert answers(engine, requests) == expected
    assert small.refused > 0
    assert engine.batch_size == 2


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
