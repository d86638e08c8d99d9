"""What the commands that evaluate have in common: all but which models they evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.chosen import Given
from sigil_eval.cli.option import Option
from sigil_eval.cli.options import Decorator, option, switch, together
from sigil_eval.provisioned import provisioned
from sigil_eval.run_folder import BASE, RunFolder
from sigil_eval.settings import Setting

if TYPE_CHECKING:
    from sigil_eval.evaluation import EvaluationSettings, ModelChoice, Sweep


def base_model_option() -> Decorator:
    """Which base model."""
    return option(
        settings.BASE_MODEL,
        "hub id, folder of a hub repository, or local folder",
        metavar="MODEL",
        section="Models",
    )


def evaluation_options(output_dir: Setting[Path] = settings.OUTPUT_DIR) -> Decorator:
    """How samples are drawn, judged and scored, and where everything goes."""
    return together(
        options.sampling_options(),
        options.engine_options(),
        option(
            settings.K_VALUES,
            "k of pass@k, none above the number of samples",
            metavar="1,10,100",
            section="Scoring",
        ),
        options.problem_options("Scoring"),
        options.headline_option("Scoring"),
        options.judge_options("Scoring"),
        options.clippy_option("Scoring"),
        options.ray_option("draw and judge", "Cluster"),
        options.prove_again_switch("Scoring"),
        options.mode_switches("Scoring"),
        options.dataset_check_option(
            "  [default: dataset_check.json with the checkpoint]", "Scoring"
        ),
        _output_options(output_dir),
    )


def _output_options(output_dir: Setting[Path]) -> Decorator:
    return together(
        option(
            output_dir,
            "where everything goes; interrupted, the same command goes on there",
            metavar="DIR",
            section="Output",
        ),
        click.option(
            "--provision-state",
            cls=Option,
            type=options.PATH,
            default=lambda: provisioned().get("state_dir"),
            hidden=True,
        ),
        options.price_option("of each GPU, or of a machine without one, for the cost", "Output"),
        switch("--demo", help="say so in every report", section="Output"),
        switch(
            "--check",
            help="check all that can be checked beforehand (models, prompts, device, deviations), "
            "and stop; writes nothing",
            section="Output",
        ),
        switch(
            "--strict/--no-strict",
            help="refuse to run when the environment departs from what is pinned",
            show_default=True,
            section="Output",
        ),
        option(
            settings.ACCEPTED_DEVIATIONS,
            "deviations that a strict run lets pass, by their ids, with spaces or commas between; "
            "they are recorded, and shown as accepted  [default: none]",
            metavar="IDS",
            section="Output",
        ),
    )


def evaluation_settings(
    models: ModelChoice | Sweep, given: Given, ctx: click.Context
) -> EvaluationSettings:
    """What the options come to, for these models. Raises UsageError for what cannot be met."""
    from sigil_eval.evaluation import EvaluationSettings

    problem_set = chosen.load_judged_problems(given)
    checkpoints = [models.spec(label).checkpoint for label in models.labels if label != BASE]
    return EvaluationSettings(
        models=models,
        drawing=chosen.drawing(given),
        problem_set=problem_set,
        judge=chosen.judge_settings(given),
        modes=given["modes"],
        k_values=given["k_values"],
        folder=RunFolder(given["output_dir"]),
        provision_state=given["provision_state"],
        strict=given["strict"],
        prove_again=given["prove_again"],
        accepted_deviations=given["accepted_deviations"],
        demo=given["demo"],
        command=chosen.command_line(ctx),
        arguments=chosen.in_order_of_the_help(ctx),
        cluster=chosen.cluster(given),
        training_data=chosen.training_data(given, problem_set, filter(None, checkpoints)),
    )
