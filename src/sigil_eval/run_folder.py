"""The folder of a run: what its models and modes are called, where each file lies, its lock, its
clock."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeGuard

from sigil_eval.console import warn
from sigil_eval.errors import UsageError
from sigil_eval.files import only_writer, read_json, write_atomic

Mode = Literal["no-policy", "policy"]
MODES: tuple[Mode, ...] = ("no-policy", "policy")

BASE, TUNED = "base", "finetuned"
MODEL_LABELS = (BASE, TUNED)
_RESULT_STEMS = {BASE: "base_model", TUNED: "finetuned_model"}

RESULTS_SUFFIX = "_results.jsonl"
METRICS_FILE = "metrics.json"
METADATA_FILE = "eval_metadata.json"
REPRODUCTION_FILE = "reproduction.json"
SUMMARY_FILE = "combined_summary.md"
COMPARISON_FILE = "comparison_report.md"
HTML_FILE = "report.html"
SIDE_BY_SIDE_FILE = "side_by_side.md"


def result_stem(label: str) -> str:
    """What the results of a model are filed under; a label that is not of a run stands as it is."""
    return _RESULT_STEMS.get(label, label)


@dataclass(frozen=True)
class RunFolder:
    """Paths in a run's folder; whether the files exist is another question."""

    path: Path

    def samples(self, label: str) -> Path:
        """What the model `label` wrote."""
        return self.path / "samples" / f"{label}.jsonl"

    def results(self, mode: Mode, stem: str) -> Path:
        """The result rows of the samples that are filed under `stem` (see `result_stem`)."""
        return self.path / mode / f"{stem}{RESULTS_SUFFIX}"

    def results_of(self, mode: Mode, label: str) -> Path:
        """The result rows of a model; older versions of `sigil-eval score` filed those of a file
        called base under that name."""
        path, older = self.results(mode, result_stem(label)), self.results(mode, label)
        return older if older.is_file() and not path.is_file() else path

    def all_results(self, mode: Mode) -> list[Path]:
        """The files of result rows that a mode has, by name."""
        return sorted((self.path / mode).glob(f"*{RESULTS_SUFFIX}"))

    def metrics(self, mode: Mode) -> Path:
        """What the results of a mode come to."""
        return self.path / mode / METRICS_FILE

    def comparison(self, mode: Mode) -> Path:
        """The report of one mode."""
        return self.path / mode / COMPARISON_FILE

    @property
    def summary(self) -> Path:
        """The report of all modes, where a reader starts."""
        return self.path / SUMMARY_FILE

    @property
    def html(self) -> Path:
        """The report with the programs inside."""
        return self.path / HTML_FILE

    @property
    def side_by_side(self) -> Path:
        """The comparison of three models and more."""
        return self.path / SIDE_BY_SIDE_FILE

    @property
    def metadata(self) -> Path:
        """What the run was made of."""
        return self.path / METADATA_FILE

    @property
    def reproduction(self) -> Path:
        """What came of checking the run."""
        return self.path / REPRODUCTION_FILE

    @property
    def verdicts(self) -> Path:
        """The journal of what was judged."""
        return self.path / ".verdicts.jsonl"

    def clock(self, *, counted: bool = True) -> PhaseTimes:
        """The times of the run's phases so far, with one invocation more, unless that is counted
        by another clock."""
        return PhaseTimes(self.path / ".run-state.json", counted=counted)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep others from writing here; the lock ends with the process, however it ends.

        Raises PreflightError where somebody else holds it.
        """
        with only_writer(
            self.path,
            "another evaluation is writing here. Wait for it, or name another folder with "
            "--output-dir",
        ):
            yield


class PhaseTimes:
    """Seconds by phase and the number of invocations, kept on disk from the beginning, so that a
    run that is killed does not forget its earlier parts."""

    def __init__(self, path: Path, *, counted: bool = True) -> None:
        self._path = path
        self.seconds: dict[str, float] = {}
        self.invocations = 0
        if path.exists():
            try:
                self._read()
            except UsageError as error:
                warn(f"{error}; the times of earlier invocations are not counted")
        self.invocations += counted
        self._write()

    def _read(self) -> None:
        state = read_json(self._path)
        phases, invocations = state.get("phases"), state.get("invocations")
        if not isinstance(phases, dict) or not all(map(_is_count, phases.values())):
            raise UsageError(f"{self._path}: phases: expected seconds by phase")
        if not _is_count(invocations) or invocations != int(invocations):
            raise UsageError(f"{self._path}: invocations: expected a whole number")
        self.seconds = {phase: float(seconds) for phase, seconds in phases.items()}
        self.invocations = int(invocations)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to `name`, also when it ends by an error."""
        began = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - began
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
            self._write()

    def _write(self) -> None:
        state = {"invocations": self.invocations, "phases": self.seconds}
        write_atomic(self._path, json.dumps(state))


def _is_count(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
