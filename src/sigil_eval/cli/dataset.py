"""sigil-eval dataset."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sigil_eval import settings
from sigil_eval.cli import options
from sigil_eval.cli.command import Command, Commands, help_without_command
from sigil_eval.cli.endings import NOT_CLEAN
from sigil_eval.cli.option import Option
from sigil_eval.console import answer, mention, say
from sigil_eval.files import write_atomic


@click.group(cls=Commands)
@click.pass_context
def dataset(ctx: click.Context) -> None:
    """Look into training data."""
    help_without_command(ctx)


@dataset.command(
    cls=Command,
    examples=[
        "sigil-eval dataset check train.jsonl",
        "sigil-eval dataset check train.parquet val.parquet --output dataset_check.json",
        "sigil-eval dataset check train.jsonl.gz --json | jq -r '.tasks[].task_id'",
    ],
)
@click.argument("sources", type=options.PATH, nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--output",
    cls=Option,
    type=options.PATH,
    metavar="REPORT",
    help="write it, too: as JSON where REPORT ends in .json, else as Markdown",
)
@options.option(
    settings.N_WORKERS, "processes at a time  [default: by the number of cores]", metavar="N"
)
def check(sources: tuple[Path, ...], output: Path | None, n_workers: int | None) -> int:
    """Say whether training data hold the benchmark.

    And whether they are well formed. FILE is JSONL, packed by gzip or not, Parquet, or `-` for
    standard input, with rows of `prompt` and `gen`. They are compared with the prompts, reference
    answers and tests of all problem sets, and held to rules of format (docs/dataset.md). Exit code
    5 when something was found.
    """
    from sigil_eval.dataset import check_dataset, is_clean, report

    found = check_dataset(sources, n_workers)
    say(report(found))
    answer(found)
    if output is not None:
        as_json = output.suffix.lower() == ".json"
        write_atomic(output, json.dumps(found, indent=1) + "\n" if as_json else report(found))
        mention(f"written: {output}")
    return 0 if is_clean(found) else NOT_CLEAN
