"""Errata: on which problems they change the score, and where each is told."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ProblemCounts
from sigil_eval.reporting.blocks import Block, Heading, Link, Links, Paragraph, Table, linked
from sigil_eval.reporting.reproduce_command import PROJECT
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import model_title
from sigil_eval.run_folder import Mode

_TOLD_IN = PROJECT + "/blob/main/src/sigil_eval/problems/data/{name}.errata.json"


def changed_problems(metrics: Metrics) -> list[str]:
    """The problems of which some model passes another number of samples with errata."""
    found = {
        task: None
        for model in metrics["models"].values()
        for task, counts in model["per_problem"].items()
        if counts["passed_as_published"] not in (None, counts["passed"])
    }
    return list(found)


def changes_table(metrics: Metrics) -> Table | None:
    """Passing samples with errata and as published, of the problems where they differ."""
    tasks, models = changed_problems(metrics), metrics["models"]
    if not tasks:
        return None
    head = ["Problem"]
    for label in models:
        head += [f"{model_title(label)}, with errata", "as published"]
    rows = []
    for task in tasks:
        row: list[str] = [linked(task, place=f"p-{task}")]
        for model in models.values():
            counts = model["per_problem"].get(task)
            row += _cells(counts) if counts else ["", ""]
        rows.append(row)
    return Table(head, rows, 1)


def _cells(counts: ProblemCounts) -> list[str]:
    published = counts["passed_as_published"]
    known = "unknown" if published is None else f"{published}/{counts['scored']}"
    return [f"{counts['passed']}/{counts['scored']}", known]


def _blocks(metrics: Metrics) -> Iterator[Block]:
    table = changes_table(metrics)
    if table is None:
        return
    yield Heading("Where errata change the score")
    yield Paragraph("sigil-eval problems TASK shows the errata of a problem, and why they are.")
    yield table
    name = metrics["problem_set"]["name"]
    yield Links([Link(f"All errata of {name}", _TOLD_IN.format(name=name))])


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    return _blocks(run.metrics[mode])


def _on_page(run: Run) -> Iterator[Block]:
    return _blocks(run.first_metrics)


SECTION = Section("errata", in_comparison=_in_comparison, on_page=_on_page)
