"""An engine is a file and a line: this file adds one, which repeats what it is asked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.generation.engines import ENGINES, DrawingOptions, EngineKind, engines_in_words
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import Engine, EngineInfo, Request, Revisions, Sample
from sigil_eval.problems import ProblemSet

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

PAPER = EngineInfo("paper", "ink", "none")


class Echo(EngineKind):
    """Answers with the prompt's first word."""

    name = "echo"
    summary = "what it is asked"
    info = PAPER

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        return Prepared(spec.name, "completion", Revisions("1"))

    def describe(self, options: DrawingOptions) -> EngineInfo:
        return PAPER

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        yield self

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        for asked in requests:
            word = asked.prompt.split()[0]
            on_sample(Sample(asked.task_id, asked.sample_index, word, 1, "stop"))


def test_an_engine_takes_a_file_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, humaneval: ProblemSet
) -> None:
    with pytest.raises(UsageError, match="choose one of hf, hf-static, vllm, openai, replay"):
        EngineOptions(engine="echo")
    monkeypatch.setitem(ENGINES, Echo.name, Echo())
    output = tmp_path / "echo.jsonl"
    summary = generate_samples(
        ModelSpec("echo"),
        humaneval.problems[:2],
        SamplingParams(num_samples=1),
        output,
        options=EngineOptions(engine="echo"),
    )
    assert (summary.engine, summary.device, summary.new_samples) == ("echo", "paper", 2)
    assert [json.loads(line)["completion"] for line in output.read_text().splitlines()] == [
        problem.prompt.split()[0] for problem in humaneval.problems[:2]
    ]
    assert engines_in_words().endswith("replay: the samples of a file; echo: what it is asked")
    with pytest.raises(UsageError, match="are for --engine hf and hf-static, not echo"):
        EngineOptions(engine="echo", quantization="nf4")
