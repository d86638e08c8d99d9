"""sigil-eval generate."""

from __future__ import annotations

from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.console import answer
from sigil_eval.errors import UsageError


@click.command(
    cls=Command,
    examples=[
        "sigil-eval generate --base-model models/base --num-samples 5 --output base.jsonl",
        "sigil-eval generate --checkpoint-path run/checkpoint-9000 --output tuned.jsonl",
        "sigil-eval generate --base-model models/base --show-prompt HumanEval/0",
    ],
)
@click.option("--base-model", cls=Option, metavar="MODEL", help="[default: what the adapter names]")
@click.option(
    settings.CHECKPOINT_PATH.option,
    settings.CHECKPOINT_PATH.name,
    cls=Option,
    aliases=settings.CHECKPOINT_PATH.aliases,
    multiple=True,
    metavar="ADAPTER",
    help="a PEFT adapter for the base model; may be given several times",
)
@click.option(
    "--output",
    cls=Option,
    type=options.PATH,
    metavar="FILE.jsonl",
    help="where the samples go; with several adapters, a folder",
)
@click.option(
    "--shard",
    cls=Option,
    metavar="I/N",
    help="draw only part I of N; the command without it puts the parts together",
)
@options.price_option("of each GPU, or of a machine without one, to show the cost so far")
@options.problem_options()
@click.option(
    "--show-prompt",
    cls=Option,
    metavar="TASK",
    help="print the exact prompt of a task, and generate nothing",
)
@options.sampling_options()
@options.engine_options()
def generate(**given: Any) -> int:
    """Generate samples with one model.

    The model is a hub id, a folder of a hub repository (owner/name/folder), or a local folder; an
    adapter is loaded onto its base and merged.
    """
    from sigil_eval.generation import ModelSpec, Shard
    from sigil_eval.single_file import generate_files, print_prompt

    problem_set = chosen.load_problems(given)
    drawing, trust = chosen.drawing(given), chosen.trust(given)
    models = [
        ModelSpec(
            base=given["base_model"],
            checkpoint=checkpoint,
            base_revision=given["base_revision"],
            checkpoint_revision=given["checkpoint_revision"],
            trust=trust,
        )
        for checkpoint in given["checkpoint_path"] or [None]
    ]
    if given["show_prompt"] is not None:
        print_prompt(models[0], problem_set, given["show_prompt"], drawing)
        return 0
    if given["output"] is None:
        raise UsageError("where should the samples go? Name a file: --output FILE.jsonl")
    shard = Shard.parse(given["shard"]) if given["shard"] else None
    answer(generate_files(models, problem_set, drawing, given["output"], shard))
    return 0
