"""Problem by problem: where the fine-tuned model passes more, and where less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ProblemCounts
from sigil_eval.reporting.blocks import Block, Code, Heading, Paragraph, Table
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import LISTED_PROBLEMS, coverage, points
from sigil_eval.run_folder import BASE, TUNED, Mode


def change_table(metrics: Metrics, tasks: Sequence[str]) -> Table:
    """Passing samples of the given problems in both models, the largest change first."""
    base = metrics["models"][BASE]["per_problem"]
    tuned = metrics["models"][TUNED]["per_problem"]
    change = {task: _share(tuned[task]) - _share(base[task]) for task in tasks}
    ranked = sorted(tasks, key=lambda task: -abs(change[task]))
    rows = [
        [
            task,
            *(Code(side[task]["usual_outcome"]) for side in (base, tuned)),
            *(f"{side[task]['passed']}/{side[task]['scored']}" for side in (base, tuned)),
            points(change[task], sign=True),
        ]
        for task in ranked[:LISTED_PROBLEMS]
    ]
    more = len(tasks) - len(rows)
    note = f"… and {more} more, in metrics.json." if more else ""
    head = ["Problem", "Base, usually", "Fine-tuned, usually", "Base", "Fine-tuned", "Points"]
    return Table(head, rows, 3, note)


def _share(problem: ProblemCounts) -> float:
    return float(problem["passed"] / problem["scored"])


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    metrics = run.metrics[mode]
    comparison = metrics["comparison"]
    if comparison is None:
        return
    wins, losses = comparison["wins"], comparison["losses"]
    part = coverage(metrics)
    yield Heading("Problem by problem")
    yield Paragraph(
        f"{len(wins)} problems better, {comparison['ties']} equal, {len(losses)} worse, by the "
        f"share of samples that pass{f', in {part}' if part else ''}."
    )
    for title, tasks in (("Better", wins), ("Worse", losses)):
        if tasks:
            yield Heading(title, level=3)
            yield change_table(metrics, tasks)


SECTION = Section("problems", _in_comparison)
