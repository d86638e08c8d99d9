"""sigil-eval train."""

from __future__ import annotations

from pathlib import Path

import click

from sigil_eval import settings
from sigil_eval.cli import options
from sigil_eval.cli.command import Command
from sigil_eval.cli.options import Decorator
from sigil_eval.console import answer


def data_options(section: str = "Options") -> Decorator:
    """Which data are not refused."""
    return options.together(
        options.option(
            settings.MOST_TOO_LONG,
            "share of rows that may be longer than max_seq_len",
            section=section,
        ),
        options.switch(
            "--allow-contaminated",
            help="train though problems of the benchmark are in the data",
            section=section,
        ),
    )


@click.command(cls=Command, examples=["sigil-eval train demo/train.yml"])
@click.argument("configuration", metavar="CONFIG.yml", type=options.PATH)
@options.option(settings.DEVICE, "auto, cpu or cuda; auto is a GPU where there is one")
@options.option(
    settings.PROMPT_MODE,
    "how rows are put to the model; auto: as an evaluation asks, which is a chat where the "
    "tokenizer has a chat template",
)
@data_options()
@options.price_option("of the GPU, or of a machine without one, to show what the rest will cost")
def train(
    configuration: Path,
    device: str,
    prompt_mode: str,
    most_too_long: float,
    allow_contaminated: bool,
    price_per_hour: float | None,
) -> int:
    """Train a QLoRA adapter as a configuration of sigilderg-finetuner's says.

    Checkpoints go to misc.output_dir, each with a training.json that says what it is made of. What
    was interrupted goes on when the same command is given again.
    """
    from sigil_eval.training.train import Request, train

    request = Request(device, prompt_mode, most_too_long, allow_contaminated, price_per_hour)
    answer(train(configuration, request))
    return 0
