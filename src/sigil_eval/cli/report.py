"""sigil-eval report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.errors import UsageError


@click.command(
    cls=Command,
    examples=[
        "sigil-eval report humaneval_results",
        "sigil-eval report humaneval_results --terminal",
    ],
)
@click.argument("directory", type=options.PATH, metavar="DIR")
@options.problem_options(recorded=True)
@options.switch("--terminal", help="only show the table of results")
def report(directory: Path, terminal: bool, **given: Any) -> int:
    """Rebuild the reports of a finished run.

    Makes metrics.json and every report anew from the results. Needs neither GPU nor rustc.
    """
    from sigil_eval.reporting.rebuild import refresh_metrics
    from sigil_eval.reporting.reports import write_reports
    from sigil_eval.reporting.terminal import print_summary

    if not directory.is_dir():
        raise UsageError(f"{directory}: no such folder")
    if not terminal:
        problem_set = chosen.named_problems(given)
        refresh_metrics(directory, problem_set)
        write_reports(directory, problem_set)
    print_summary(directory)
    return 0
