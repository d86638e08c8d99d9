"""sigil-eval compare."""

from __future__ import annotations

from pathlib import Path

import click

from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.cli.options import PATH
from sigil_eval.console import answer, mention, visible
from sigil_eval.files import write_atomic


@click.command(
    cls=Command,
    examples=[
        "sigil-eval compare first_results second_results",
        "sigil-eval compare first_results second_results --output compared.html",
    ],
)
@click.argument("directories", type=PATH, nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--output",
    cls=Option,
    type=PATH,
    metavar="FILE",
    help="write it, too: as a page where FILE ends in .html, else as Markdown",
)
def compare(directories: tuple[Path, ...], output: Path | None) -> int:
    """Put the models of several runs side by side.

    Differences are paired over problems, from the first model on. Runs that were judged otherwise
    (problem set, errata, limits, compiler, sandbox, judge) are refused.
    """
    from sigil_eval.reporting.compare_page import compare_page
    from sigil_eval.reporting.side_by_side import compare_runs, print_comparison

    compared = compare_runs(directories)
    print_comparison(compared)
    answer(compared.document())
    if output is not None:
        as_page = output.suffix.lower() in (".html", ".htm")
        written = compare_page(compared, output) if as_page else compared.markdown()
        write_atomic(output, visible(written))
        mention(f"written: {output}")
    return 0
