"""sigil-eval run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sigil_eval import settings
from sigil_eval.cli import chosen
from sigil_eval.cli.chosen import Given
from sigil_eval.cli.command import Command
from sigil_eval.cli.evaluation import base_model_option, evaluation_options, evaluation_settings
from sigil_eval.cli.options import option, switch
from sigil_eval.run_folder import BASE, MODEL_LABELS, TUNED

if TYPE_CHECKING:
    from sigil_eval.evaluation import ModelChoice


@click.command(
    cls=Command,
    examples=[
        "sigil-eval run --num-samples 20 --k-values 1,10 --output-dir results",
        "sigil-eval run --base-model models/base --checkpoint-path models/adapter --check",
        "sigil-eval run --config evaluation.toml",
    ],
)
@base_model_option()
@option(
    settings.CHECKPOINT_PATH,
    "the fine-tune: a PEFT adapter, local or in a folder of a hub repository",
    metavar="ADAPTER",
    section="Models",
)
@switch("--skip-base", help="the fine-tune alone", section="Models")
@switch("--skip-finetuned", help="the base alone", section="Models")
@evaluation_options()
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> int:
    """Run the whole evaluation: prove, generate, score, report.

    Generates samples with a base model and its fine-tune, scores the same samples without and with
    the safety policy, and writes the reports. After `bash eval_setup.sh`, compiler, crates and
    sandbox user are found by themselves: `sigil-eval env` shows them.
    """
    from sigil_eval.evaluation import run_evaluation, try_evaluation

    wanted = evaluation_settings(_models(given), given, ctx)
    chosen.confirm_sandbox(given)
    if given["check"]:
        try_evaluation(wanted)
    else:
        run_evaluation(wanted)
    return 0


def _models(given: Given) -> ModelChoice:
    from sigil_eval.evaluation import ModelChoice

    skipped = {BASE: given["skip_base"], TUNED: given["skip_finetuned"]}
    return ModelChoice(
        base=given["base_model"],
        checkpoint=given["checkpoint_path"],
        base_revision=given["base_revision"],
        checkpoint_revision=given["checkpoint_revision"],
        trust=chosen.trust(given),
        labels=tuple(label for label in MODEL_LABELS if not skipped[label]),
    )
