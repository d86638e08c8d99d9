"""sigil-eval score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option


@click.command(
    cls=Command,
    examples=[
        "sigil-eval score samples.jsonl",
        "sigil-eval score base.jsonl tuned.jsonl --output-dir compared",
        "sigil-eval score samples.jsonl --ray 10.0.0.4:6379",
        "sigil-eval score samples.jsonl --json | jq '.metrics.policy.models'",
    ],
)
@click.argument("samples", type=options.PATH, nargs=-1, required=True, metavar="SAMPLES...")
@click.option(
    "--name",
    "names",
    cls=Option,
    multiple=True,
    metavar="NAME",
    help="what the model is called, once for each file  [default: the file's name]",
)
@options.switch(
    "--allow-partial",
    help="score samples of a part of the problems; every table and sentence then says so",
)
@options.problem_options()
@options.headline_option()
@options.judge_options()
@options.ray_option("judge")
@options.clippy_option()
@options.prove_again_switch()
@options.mode_switches()
@options.dataset_check_option()
@options.option(
    settings.K_OF_FILES,
    "k of pass@k; one above the number of samples is refused  [default: those of 1,10,100 that "
    "the samples reach]",
    metavar="1,10,100",
)
@click.option(
    "--output-dir",
    cls=Option,
    type=options.PATH,
    metavar="OUT",
    help="[default: beside the first file, its name and `_scored`]",
)
@click.pass_context
def score(ctx: click.Context, /, samples: tuple[Path, ...], **given: Any) -> int:
    """Score files of samples, and compare them.

    SAMPLES is a file, a folder, or `-` for standard input, packed by gzip or not, as human-eval,
    EvalPlus, HumanEval-X, MultiPL-E, bigcode-evaluation-harness, lm-evaluation-harness or inspect
    write them (docs/samples.md). Of two files, the first is taken as the base's, the second as its
    fine-tune's, and both are compared.

    Writes into OUT what `sigil-eval run` does: samples, results, metrics.json, and reports;
    report.html is the one to open. Interrupted, the same command goes on where it stopped.
    It needs rustc, Firejail and, for five problems, crates: see `sigil-eval env`.
    """
    from sigil_eval.scored import ScoreSettings, score_samples

    chosen.confirm_sandbox(given)
    problem_set = chosen.load_judged_problems(given)
    score_samples(
        ScoreSettings(
            sources=samples,
            names=given["names"],
            problem_set=problem_set,
            judge=chosen.judge_settings(given),
            modes=given["modes"],
            k_values=given["k_values"],
            allow_partial=given["allow_partial"],
            prove_again=given["prove_again"],
            output=given["output_dir"],
            command=chosen.command_line(ctx),
            arguments=chosen.in_order_of_the_help(ctx),
            cluster=chosen.cluster(given),
            training_data=chosen.training_data(given, problem_set),
        )
    )
    return 0
