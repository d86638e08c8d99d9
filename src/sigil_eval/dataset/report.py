"""What was found, for people: Markdown that can be read as it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sigil_eval.console import visible
from sigil_eval.documents.dataset_check import DatasetCheck, FieldsName, FormatName, SignalName

_SHOWN = 20

FORMATS: dict[FormatName, str] = {
    "unreadable": "a line is a JSON object",
    "not text": "what is asked and answered is there, and is text",
    "empty": "none of it is empty",
    "too long": "none of it is longer than a MiB",
    "not Rust": "the answer's code parses as Rust, alone or as the rest of the prompt's",
    "stub": "no answer holds todo! or unimplemented!",
    "control": "no control characters, no halves of characters",
    "unseen": "no characters that turn or hide text",
    "duplicate": "no row stands there twice",
    "near duplicate": "nor does its code with other names, comments or spaces",
    "both splits": "a crate is in one split alone",
}


def is_clean(check: DatasetCheck) -> bool:
    """Whether nothing was found."""
    return not check["contaminated_rows"] and not _broken(check)


def report(check: DatasetCheck) -> str:
    """The report in Markdown; text from outside is made visible."""
    return visible("\n".join([*_head(check), *_tasks(check), *_rows(check), *_formats(check)]))


def _broken(check: DatasetCheck) -> list[FormatName]:
    return [name for name, faults in check["formats"].items() if faults["count"]]


def _head(check: DatasetCheck) -> Iterator[str]:
    rows = sum(file["rows"] for file in check["files"])
    yield "# Training data: " + ("clean" if is_clean(check) else _verdict(check))
    yield ""
    yield f"{rows} rows of {', '.join(file['name'] for file in check['files'])}"
    fields = sum((Counter(file["fields"]) for file in check["files"]), Counter[FieldsName]())
    said = (
        f"{count} rows with `{name.replace(', ', '` and `')}`" for name, count in fields.items()
    )
    yield f"(read: {', '.join(said) or 'nothing'}), against"
    for one in check["problem_sets"]:
        errata = ", as published and with errata" if one["errata_sha256"] else ""
        yield f"- {one['name']}: {one['problems']} problems{errata}"
    yield ""


def _verdict(check: DatasetCheck) -> str:
    tasks, broken = len(check["tasks"]), len(_broken(check))
    said = f"holds {tasks} of the problems, in {check['contaminated_rows']} rows"
    parts = [said if tasks else "", f"breaks {broken} rules of format" if broken else ""]
    return " and ".join(filter(None, parts))


def _tasks(check: DatasetCheck) -> Iterator[str]:
    yield "## Problems in the data"
    yield ""
    if not check["tasks"]:
        yield "None was found."
    else:
        rows = [
            [task["task_id"], str(task["rows"]), _shares(task["signals"])]
            for task in check["tasks"][:_SHOWN]
        ]
        yield from _table(["problem", "rows", "largest share of it"], rows)
        yield from _more(len(check["tasks"]))
    yield ""
    yield "What is compared, and how much of a problem's a row must have:"
    for name, rule in check["rules"].items():
        share = f"{rule['least_share']:.0%} of them" if rule["least_share"] else ""
        count = f"{rule['least_count']} of them" if rule["least_count"] > 1 else ""
        yield f"- {name}: {rule['compares']}; {' and '.join(filter(None, [share, count]))}"
    yield ""
    yield "What this check cannot see:"
    yield from (f"- {what}" for what in check["not_seen"])
    yield ""


def _rows(check: DatasetCheck) -> Iterator[str]:
    if not check["found"]:
        return
    yield "## Rows"
    yield ""
    rows = [
        [found["place"], found["task_id"], _shares(found["signals"])]
        for found in check["found"][:_SHOWN]
    ]
    yield from _table(["row", "problem", "share of it"], rows)
    yield from _more(len(check["found"]))
    yield ""


def _formats(check: DatasetCheck) -> Iterator[str]:
    yield "## Rules of format"
    yield ""
    rows = [
        [name, FORMATS[name], str(faults["count"] or "")]
        for name, faults in check["formats"].items()
    ]
    yield from _table(["name", "rule", "broken by"], rows)
    for name in _broken(check):
        yield ""
        yield f"{name}:"
        shown = check["formats"][name]["first"][:_SHOWN]
        yield from (f"- {fault['place']}: {fault['reason']}" for fault in shown)
        yield from _more(check["formats"][name]["count"])
    yield ""


def _shares(signals: dict[SignalName, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in signals.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose columns stand one below the other."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    for row in (head, ["-" * width for width in widths], *cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(padded)} |"


def _more(count: int) -> Iterator[str]:
    if count > _SHOWN:
        yield ""
        yield f"… and {count - _SHOWN} more: `--output FILE.json` writes them"
