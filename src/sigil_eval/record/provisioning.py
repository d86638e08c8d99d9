"""The tables that the set-up leaves in its state folder: steps.tsv and deviations.tsv."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.redaction import scrub


def read_table(state: Path | None, name: str, columns: int) -> list[list[str]]:
    """Rows of a tab-separated file of the state folder; none where there is no such file.

    Short rows are filled up, so that none is lost.
    """
    if state is None or not (state / name).is_file():
        return []
    rows = []
    # Only a line feed ends a row: other characters that end lines may be part of a message.
    for line in (state / name).read_bytes().decode("utf-8", "replace").split("\n"):
        if line.strip():
            fields = line.split("\t", columns - 1)
            rows.append([str(scrub(f.strip())) for f in fields] + [""] * (columns - len(fields)))
    return rows
