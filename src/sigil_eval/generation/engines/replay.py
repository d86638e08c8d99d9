"""The replay engine: samples that were generated before, read from a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import read_jsonl, sha256_file
from sigil_eval.generation.engines.kind import DrawingOptions, EngineKind
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import (
    Engine,
    EngineInfo,
    FinishReason,
    ModelSpec,
    Request,
    Revisions,
    Sample,
    SamplingParams,
)

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

REASONS: tuple[FinishReason, ...] = ("stop", "complete", "length")
NO_HARDWARE = EngineInfo(device="none", dtype="none", attention="none")


class Replay(EngineKind):
    """Samples of a file, which is named in the model's place."""

    name = "replay"
    summary = "the samples of a file"

    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """Identify the file by its content."""
        path = Path(spec.name)
        if not path.is_file():
            raise UsageError(f"{path}: no such file; the replay engine needs a samples file")
        return Prepared(spec.name, "completion", Revisions(f"sha256:{sha256_file(path)}"))

    def describe(self, options: DrawingOptions) -> EngineInfo:
        """Nothing is computed."""
        return NO_HARDWARE

    @contextlib.contextmanager
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> Iterator[Engine]:
        """Read the file."""
        yield ReplayEngine(Path(prepared.name))


class ReplayEngine:
    """Answers requests from a samples file; rows without a sample_index are counted per task."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises UsageError for a row that is no sample."""
        self.info = NO_HARDWARE
        self._path = path
        self._samples: dict[tuple[str, int], Sample] = {}
        counts: dict[str, int] = {}
        for number, row in read_jsonl(path):
            where = f"{path}:{number}"
            task_id, completion = row.get("task_id"), row.get("completion")
            if not isinstance(task_id, str) or not isinstance(completion, str):
                raise UsageError(f"{where}: 'task_id' and 'completion' must both be text")
            index = row.get("sample_index", counts.get(task_id, 0))
            counts[task_id] = counts.get(task_id, 0) + 1
            if not _is_count(index) or (task_id, index) in self._samples:
                raise UsageError(
                    f"{where}: {quoted(task_id)} has a repeated or broken sample_index"
                )
            self._samples[task_id, index] = _sample(task_id, index, completion, row)

    def generate(self, requests: Sequence[Request], on_sample: Callable[[Sample], None]) -> None:
        """Answer every request; raises UsageError for one that the file has no sample for."""
        for request in requests:
            sample = self._samples.get((request.task_id, request.sample_index))
            if sample is None:
                raise UsageError(
                    f"{self._path} has no sample {request.sample_index} of {request.task_id}; "
                    "ask for fewer samples or problems, or replay another file"
                )
            on_sample(sample)


def _sample(task_id: str, index: int, completion: str, row: dict[str, Any]) -> Sample:
    tokens = row.get("tokens", 0)
    reason: FinishReason = next((r for r in REASONS if r == row.get("finish_reason")), "stop")
    return Sample(task_id, index, completion, tokens if _is_count(tokens) else 0, reason)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
