"""The problems of report.html: a tile each in the map, an entry each in the explorer's list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ModelMetrics
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.wording import model_title
from sigil_eval.run_folder import BASE, TUNED, Mode


@dataclass(frozen=True)
class Cell:
    """One problem in the map: the share of passing samples per model, and the change."""

    task: str
    number: str
    shares: dict[str, float]
    change: Literal["better", "worse", "same", "none"]
    text: str

    @property
    def size(self) -> float:
        """How much changed, in shares of the samples."""
        if self.change == "none":
            return 0.0
        return abs(self.shares[TUNED] - self.shares[BASE])


@dataclass(frozen=True)
class Entry:
    """One problem in the list, with what each mode says of it."""

    task: str
    entry_point: str
    modes: list[InMode]


@dataclass(frozen=True)
class InMode:
    """What a mode says of a problem; `counts` are title, label and passing samples by model."""

    mode: Mode
    change: str
    counts: list[tuple[str, str, str]]


def tasks_of(run: Run) -> list[str]:
    """Every problem that any model has samples for, in the problem set's order."""
    ordered: dict[str, None] = {}
    for model in run.first_metrics["models"].values():
        ordered.update(dict.fromkeys(model["per_problem"]))
    return list(ordered)


def cells(run: Run, metrics: Metrics) -> list[Cell]:
    """The map of one mode."""
    return [_cell(task, metrics) for task in tasks_of(run)]


def entries(run: Run, problem_set: ProblemSet | None) -> list[Entry]:
    """The list of all problems; it begins with what changed most in the first mode there is."""
    by_id = problem_set.by_id if problem_set else {}
    found = cells(run, run.first_metrics)
    return [
        Entry(
            cell.task,
            by_id[cell.task].entry_point if cell.task in by_id else "",
            [_in_mode(run, mode, metrics, cell.task) for mode, metrics in run.metrics.items()],
        )
        for cell in sorted(found, key=lambda cell: -cell.size)
    ]


def _in_mode(run: Run, mode: Mode, metrics: Metrics, task: str) -> InMode:
    models = metrics["models"]
    counts = [
        (model_title(label), label, _count_text(models.get(label), task)) for label in run.labels
    ]
    return InMode(mode, _cell(task, metrics).change, counts)


def _cell(task: str, metrics: Metrics) -> Cell:
    shares, texts = {}, []
    for label, model in metrics["models"].items():
        problem = model["per_problem"].get(task)
        if problem and problem["scored"]:
            shares[label] = problem["passed"] / problem["scored"]
            texts.append(f"{model_title(label)} {problem['passed']} of {problem['scored']}")
        else:
            texts.append(f"{model_title(label)} not scored")
    number = task.rsplit("/", 1)[-1]
    return Cell(task, number, shares, _change(shares), f"{task}: {', '.join(texts)}")


def _change(shares: dict[str, float]) -> Literal["better", "worse", "same", "none"]:
    if BASE not in shares or TUNED not in shares:
        return "none"
    difference = shares[TUNED] - shares[BASE]
    return "better" if difference > 0 else "worse" if difference < 0 else "same"


def _count_text(model: ModelMetrics | None, task: str) -> str:
    problem = model["per_problem"].get(task) if model else None
    return f"{problem['passed']}/{problem['scored']}" if problem else "–"
