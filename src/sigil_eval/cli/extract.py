"""sigil-eval extract."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.console import answer, json_is_wanted, say, visible
from sigil_eval.errors import UsageError

if TYPE_CHECKING:
    from sigil_eval.documents import ExtractionRow
    from sigil_eval.problems import ProblemSet

_WIDTH = 100
_SHOWN_LINES = 3


@click.command(
    cls=Command,
    examples=[
        "sigil-eval extract samples.jsonl --task HumanEval/0",
        "sigil-eval extract samples.jsonl --json | jq -r 'select(.code == null).reason'",
    ],
)
@click.argument("samples", type=options.PATH, metavar="SAMPLES")
@click.option("--task", cls=Option, metavar="ID", help="only answers to this problem")
@options.problem_options()
def extract(samples: Path, task: str | None, **given: Any) -> int:
    """Show what is read from each answer, and why.

    What is taken, and what is left out. SAMPLES is what `sigil-eval score` takes: a file, a folder,
    or `-` for standard input. Nothing is compiled or judged, so this needs neither rustc nor
    Firejail. With --json, a line for each answer, with all of its text.
    """
    problem_set = chosen.load_problems(given)
    if task is not None:
        problem_set.problem(task)
    found = 0
    for row in _rows(samples, problem_set, task):
        found += 1
        if json_is_wanted():
            answer(row, indent=None)
        else:
            for line in _lines(row):
                say(line)
    if not found:
        raise UsageError(f"{samples}: holds no answer to {task}")
    return 0


def _rows(samples: Path, problem_set: ProblemSet, task: str | None) -> Iterator[ExtractionRow]:
    from sigil_eval.files import read_jsonl
    from sigil_eval.samples import read_samples
    from sigil_eval.scoring.reading import extraction_row

    numbers: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        read = Path(folder) / "samples.jsonl"
        read_samples(samples, problem_set, read)
        for _, sample in read_jsonl(read):
            problem = problem_set.by_id[sample["task_id"]]
            number = numbers[problem.task_id]
            numbers[problem.task_id] += 1
            if task in (None, problem.task_id):
                yield extraction_row(problem, number, sample["completion"])


def _lines(row: ExtractionRow) -> Iterator[str]:
    """An answer for people, in lines that a terminal holds."""
    said = f"read as a {row['kind']}" if row["code"] is not None else f"no code: {row['reason']}"
    more = [
        "cut off within its code" if row["truncated"] else "",
        "" if row["main_free"] else "it has a main",
        f"{row['definitions']} whole definitions" if row["definitions"] > 1 else "",
    ]
    head = f"{row['task_id']}, answer {row['completion_id']}"
    yield from _wrapped(f"{head}: {', '.join([said, *filter(None, more)])}", "  ")
    for part in row["parts"]:
        verb = "taken   " if part["taken"] else "left out"
        yield from _wrapped(f"  {verb}  {part['what']}: {part['why']}", " " * 12)
        if not part["taken"]:
            yield from _excerpt(part["text"], " " * 12 + "| ")
    if row["code"] is not None:
        yield from _excerpt(row["code"], "    ", lines=None)
    yield ""


def _wrapped(text: str, indent: str) -> list[str]:
    import textwrap

    return textwrap.wrap(visible(text), _WIDTH, subsequent_indent=indent, drop_whitespace=True)


def _excerpt(text: str, indent: str, lines: int | None = _SHOWN_LINES) -> Iterator[str]:
    """The first lines of a text, none longer than fits."""
    from rich.cells import cell_len, set_cell_size

    room = _WIDTH - len(indent)
    every = [visible(line).expandtabs(4).rstrip(" ") for line in text.strip("\n").split("\n")]
    for line in every[:lines]:
        shown = line if cell_len(line) <= room else set_cell_size(line, room - 1) + "…"
        yield (indent + shown).rstrip(" ")
    more = 0 if lines is None else len(every) - lines
    if more > 0:
        yield f"{indent}… and {more} more line{'s' if more > 1 else ''}"
