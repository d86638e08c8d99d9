"""What departs from the pinned environment."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.documents.metadata import DeviationRow
from sigil_eval.reporting.blocks import Block, Paragraph, Table
from sigil_eval.reporting.notices import deviations_title, may_change_numbers
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section


def deviation_tables(run: Run) -> list[tuple[str, Table]]:
    """What departs from the pinned environment, by how grave it is, each part with its title."""
    found = []
    for grave, title in ((True, "may change the numbers"), (False, "cannot change the numbers")):
        rows = [
            [row["id"], row["expected"], row["actual"], row["consequence"], _acceptance(row)]
            for row in run.deviations
            if may_change_numbers(row) is grave
        ]
        if rows:
            plural = "s" if len(rows) > 1 else ""
            head = ["What", "Expected", "Actual", "What follows", "Accepted"]
            table = Table(head, rows, len(head))
            found.append((f"{len(rows)} deviation{plural} that {title}", table))
    return found


def _acceptance(deviation: DeviationRow) -> str:
    """Whether it was on the list of what a strict run lets pass; older runs kept no list."""
    accepted = deviation.get("accepted")
    return "unknown" if accepted is None else "accepted" if accepted else "no"


def _blocks(run: Run) -> Iterator[Block]:
    tables = deviation_tables(run)
    if tables:
        yield Paragraph("", lead=f"{deviations_title(run)}.")
    elif run.metadata is not None:
        yield Paragraph("No deviations from the pinned environment.")
    for title, table in tables:
        yield Paragraph(f"{title}:")
        yield table


SECTION = Section("deviations", lambda run, _: _blocks(run), _blocks, about_scores=False)
