"""What a training is told: the finetuner's own keys, with its defaults, typed.

`reading` makes these of a file. A default that differs from the finetuner's says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from sigil_eval.documents.constraints import AtLeastOne, Constraint, Count, Name, NotNegative, Share

type Positive = Annotated[float, Constraint(exclusiveMinimum=0)]
type Optimizer = Literal[
    "adafactor",
    "adamw_8bit",
    "adamw_torch",
    "adamw_torch_fused",
    "lion_8bit",
    "paged_adamw_32bit",
    "paged_adamw_8bit",
    "sgd",
]
type Schedule = Literal[
    "constant", "constant_with_warmup", "cosine", "inverse_sqrt", "linear", "polynomial"
]


@dataclass(frozen=True)
class Dataset:
    """Which rows are trained on, and in which order."""

    names: list[Name]
    """`local:FILE.jsonl`, `parquet:FILE.parquet`, or a data set of the hub."""
    use_cache: bool = True
    """Of the hub's: kept on disk. Without it they would be streamed, which is refused."""
    cache_dir: Name | None = None
    """Where the hub's are kept; null is where its client keeps them."""
    min_length: AtLeastOne = 64
    """Characters that an answer has at least."""
    max_length: AtLeastOne = 200_000
    """Characters that an answer has at most."""
    exclude_tests: bool = True
    """Leave out rows that are tests, by their path or their attributes."""
    exclude_examples: bool = False
    """Leave out rows whose path is an example's."""
    exclude_benches: bool = True
    """Leave out rows that are benchmarks, by their path or their attributes."""
    prefer_idiomatic: bool = False
    """Leave out rows that do not look idiomatic."""
    prefer_documented: bool = False
    """Leave out rows without a doc comment."""
    idiomatic_quality_ratio: Positive = 2.0
    """Signs of idiom for each sign of haste that a row must have to look idiomatic."""
    shuffle_seed: Count | None = None
    """Shuffle, anew in each epoch; null keeps the rows' order."""
    interleave_mode: Literal["sequential", "round_robin", "weighted"] = "sequential"
    """One data set after the other, in turn, or drawn by their weights."""
    dataset_weights: dict[str, Positive] | None = None
    """How often each of `names` is drawn from, in relation to the others."""
    task_weights: dict[str, Positive] | None = None
    """How often a row of a task type (`_task_type`) is seen in an epoch; 1 where none is given."""


@dataclass(frozen=True)
class Lora:
    """The adapter."""

    r: AtLeastOne = 16
    alpha: AtLeastOne = 16
    dropout: Share = 0.05
    target_modules: list[Name] = field(
        default_factory=lambda: [
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "up_proj",
            "down_proj",
            "gate_proj",
        ]
    )


@dataclass(frozen=True)
class Train:
    """The optimisation."""

    micro_batch_size: AtLeastOne = 8
    """Rows, or packs of rows, that go through the model at a time."""
    gradient_accumulation: AtLeastOne = 6
    """How many of these make a step."""
    lr: Positive = 1.0e-4
    weight_decay: NotNegative = 0.0
    num_steps: AtLeastOne = 12_000
    warmup_steps: Count = 250
    logging_steps: AtLeastOne = 10
    """Steps from a point of the loss curve to the next."""
    save_every: AtLeastOne = 1000
    """Steps from a checkpoint to the next; the last step has one, too."""
    bf16: bool = True
    """Compute in bfloat16; on a CPU without a 4-bit base, float32 is used instead."""
    grad_checkpointing: bool = True
    max_grad_norm: NotNegative = 1.0
    log_backend: Literal["tensorboard", "wandb", "none"] = "none"
    """Where else the loss curve goes. The finetuner's default is tensorboard; `training.json` has
    the curve without it."""
    lr_scheduler_type: Schedule = "cosine"
    optimizer: Optimizer = "paged_adamw_8bit"
    save_total_limit: AtLeastOne | None = None
    """Checkpoints that are kept. The finetuner's default, 3, deletes what a sweep compares."""
    load_best_model_at_end: bool = False
    """Refused: a checkpoint is chosen by what it can do."""
    use_flash_attention: bool | None = None
    """null takes it where it works."""
    dataloader_num_workers: Count = 0
    """Processes that read ahead, at most as many as there are cores."""
    dataloader_pin_memory: bool = True
    dataloader_prefetch_factor: AtLeastOne | None = None
    clear_cache_every_n_steps: AtLeastOne | None = None


@dataclass(frozen=True)
class Bnb4Bit:
    """How the base is held in 4 bits."""

    quant_type: Literal["nf4", "fp4"] = "nf4"
    compute_dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    use_double_quant: bool = True


@dataclass(frozen=True)
class Misc:
    """Where it goes, and from where it starts."""

    output_dir: Name = "out/llama8b-rust-qlora-phase1"
    logging_dir: Name | None = None
    """Of the log backend; null is `output_dir`/logs."""
    seed: Count = 42
    load_from: Name | None = None
    """An adapter to go on from: the second phase."""
    deterministic: bool = False
    """Only algorithms that give the same bits again: slower on a GPU, and the rule on a CPU."""


@dataclass(frozen=True)
class Configuration:
    """A training."""

    model_name: Name
    """The base: a hub id, or a folder."""
    dataset: Dataset
    max_seq_len: AtLeastOne = 4096
    """Tokens of a row, or of a pack of rows, at most."""
    pack: bool = True
    """Put several rows into one sequence; none sees another."""
    lora: Lora = field(default_factory=Lora)
    train: Train = field(default_factory=Train)
    bnb_4bit: Bnb4Bit | None = field(default_factory=Bnb4Bit)
    """null leaves the base as it is: LoRA without the Q. The finetuner knows only 4 bits."""
    misc: Misc = field(default_factory=Misc)

    @property
    def checkpoints(self) -> list[int]:
        """The steps after which a checkpoint is written, ascending."""
        steps, every = self.train.num_steps, self.train.save_every
        return [*range(every, steps, every), steps]
