"""What a configuration may say and cannot be done, or would do harm, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.errors import did_you_mean, quoted
from sigil_eval.training.configuration import Configuration

# Keys that the finetuner's program reads and that mean nothing here.
KNOWN_AND_REFUSED = {
    "misc.log_file": "is not done here: training.json has the loss curve, and `| tee FILE` keeps "
    "what is printed",
    "misc.model_card_frequency": "is not done here: no model card is written; training.json says "
    "what a checkpoint is made of",
}


def refuse(told: Configuration, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The keys whose values cannot be carried out, with the reasons; `given` stand in the file."""
    yield from _of_data(told)
    if not told.lora.target_modules:
        yield "lora.target_modules", "is empty: nothing would be trained"
    train = told.train
    if train.warmup_steps >= train.num_steps:
        key = "train.warmup_steps" if "train.warmup_steps" in given else "train.num_steps"
        yield (
            key,
            f"leaves {train.num_steps} steps, of which the first {train.warmup_steps} warm up: the "
            "learning rate would never reach lr; set train.warmup_steps lower",
        )
    written = len(told.checkpoints)
    if train.save_total_limit is not None and train.save_total_limit < written:
        yield (
            "train.save_total_limit",
            f"is {train.save_total_limit}, and {written} checkpoints are written: those that a "
            "sweep compares would be deleted; take the key out, or save less often "
            "(train.save_every)",
        )
    if train.load_best_model_at_end:
        yield (
            "train.load_best_model_at_end",
            "would choose a checkpoint by loss; all are kept, and evaluated by `sigil-eval run`",
        )
    if train.dataloader_prefetch_factor is not None and not train.dataloader_num_workers:
        yield "train.dataloader_prefetch_factor", "needs train.dataloader_num_workers"


def _of_data(told: Configuration) -> Iterator[tuple[str, str]]:
    data = told.dataset
    if not data.names:
        yield "dataset.names", "is empty"
    twice = {name for name in data.names if data.names.count(name) > 1}
    if twice:
        yield "dataset.names", f"has {quoted(min(twice))} twice"
    if data.max_length < data.min_length:
        yield "dataset.max_length", f"is below dataset.min_length, {data.min_length}"
    if not data.use_cache and any(is_of_the_hub(name) for name in data.names):
        yield (
            "dataset.use_cache",
            "false would stream data of the hub, which can neither be shuffled as a whole nor "
            "gone on with where it stopped; leave it true",
        )
    for name in data.dataset_weights or {}:
        if name not in data.names:
            meant = did_you_mean(name, data.names)
            yield "dataset.dataset_weights", f"names {quoted(name)}, which is not in names.{meant}"
    if data.dataset_weights and data.interleave_mode != "weighted":
        yield "dataset.dataset_weights", "has an effect only with interleave_mode: weighted"


def is_of_the_hub(name: str) -> bool:
    """Whether a data set's name means the hub's."""
    return not name.startswith(("local:", "parquet:"))
