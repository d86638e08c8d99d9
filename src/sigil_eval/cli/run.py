"""sigil-eval run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen, options
from sigil_eval.cli.chosen import Given
from sigil_eval.cli.command import Command
from sigil_eval.cli.option import Option
from sigil_eval.cli.options import option, switch
from sigil_eval.provisioned import provisioned
from sigil_eval.run_folder import BASE, MODEL_LABELS, TUNED, RunFolder

if TYPE_CHECKING:
    from sigil_eval.evaluation import EvaluationSettings


@click.command(
    cls=Command,
    examples=[
        "sigil-eval run --num-samples 20 --k-values 1,10 --output-dir results",
        "sigil-eval run --base-model models/base --checkpoint-path models/adapter --check",
        "sigil-eval run --config evaluation.toml",
    ],
)
@option(
    settings.BASE_MODEL,
    "hub id, folder of a hub repository, or local folder",
    metavar="MODEL",
    section="Models",
)
@option(
    settings.CHECKPOINT_PATH,
    "the fine-tune: a PEFT adapter, local or in a folder of a hub repository",
    metavar="ADAPTER",
    section="Models",
)
@switch("--skip-base", help="the fine-tune alone", section="Models")
@switch("--skip-finetuned", help="the base alone", section="Models")
@options.sampling_options()
@options.engine_options()
@option(
    settings.K_VALUES,
    "k of pass@k, none above the number of samples",
    metavar="1,10,100",
    section="Scoring",
)
@options.problem_options("Scoring")
@options.headline_option("Scoring")
@options.judge_options("Scoring")
@options.clippy_option("Scoring")
@options.prove_again_switch("Scoring")
@options.mode_switches("Scoring")
@option(
    settings.OUTPUT_DIR,
    "where everything goes; interrupted, the same command goes on there",
    metavar="DIR",
    section="Output",
)
@click.option(
    "--provision-state",
    cls=Option,
    type=options.PATH,
    default=lambda: provisioned().get("state_dir"),
    hidden=True,
)
@options.price_option("to estimate what the run cost", "Output")
@switch("--demo", help="say so in every report", section="Output")
@switch(
    "--check",
    help="check all that can be checked beforehand (models, prompts, device, deviations), and "
    "stop; writes nothing",
    section="Output",
)
@switch(
    "--strict/--no-strict",
    help="refuse to run when the environment departs from what is pinned",
    show_default=True,
    section="Output",
)
@option(
    settings.ACCEPTED_DEVIATIONS,
    "deviations that a strict run lets pass, by their ids, with spaces or commas between; they are "
    "recorded, and shown as accepted  [default: none]",
    metavar="IDS",
    section="Output",
)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> int:
    """Run the whole evaluation: prove, generate, score, report.

    Generates samples with a base model and its fine-tune, scores the same samples without and with
    the safety policy, and writes the reports. After `bash eval_setup.sh`, compiler, crates and
    sandbox user are found by themselves: `sigil-eval env` shows them.
    """
    from sigil_eval.evaluation import run_evaluation, try_evaluation

    wanted = _settings(given, ctx)
    chosen.confirm_sandbox(given)
    if given["check"]:
        try_evaluation(wanted)
    else:
        run_evaluation(wanted)
    return 0


def _settings(given: Given, ctx: click.Context) -> EvaluationSettings:
    from sigil_eval.evaluation import EvaluationSettings, ModelChoice

    skipped = {BASE: given["skip_base"], TUNED: given["skip_finetuned"]}
    return EvaluationSettings(
        models=ModelChoice(
            base=given["base_model"],
            checkpoint=given["checkpoint_path"],
            base_revision=given["base_revision"],
            checkpoint_revision=given["checkpoint_revision"],
            trust=chosen.trust(given),
            labels=tuple(label for label in MODEL_LABELS if not skipped[label]),
        ),
        drawing=chosen.drawing(given),
        problem_set=chosen.load_judged_problems(given),
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
    )
