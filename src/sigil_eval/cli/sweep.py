"""sigil-eval sweep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen
from sigil_eval.cli.command import Command
from sigil_eval.cli.evaluation import base_model_option, evaluation_options, evaluation_settings
from sigil_eval.cli.option import Option


@click.command(
    cls=Command,
    examples=[
        "sigil-eval sweep run/ --base-model models/base --num-samples 20 --k-values 1,10",
        "sigil-eval sweep run/checkpoint-500 run/checkpoint-9000 --output-dir two",
        "sigil-eval sweep run/ --watch 60",
    ],
)
@click.argument("checkpoints", nargs=-1, required=True, metavar="CHECKPOINTS...")
@base_model_option()
@click.option(
    "--watch",
    cls=Option,
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    section="Models",
    help="wait for checkpoints that training is yet to write, until none has come for so long",
)
@evaluation_options(replace(settings.OUTPUT_DIR, default=Path("sweep_results"), variable=None))
@click.pass_context
def sweep(ctx: click.Context, /, checkpoints: tuple[str, ...], **given: Any) -> int:
    """Evaluate the checkpoints of a training run.

    CHECKPOINTS is the folder of a training run with checkpoint-N folders in it, a single
    checkpoint, one of these on the hub, or a text file with one a line. All are compared with the
    base, and with the best of them, in one report with the curve over training steps.
    """
    from sigil_eval.sweep import SweepSettings, run_sweep, try_sweep

    wanted = SweepSettings(
        sources=checkpoints,
        base=given["base_model"],
        base_revision=given["base_revision"],
        checkpoint_revision=given["checkpoint_revision"],
        trust=chosen.trust(given),
        settings=lambda models: evaluation_settings(models, given, ctx),
        watch_seconds=None if given["watch"] is None else 60 * given["watch"],
    )
    chosen.confirm_sandbox(given)
    (try_sweep if given["check"] else run_sweep)(wanted)
    return 0
