"""Scores on the problems that stand in the training data, and on those that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.estimates import EstimateRow
from sigil_eval.reporting.blocks import Table
from sigil_eval.reporting.comparison import estimate_row
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.wording import difference_text, model_title, score_text
from sigil_eval.run_folder import BASE, TUNED
from sigil_eval.statistics import paired_difference, pass_at_k, share_interval

type Wanted = Callable[[str], bool]
"""Whether a task is to be counted."""


def seen_and_unseen(run: Run) -> tuple[Wanted, Wanted]:
    """The problems in the training data, and the others."""
    seen = run.seen_in_training
    return seen.__contains__, lambda task: task not in seen


def seen_table(run: Run, metrics: Metrics, k_values: Sequence[int]) -> Table | None:
    """pass@k, for these k, on the problems that are in the training data, and on the others; None
    where none is known to be."""
    seen = run.seen_in_training
    if not seen:
        return None
    parts = seen_and_unseen(run)
    rows = []
    for k in k_values:
        for label in metrics["models"]:
            scores = [score_text(score_on(metrics, label, k, wanted)) for wanted in parts]
            rows.append([model_title(label), f"pass@{k}", *scores])
        if metrics["comparison"] is not None:
            both = [difference_text(difference_on(metrics, k, wanted)) for wanted in parts]
            rows.append(["Difference, points", f"pass@{k}", *both])
    problems = run.problem_set["problems"]
    head = [f"In the data ({len(seen)})", f"Not in the data ({problems - len(seen)})"]
    return Table(["", "", *head], rows, 2)


def score_on(metrics: Metrics, label: str, k: int, wanted: Wanted) -> EstimateRow | None:
    """pass@k of a model on some problems; None where none has samples enough."""
    shares = list(_shares(metrics, label, k, wanted).values())
    return estimate_row(share_interval(shares)) if shares else None


def difference_on(metrics: Metrics, k: int, wanted: Wanted) -> EstimateRow | None:
    """Fine-tuned minus base on some problems; None where none has samples enough."""
    base, tuned = (_shares(metrics, label, k, wanted) for label in (BASE, TUNED))
    both = [task for task in base if task in tuned]
    if not both:
        return None
    return estimate_row(
        paired_difference([base[task] for task in both], [tuned[task] for task in both])
    )


def _shares(metrics: Metrics, label: str, k: int, wanted: Wanted) -> dict[str, float]:
    return {
        task: pass_at_k(row["scored"], row["passed"], k)
        for task, row in metrics["models"][label]["per_problem"].items()
        if wanted(task) and row["scored"] >= k
    }
