"""training.json: what an adapter is made of, and how far its training has come.

It lies beside the checkpoints and in each of them, where it is written last: a checkpoint without
it is not whole. Holds no credentials, and nothing of the rows but their counts and hashes.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from sigil_eval.documents.constraints import (
    AtLeastOne,
    Count,
    Name,
    NotNegative,
    Sha256,
    Timestamp,
    also,
)

TRAINING_VERSION: Literal[2] = 2
TRAINING_FILE = "training.json"


@also(additionalProperties=True)
class TrainingRow(TypedDict):
    """A row of training data, as sigil-pipeline writes it."""

    prompt: str
    """What is asked."""
    gen: Name
    """The answer."""
    split: NotRequired[str | None]
    """`train` or `val`; those of `val` are held out. Also called `_split`."""
    _task_type: NotRequired[str | None]
    """What kind of task it is."""
    _file_path: NotRequired[str | None]
    """Where in a crate the code stood."""
    path: NotRequired[str | None]
    """The same, as data sets of the hub have it."""


class TrainedModel(TypedDict):
    """A model by name and content."""

    name: Name
    """A hub id, or a folder."""
    revision: Name
    """Its commit, or the hash of its files."""


class TrainedBase(TrainedModel):
    """The base, and how it was held."""

    parameters: AtLeastOne
    """How many it has."""
    quantization: Literal["none", "nf4", "fp4"]
    """Of its weights."""


class TrainingSource(TypedDict):
    """One of the data sets that were named."""

    name: Name
    """As the configuration names it."""
    revision: Name
    """`sha256:` and the hash of a file, or the commit of a data set of the hub."""
    rows: Count
    """Rows that it has."""
    used: Count
    """Rows that are trained on."""
    held_out: Count
    """Rows whose split is `val`: not trained on, their loss is measured."""
    left_out: dict[str, Count]
    """Rows that are neither, by reason."""


class TrainingData(TypedDict):
    """The data of an epoch."""

    sources: list[TrainingSource]
    """In the order of the configuration."""
    rows: AtLeastOne
    """Rows of an epoch, those that are seen more than once included."""
    tokens: AtLeastOne
    """Tokens of an epoch."""
    learned_tokens: AtLeastOne
    """Tokens of an epoch that are answers, which alone are learned."""


class TrainingCheck(TypedDict):
    """What dataset_check.json, beside the checkpoints, says of the data."""

    sha256: Sha256
    """Of dataset_check.json."""
    contaminated_rows: Count
    """Rows that have a problem of the benchmark, or a part of one."""
    tasks: list[Name]
    """The problems that are in the data."""


class TrainingPrompt(TypedDict):
    """How a row is put to the model."""

    mode: Literal["chat", "completion"]
    """Through the tokenizer's chat template, or as it is."""
    template_sha256: Sha256
    """Of the way prompts are made; an evaluation records the same."""
    tokenizer_sha256: Sha256
    """Of what decides a text's tokens."""


class TrainingHardware(TypedDict):
    """What it was computed on."""

    device: Name
    """cpu or cuda."""
    gpu: str | None
    """The GPU's name."""
    dtype: Name
    """The precision of what is not quantized."""
    attention: Name
    """The implementation of attention."""


class LossPoint(TypedDict):
    """A point of the loss curve."""

    step: AtLeastOne
    """After which step."""
    loss: float
    """Mean over the steps since the point before, in nats a token."""
    learning_rate: NotNegative
    """At that step."""
    tokens: Count
    """Tokens that had gone through the model."""


class HeldOutPoint(TypedDict):
    """The loss of the held-out rows at a checkpoint."""

    step: AtLeastOne
    """After which step."""
    loss: float
    """Mean over the rows of each row's mean, in nats a token."""


class Training(TypedDict):
    """A training, from its configuration to its loss curve."""

    schema_version: Literal[2]
    """Of this document's form."""
    updated_at: Timestamp
    """In UTC."""
    package: Name
    """This package's version."""
    configuration_sha256: Sha256
    """Of the configuration's file."""
    configuration: dict[str, Any]
    """Every key with its value, defaults included."""
    base: TrainedBase
    """What is trained upon."""
    start: TrainedModel | None
    """The adapter that was gone on from; null for a new one."""
    data: TrainingData
    """What is trained on."""
    dataset_check: TrainingCheck | None
    """What was found in the files; null where no source is a file."""
    prompt: TrainingPrompt
    """How rows are put."""
    hardware: TrainingHardware
    """What it is computed on."""
    versions: dict[str, str]
    """Of Python and of the libraries that compute."""
    steps: Count
    """Steps that are done."""
    of_steps: AtLeastOne
    """Steps in all."""
    seconds: NotNegative
    """Spent on steps, over all invocations."""
    loss_curve: list[LossPoint]
    """Ascending by step."""
    held_out_curve: list[HeldOutPoint]
    """The same of rows that are not trained on; empty where there are none."""
    adapter_sha256: Sha256 | None
    """Of the weights beside it; null where it lies beside the checkpoints."""
