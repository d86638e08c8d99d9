"""What was made, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sigil_eval.documents.dataset_made import DatasetMade


def report(made: DatasetMade) -> str:
    """The counts, line by line."""
    return "\n".join(_lines(made))


def _lines(made: DatasetMade) -> Iterator[str]:
    rows = sum(file["rows"] for file in made["files"])
    taken = sum(one["fault"] is None for one in made["crates"])
    yield f"{rows} rows of {taken} of {len(made['crates'])} crates"
    yield from (f"    {file['name']}: {file['rows']}" for file in made["files"])
    if len(made["files"]) == 1:
        yield "No crate is kept for validation: there are too few for that share."
    yield f"Rows by task: {_counts(made['tasks'])}"
    yield "Rows by crate:"
    for one in made["crates"]:
        said = ": ".join(filter(None, [one["fault"] or "", one["said"].split("\n")[0]]))
        yield f"    {one['name']}@{one['version']}: {said or _counts(one['rows'])}"
    yield f"Crates left out: {_counts(made['rejected_crates'])}"
    yield f"Rows left out: {_counts(made['rejected_rows'])}"
    if made["writer"]:
        yield f"Answers of {made['writer']['model']} left out: {_counts(made['rejected_answers'])}"
    else:
        kinds = ", ".join(made["not_made"])
        yield f"Not made, because a language model would have to: {kinds} (--writer-url)"


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
