"""What the terminal shows when a run is over: one table, the verdicts, and the paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sigil_eval.console import answer
from sigil_eval.console import console as default_console
from sigil_eval.reporting import blocks
from sigil_eval.reporting.notices import NO_METADATA, deviations_title, notices
from sigil_eval.reporting.run import Run, load_run
from sigil_eval.reporting.sections.environment import duration_table
from sigil_eval.reporting.sections.scores import columns_table, score_table
from sigil_eval.reporting.sections.sweep import sweep_table
from sigil_eval.reporting.wording import MODE_TITLES, coverage, verdict_sentence
from sigil_eval.run_folder import RunFolder

WIDTH = 100
KIND_STYLES = {"demo": "bold magenta", "danger": "bold red", "warning": "yellow"}


def print_summary(output_dir: Path, console: Console | None = None) -> None:
    """Print the end of a run from the files in `output_dir`, or give them to a program; plain when
    not a terminal."""
    target = console or default_console
    run = load_run(output_dir)
    answer(
        {
            "folder": str(output_dir),
            "metrics": run.metrics,
            "deviations": run.deviations,
            "reports": list(map(str, _paths(run))),
        }
    )
    # `sigil-eval score` leaves no metadata; who sees this knows what was run.
    known = [notice for notice in notices(run) if notice.title != NO_METADATA]
    for notice in known:
        line = f"{notice.title}: {notice.text}"
        target.print(line, style=KIND_STYLES[notice.kind], markup=False)
        if notice.table:
            print_table(target, notice.table)
    if run.deviations:
        target.print(_deviations_line(run), style="yellow", markup=False)
    for mode, metrics in run.metrics.items():
        target.print()
        target.print(MODE_TITLES[mode], style="bold", markup=False)
        table = sweep_table(metrics, brief=True) or score_table(metrics)
        print_table(target, blocks.of_part(table, coverage(metrics)))
        target.print(verdict_sentence(metrics), markup=False)
        if (columns := columns_table(metrics, metrics["k_values"][:1])) is not None:
            target.print()
            print_table(target, blocks.of_part(columns, coverage(metrics)))
    _print_time(target, run)
    target.print()
    for path in _paths(run):
        target.print(str(path), markup=False)


def _deviations_line(run: Run) -> str:
    names: dict[bool, list[str]] = {False: [], True: []}
    for deviation in run.deviations:
        names[deviation.get("accepted") is True].append(deviation["id"])
    told = [", ".join(names[False])] if names[False] else []
    if names[True]:
        told.append(f"accepted: {', '.join(names[True])}")
    return f"{deviations_title(run)} ({'; '.join(told)})"


def print_table(target: Console, source: blocks.Table) -> None:
    """One table: ruled in a terminal, plain columns elsewhere; where it is too wide, row by row."""
    lines = plain_lines(source)
    ruling = len(source.head) + 1 if target.is_terminal else 0
    if max(map(len, lines)) + ruling > (target.width if target.is_terminal else WIDTH):
        lines = list(_row_by_row(source))
    elif target.is_terminal:
        _print_ruled(target, source)
        return
    for line in lines:
        target.print(line, markup=False)


def _print_ruled(target: Console, source: blocks.Table) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, head in enumerate(source.head):
        table.add_column(head, justify="right" if index >= source.first_number else "left")
    for row in source.rows:
        table.add_row(*map(escape, row))
    target.print(table)


def _row_by_row(source: blocks.Table) -> Iterator[str]:
    """A line for each cell, behind the head of its column; between two rows, an empty one."""
    room = max(map(len, source.head))
    for number, row in enumerate(source.rows):
        if number:
            yield ""
        for head, text in zip(source.head, row, strict=True):
            if text:
                yield f"{head:{room}}  {text}" if head else text


def plain_lines(source: blocks.Table) -> list[str]:
    """The table as aligned lines without colour or rules, whatever the width."""
    rows = [source.head, *source.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(source.head))]
    return [
        "  ".join(
            text.rjust(width) if column >= source.first_number else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _print_time(target: Console, run: Run) -> None:
    if run.metadata is None:
        return
    source = duration_table(run.metadata)
    name, total = source.rows[-1]
    target.print()
    target.print(f"{name}: {total}. {source.note}".strip(), markup=False)


def _paths(run: Run) -> list[Path]:
    files = RunFolder(run.folder)
    found = [files.html, files.summary, files.side_by_side]
    found += [files.comparison(mode) for mode in run.metrics]
    return [path for path in found if path.is_file()]
