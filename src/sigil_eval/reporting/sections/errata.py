"""On which problems the columns of scores differ, and where errata and plus cases are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ProblemCounts
from sigil_eval.reporting.blocks import Block, Heading, Link, Links, Paragraph, Table, linked
from sigil_eval.reporting.reproduce_command import PROJECT
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.scores import columns_of
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import COLUMN_TITLES, model_title
from sigil_eval.run_folder import Mode
from sigil_eval.settings import Column

_TOLD_IN = f"{PROJECT}/blob/main/src/sigil_eval/problems/data/"


def changed_problems(metrics: Metrics) -> list[str]:
    """The problems of which some model passes another number of samples in another column."""
    found = {
        task: None
        for model in metrics["models"].values()
        for task, counts in model["per_problem"].items()
        if any(passed not in (None, counts["passed"]) for passed in counts["passed_in"].values())
    }
    return list(found)


def changes_table(metrics: Metrics) -> Table | None:
    """Passing samples in each column, of the problems where they differ."""
    tasks, models = changed_problems(metrics), metrics["models"]
    if not tasks:
        return None
    first, *beside = columns_of(metrics)
    head = ["Problem"]
    for label in models:
        head.append(f"{model_title(label)}, {COLUMN_TITLES[first].lower()}")
        head += [COLUMN_TITLES[column].lower() for column in beside]
    rows = []
    for task in tasks:
        row: list[str] = [linked(task, place=f"p-{task}")]
        for model in models.values():
            counts = model["per_problem"].get(task)
            row += _cells(counts, beside) if counts else [""] * (1 + len(beside))
        rows.append(row)
    return Table(head, rows, 1)


def _cells(counts: ProblemCounts, beside: Sequence[Column]) -> list[str]:
    passed = [counts["passed"], *(counts["passed_in"].get(column) for column in beside)]
    return ["unknown" if n is None else f"{n}/{counts['scored']}" for n in passed]


def _blocks(metrics: Metrics) -> Iterator[Block]:
    table = changes_table(metrics)
    if table is None:
        return
    yield Heading("Where the columns differ")
    yield Paragraph("sigil-eval problems TASK shows a problem's errata and plus cases, and why.")
    yield table
    named = metrics["problem_set"]
    name = named["name"].removesuffix("-plus")
    links = []
    if named["errata_sha256"]:
        links.append(Link(f"All errata of {name}", f"{_TOLD_IN}{name}.errata.json"))
    if named["plus_sha256"]:
        links.append(Link(f"All plus cases of {name}", f"{_TOLD_IN}{name}-plus.jsonl"))
    yield Links(links)


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    return _blocks(run.metrics[mode])


def _on_page(run: Run) -> Iterator[Block]:
    return _blocks(run.first_metrics)


SECTION = Section("errata", in_comparison=_in_comparison, on_page=_on_page)
