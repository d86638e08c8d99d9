"""sigil-eval reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.console import answer
from sigil_eval.errors import PreflightError


@click.command(
    cls=Command,
    examples=[
        "sigil-eval reproduce humaneval_results",
        "sigil-eval reproduce humaneval_results --num-samples 0",
    ],
)
@click.argument("directory", type=options.PATH, metavar="DIR")
@options.option(
    settings.RESCORED, "results to judge again; 0 needs neither rustc nor Firejail", metavar="N"
)
@click.option(
    "--seed",
    cls=Option,
    type=int,
    metavar="N",
    help="which results  [default: chance decides]",
)
@options.workers_option()
@options.problem_options(recorded=True)
def reproduce(directory: Path, num_samples: int, seed: int | None, **given: Any) -> int:
    """Check a finished run, and judge a part of it again.

    Its files against their hashes, its pins against this machine, and results drawn at random
    judged again. Writes DIR/reproduction.json, which `sigil-eval report` shows. Exit code 3 when a
    file was changed or a verdict differs.
    """
    from sigil_eval.reproduce import faults, print_reproduction, reproduce

    found = reproduce(
        directory,
        samples=num_samples,
        seed=seed,
        workers=given["n_workers"],
        problem_set=chosen.named_problems(given),
    )
    print_reproduction(found)
    answer(found)
    wrong = faults(found)
    if wrong:
        raise PreflightError("the run does not hold:\n  " + "\n  ".join(wrong))
    return 0
