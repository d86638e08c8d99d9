"""A training from its configuration to its last checkpoint: `sigil-eval train`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval import settings
from sigil_eval.console import ProgressLine, format_duration, mention, say
from sigil_eval.documents.training import HeldOutPoint, LossPoint, Training
from sigil_eval.files import only_writer, sha256_file
from sigil_eval.training.checkpoints import Reached, check_space, go_on_from
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.needs import check_libraries
from sigil_eval.training.progress import TrainingProgress
from sigil_eval.training.reading import read_configuration
from sigil_eval.training.rows import find_source

if TYPE_CHECKING:
    from sigil_eval.training.prepared import Prepared


@dataclass(frozen=True)
class Request:
    """What is asked for besides the configuration.

    `most_too_long` is the share of rows that may be longer than max_seq_len.
    """

    device: str = settings.DEVICE.default
    prompt_mode: str = settings.PROMPT_MODE.default
    most_too_long: float = settings.MOST_TOO_LONG.default
    allow_contaminated: bool = False
    price_per_hour: float | None = None


def train(configuration: Path, request: Request) -> Training:
    """Train, or go on where a training stopped; the record of what is then in misc.output_dir.

    Raises UsageError for what cannot be done as it was asked for, and PreflightError for what this
    machine lacks, both before a step is done; PreflightError, too, when memory runs out or nothing
    is learned any more.
    """
    told = read_configuration(configuration)
    sources = [find_source(name) for name in told.dataset.names]
    check_libraries(told)
    from sigil_eval.training.prepared import prepare
    from sigil_eval.training.record import new_training, write_check, write_training

    output = Path(told.misc.output_dir)
    output.mkdir(parents=True, exist_ok=True)
    complaint = "another training is writing here. Wait for it, or name another misc.output_dir"
    with only_writer(output, complaint):
        prepared = prepare(
            told,
            sources,
            device=request.device,
            prompt_mode=request.prompt_mode,
            most_too_long=request.most_too_long,
            allow_contaminated=request.allow_contaminated,
        )
        training = new_training(told, sha256_file(configuration), prepared)
        reached = go_on_from(output, training)
        if reached is None:
            write_check(output, prepared.check)
            write_training(output, training)
        else:
            training = reached.training
        if training["steps"] == told.train.num_steps:
            say(f"{output}: all {told.train.num_steps} steps are done already")
            return training
        return _do_steps(told, prepared, training, reached, request.price_per_hour)


def _do_steps(
    told: Configuration,
    prepared: Prepared,
    training: Training,
    reached: Reached | None,
    price_per_hour: float | None,
) -> Training:
    """Load the model and do the steps that are left."""
    from sigil_eval.training.model import load_trainable
    from sigil_eval.training.trainer import be_quiet, make_trainer, run_trainer

    output = Path(told.misc.output_dir)
    done, steps = training["steps"], told.train.num_steps
    if reached is not None:
        mention(f"going on from {reached.folder}, {done} of {steps} steps")
    be_quiet()
    model = load_trainable(prepared.model, told, prepared.hardware, output)
    check_space(model.num_parameters(only_trainable=True), told, done)
    with ProgressLine("training", steps, done, "steps") as line:
        kept = _Kept(output, training, TrainingProgress(line, price_per_hour))
        trainer = make_trainer(
            model,
            prepared.tokenizer,
            prepared.data,
            prepared.held_out_data,
            told,
            prepared.hardware,
            kept,
        )
        run_trainer(trainer, None if reached is None else reached.folder)
    first, last = kept.training["loss_curve"][0], kept.training["loss_curve"][-1]
    say(
        f"{output}: {steps} steps in {format_duration(kept.training['seconds'])}; loss "
        f"{first['loss']:.3f} at step {first['step']}, {last['loss']:.3f} at step {last['step']}"
        + "".join(
            f"; of held-out rows {point['loss']:.3f}"
            for point in kept.training["held_out_curve"][-1:]
        )
    )
    return kept.training


class _Kept:
    """What a trainer says of a training, on the screen and on record."""

    def __init__(self, output: Path, training: Training, progress: TrainingProgress) -> None:
        self.training = training
        self._output, self._progress = output, progress
        self._before, self._began = training["seconds"], time.monotonic()

    def on_step(self, step: int, tokens: int) -> None:
        """Steps and tokens so far."""
        self._progress.step(step, tokens)

    def on_point(self, point: LossPoint) -> None:
        """A new point of the loss curve."""
        self.training = {**self.training, "loss_curve": [*self.training["loss_curve"], point]}
        self._progress.loss(point["loss"])

    def on_held_out(self, point: HeldOutPoint) -> None:
        """A new point of the curve of held-out rows."""
        curve = [*self.training["held_out_curve"], point]
        self.training = {**self.training, "held_out_curve": curve}
        self._progress.held_out(point["loss"])

    def on_checkpoint(self, step: int, folder: Path) -> None:
        """All of a checkpoint but its record has been written."""
        from sigil_eval.training.record import write_training

        seconds = self._before + time.monotonic() - self._began
        self.training = {**self.training, "steps": step, "seconds": round(seconds, 3)}
        write_training(folder, self.training)
        write_training(self._output, self.training)
