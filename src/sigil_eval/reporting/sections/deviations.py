"""What departs from the pinned environment."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.documents.metadata import DeviationRow
from sigil_eval.reporting.blocks import Block, Paragraph, Table
from sigil_eval.reporting.notices import deviations_title
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section


def deviation_table(run: Run) -> Table | None:
    """What departs from the pinned environment."""
    rows = [
        [row["id"], row["expected"], row["actual"], row["consequence"], _acceptance(row)]
        for row in run.deviations
    ]
    head = ["What", "Expected", "Actual", "What follows", "Accepted"]
    return Table(head, rows, len(head)) if rows else None


def _acceptance(deviation: DeviationRow) -> str:
    """Whether it was on the list of what a strict run lets pass; older runs kept no list."""
    accepted = deviation.get("accepted")
    return "unknown" if accepted is None else "accepted" if accepted else "no"


def _blocks(run: Run) -> Iterator[Block]:
    table = deviation_table(run)
    if table is not None:
        yield Paragraph("", lead=f"{deviations_title(run)}.")
        yield table
    elif run.metadata is not None:
        yield Paragraph("No deviations from the pinned environment.")


SECTION = Section("deviations", lambda run, _: _blocks(run), _blocks)
