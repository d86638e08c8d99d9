"""sigil-eval dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigil_eval import settings
from sigil_eval.cli import options
from sigil_eval.cli.chosen import Given
from sigil_eval.cli.command import Command, Commands, help_without_command
from sigil_eval.cli.endings import NOT_CLEAN
from sigil_eval.cli.option import Option
from sigil_eval.cli.options import Decorator
from sigil_eval.console import answer, mention, say
from sigil_eval.errors import UsageError
from sigil_eval.files import write_atomic

if TYPE_CHECKING:
    from sigil_eval.making.make import Request


@click.group(cls=Commands)
@click.pass_context
def dataset(ctx: click.Context) -> None:
    """Look into training data, and make some."""
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
    standard input, with rows of `prompt` and `gen`, or of chats (`messages`, `conversations`). They
    are compared with the prompts, reference
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


def making_options(section: str = "Options") -> Decorator:
    """What data are made of crates by, besides the seed."""
    return options.together(
        options.option(
            settings.VAL_SHARE, "share of crates that are kept for validation", section=section
        ),
        click.option(
            "--locked",
            cls=Option,
            type=options.PATH,
            metavar="DIR",
            section=section,
            help="compile with what the Cargo.locks of an earlier data set name, not with today's "
            "versions",
        ),
        options.option(
            settings.WRITER_URL,
            "an OpenAI-compatible server whose model writes rows, too; its token is read from "
            "OPENAI_API_KEY",
            metavar="URL",
            section=section,
        ),
        options.option(
            settings.WRITER_MODEL,
            "the model, as the server calls it",
            metavar="NAME",
            section=section,
        ),
        options.option(
            settings.WRITER_TEMPERATURE, "at which it is asked", metavar="T", section=section
        ),
    )


def making_request(given: Given, crates: Path, folder: Path, parquet: bool) -> Request:
    """What these options come to, with `seed`. Raises UsageError for what does not go together."""
    from sigil_eval.making.make import Request
    from sigil_eval.making.writer import WriterOptions

    url, model = given["writer_url"], given["writer_model"]
    if model and not url:
        raise UsageError("--writer-model needs the server that has it: --writer-url")
    writer = WriterOptions(url, model or "", given["writer_temperature"]) if url else None
    return Request(
        crates, folder, given["seed"], given["val_share"], parquet, given["locked"], writer
    )


@dataset.command(
    cls=Command,
    examples=[
        "sigil-eval dataset make crates.txt --output-dir data",
        "sigil-eval dataset make crates.txt --output-dir data --parquet --val-share 0.2",
        "sigil-eval dataset make crates.txt --output-dir again --locked data",
        "sigil-eval dataset make crates.txt --output-dir data "
        "--writer-url http://127.0.0.1:8000/v1 --writer-model NAME",
    ],
)
@click.argument("crates", type=options.PATH, metavar="CRATES.txt")
@click.option(
    "--output-dir",
    cls=Option,
    type=options.PATH,
    metavar="DIR",
    required=True,
    help="train.jsonl, val.jsonl and dataset_made.json go there",
)
@options.option(settings.SEED, "of the order of rows, their tasks and the split")
@making_options()
@options.switch("--parquet", help="write Parquet instead of JSONL")
def make(crates: Path, output_dir: Path, parquet: bool, **given: Any) -> int:
    """Make training data of published crates.

    CRATES.txt names them as name@version, one a line. Each is fetched by sigil-pipeline and must
    compile in the sandbox. Rows are what the code itself gives: completion, doc comment to
    function, fill-in-the-middle. What needs a language model (errors to be mended, transformations,
    explanations, tasks in words) is made with --writer-url: what the model writes is parsed,
    compiled where it claims something of code, and rejected by reason. What was interrupted goes
    on when the same command is given again.
    """
    from sigil_eval.making.make import make_dataset
    from sigil_eval.making.report import report

    made = make_dataset(making_request(given, crates, output_dir, parquet))
    say(report(made))
    answer(made)
    return 0
