"""trl's SFTTrainer, told what the configuration says, and what is heard of it while it runs."""

from __future__ import annotations

import logging
import math
import os
import warnings
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import PrinterCallback, TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from sigil_eval.documents.training import HeldOutPoint, LossPoint
from sigil_eval.errors import PreflightError
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.training.configuration import Configuration


class Listener(Protocol):
    """Hears how a training goes."""

    def on_step(self, step: int, tokens: int) -> None:
        """After each step: steps and tokens so far."""
        ...

    def on_point(self, point: LossPoint) -> None:
        """At each new point of the loss curve."""
        ...

    def on_held_out(self, point: HeldOutPoint) -> None:
        """When the loss of held-out rows was measured, before the checkpoint is written."""
        ...

    def on_checkpoint(self, step: int, folder: Path) -> None:
        """When the trainer has written all that it writes of a checkpoint."""
        ...


class Trainer(SFTTrainer):
    """Without the card that trl writes: training.json says more."""

    def create_model_card(self, *args: Any, **more: Any) -> None:
        """None is written."""


class _PassOn(TrainerCallback):
    """Passes on what happens."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After a step."""
        self._listener.on_step(state.global_step, state.num_input_tokens_seen)
        if args.eval_strategy == "steps" and state.global_step >= state.max_steps:
            control.should_evaluate = True  # the last checkpoint is a checkpoint, too

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """When held-out rows were looked at."""
        loss = float(more["metrics"]["eval_loss"])
        self._listener.on_held_out({"step": state.global_step, "loss": loss})

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        """At a point of the loss curve."""
        if logs and "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise PreflightError(
                    f"the loss is {logs['loss']} at step {state.global_step}: nothing is learned "
                    "any more. Set train.lr lower, or train.warmup_steps higher, and another "
                    "misc.output_dir"
                )
            self._listener.on_point(
                {
                    "step": state.global_step,
                    "loss": float(logs["loss"]),
                    "learning_rate": float(logs["learning_rate"]),
                    "tokens": int(state.num_input_tokens_seen),
                }
            )

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """When a checkpoint has been written."""
        step = state.global_step
        self._listener.on_checkpoint(step, Path(args.output_dir) / f"checkpoint-{step}")


def make_trainer(
    model: Any,
    tokenizer: Any,
    data: Any,
    held_out: Any,
    told: Configuration,
    info: EngineInfo,
    listener: Listener,
) -> Trainer:
    """A trainer for a model with its adapter, and a `datasets.Dataset` of tokens; of another, which
    may be None, the loss is measured at each checkpoint."""
    trainer = Trainer(
        model=model,
        args=_arguments(told, info, held_out is not None),
        train_dataset=data,
        eval_dataset=held_out,
        processing_class=tokenizer,
        callbacks=[_PassOn(listener)],
    )
    trainer.remove_callback(PrinterCallback)
    # trl makes the adapter of a 4-bit base bfloat16, in which small steps are rounded away.
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return trainer


def _arguments(told: Configuration, info: EngineInfo, measures: bool) -> SFTConfig:
    # Long because every argument stands here, and once.
    train, misc = told.train, told.misc
    rows, together = train.micro_batch_size, train.gradient_accumulation
    if told.pack and info.attention == "sdpa":
        # Packs would be laid one behind the other, and attention without flash looks at all of
        # them squared; one at a time is the same gradient.
        rows, together = 1, rows * together
    # The place is no argument of transformers' any more.
    os.environ["TENSORBOARD_LOGGING_DIR"] = misc.logging_dir or f"{misc.output_dir}/logs"
    in_order = told.dataset.shuffle_seed is None and not told.pack
    seed = told.dataset.shuffle_seed
    return SFTConfig(
        output_dir=misc.output_dir,
        max_steps=train.num_steps,
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=together,
        learning_rate=train.lr,
        weight_decay=train.weight_decay,
        lr_scheduler_type=train.lr_scheduler_type,
        warmup_steps=train.warmup_steps,
        optim=train.optimizer,
        max_grad_norm=train.max_grad_norm,
        bf16=info.dtype == "bfloat16",
        gradient_checkpointing=train.grad_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=train.logging_steps,
        logging_first_step=True,
        save_strategy="steps",
        save_steps=train.save_every,
        eval_strategy="steps" if measures else "no",
        eval_steps=train.save_every,
        per_device_eval_batch_size=1,
        eval_packing=False,
        prediction_loss_only=True,
        report_to=train.log_backend,
        seed=misc.seed,
        data_seed=misc.seed if seed is None else seed,
        train_sampling_strategy="sequential" if in_order else "random",
        full_determinism=misc.deterministic,
        use_cpu=info.device == "cpu",
        dataloader_num_workers=min(train.dataloader_num_workers, os.cpu_count() or 1),
        dataloader_pin_memory=train.dataloader_pin_memory and info.device != "cpu",
        dataloader_prefetch_factor=train.dataloader_prefetch_factor,
        torch_empty_cache_steps=train.clear_cache_every_n_steps,
        max_length=told.max_seq_len,
        packing=told.pack,
        completion_only_loss=True,
        include_num_input_tokens_seen="all",
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        push_to_hub=False,
    )


def run_trainer(trainer: Trainer, go_on_from: Path | None) -> None:
    """All steps, or those behind a checkpoint. Raises PreflightError where memory runs out."""
    try:
        trainer.train(resume_from_checkpoint=str(go_on_from) if go_on_from else None)
    except torch.OutOfMemoryError:
        raise PreflightError(
            "a step does not fit into the GPU's memory: set train.micro_batch_size lower, and "
            "train.gradient_accumulation higher by as much (the step stays the same), or "
            "max_seq_len lower"
        ) from None


def be_quiet() -> None:
    """Keep the libraries' advice to programmers and their bars out of what people see."""
    import datasets

    datasets.disable_progress_bars()
    for name in ("trl", "accelerate", "transformers.trainer", "peft"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(torch|trl|peft|transformers|bitsandbytes)\b")
