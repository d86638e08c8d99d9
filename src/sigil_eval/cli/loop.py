"""sigil-eval loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.chosen import Given
from sigil_eval.cli.command import Command
from sigil_eval.cli.dataset import making_options, making_request
from sigil_eval.cli.evaluation import evaluation_options, evaluation_settings
from sigil_eval.cli.train import data_options

if TYPE_CHECKING:
    from sigil_eval.sweep import SweepSettings
    from sigil_eval.training.configuration import Configuration


@click.command(
    cls=Command,
    examples=[
        "sigil-eval loop demo/crates.txt demo/loop.yml --val-share 0.3 --demo",
        "sigil-eval loop crates.txt train.yml --num-samples 20 --k-values 1,10 --check",
    ],
)
@click.argument("crates", type=options.PATH, metavar="CRATES.txt")
@click.argument("configuration", type=options.PATH, metavar="CONFIG.yml")
@making_options("Training data")
@data_options("Training")
@evaluation_options(replace(settings.OUTPUT_DIR, default=Path("loop_results"), variable=None))
@click.pass_context
def loop(ctx: click.Context, /, crates: Path, configuration: Path, **given: Any) -> int:
    """Go from crates to a verdict: make data, train, evaluate.

    What `dataset make`, `dataset check`, `train` and `sweep` do, one after the other. CRATES.txt
    names crates as name@version, one a line. CONFIG.yml is a configuration of sigilderg-finetuner's
    and decides on all places but the report's: the rows that are made go where its dataset.names
    reads local:FOLDER/train.jsonl, its base is evaluated against the checkpoints in its
    misc.output_dir. What was interrupted goes on when the same command is given again.
    """
    from sigil_eval.loop import LoopSettings, run_loop, try_loop
    from sigil_eval.training.train import Request

    wanted = LoopSettings(
        crates=crates,
        configuration=configuration,
        data=lambda folder, parquet: making_request(given, crates, folder, parquet),
        training=Request(
            given["device"], given["prompt_mode"], given["most_too_long"],
            given["allow_contaminated"], given["price_per_hour"],
        ),
        sweep=lambda told: _sweep(told, given, ctx),
    )  # fmt: skip
    chosen.confirm_sandbox(given)
    (try_loop if given["check"] else run_loop)(wanted)
    return 0


def _sweep(told: Configuration, given: Given, ctx: click.Context) -> SweepSettings:
    """The evaluation of what a training leaves."""
    from sigil_eval.sweep import SweepSettings

    return SweepSettings(
        sources=(told.misc.output_dir,),
        base=told.model_name,
        base_revision=given["base_revision"],
        checkpoint_revision=given["checkpoint_revision"],
        trust=chosen.trust(given),
        settings=lambda models: evaluation_settings(models, given, ctx),
    )
