"""dataset_made.json: training data that `sigil-eval dataset make` has made, and of what.

It holds neither times nor places: the same crates give the same bytes.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from sigil_eval.documents.constraints import AtLeastOne, Count, Name, NotNegative, Sha256, Share

DATASET_MADE_VERSION: Literal[2] = 2
DATASET_MADE_FILE = "dataset_made.json"

TaskName = Literal[
    "code_completion",
    "code_generation",
    "fill_in_middle",
    "error_fixing",
    "transformations",
    "explanations",
]
CrateFault = Literal["edition before 2021", "no library", "does not compile", "build script fails"]
FileFault = Literal["not UTF-8", "does not parse", "a test"]
SplitName = Literal["train", "val"]


class BareRow(TypedDict):
    """A row of training data, with the names of fields that sigil-pipeline gives them."""

    prompt: Name
    """What is asked."""
    gen: Name
    """The answer: the crate's own code, but of `transformations` and `explanations`."""
    _task_type: TaskName
    """What kind of task it is."""
    _source_crate: Name
    """The crate's name."""
    _crate_version: Name
    """Its version."""
    _file_path: Name
    """Where in the crate the code stands."""
    _writer_model: NotRequired[Name]
    """The model that has written a part of the row; no such field where none has."""
    _writer_prompt_sha256: NotRequired[Sha256]
    """Of what it was asked."""
    _writer_temperature: NotRequired[NotNegative]
    """At which it was asked."""
    _writer_seed: NotRequired[Count]
    """With which it was asked."""


class MadeRow(BareRow):
    """A row in a file of data."""

    split: SplitName
    """Which part of the data it is."""


class KeyedRow(TypedDict):
    """A row with its place in the order of all."""

    key: Sha256
    """Of seed, crate, file and place; rows are ordered by it."""
    row: BareRow
    """The row."""


class WrittenAnswer(TypedDict):
    """What a model has answered, as it is kept."""

    text: str
    """The answer."""
    finish_reason: Name
    """Why it ended; `too long` where the question did not fit."""
    tokens: Count
    """How long it is."""


class ReadCrate(TypedDict):
    """A crate that was fetched and compiled, as it is kept."""

    name: Name
    """Of the crate."""
    version: Name
    """Of the crate."""
    source_sha256: Sha256
    """Of its files, with their paths."""
    license: str | None
    """As its Cargo.toml has it."""
    fault: CrateFault | None
    """Why it is not taken; null where it is."""
    said: str
    """What the compiler said of that."""
    lock: str | None
    """The Cargo.lock that it was compiled with; null where it was not compiled."""
    files: Count
    """Files of it that were read: of its library, by their names."""
    left_out: dict[FileFault, Count]
    """Files that were not, by reason."""
    rejected_answers: dict[str, Count]
    """What a model has written and was not taken, by kind of task and reason."""


class MadeCrate(TypedDict):
    """A crate, and what came of it."""

    name: Name
    """Of the crate."""
    version: Name
    """Of the crate."""
    source_sha256: Sha256
    """Of its files, with their paths."""
    license: str | None
    """As its Cargo.toml has it."""
    split: SplitName | None
    """Where its rows are; null where it was not taken."""
    fault: CrateFault | None
    """Why it was not taken."""
    said: str
    """What the compiler said of that."""
    lock_sha256: Sha256 | None
    """Of the Cargo.lock that it was compiled with, in the folder `locks`; null where it was not."""
    dependencies: list[Name]
    """What that names, as name@version."""
    files: Count
    """Files of it that were read: of its library, by their names."""
    left_out: dict[FileFault, Count]
    """Files that were not, by reason."""
    rows: dict[TaskName, Count]
    """How many of its rows are in the data, by task."""


class MadeFile(TypedDict):
    """A file of rows."""

    name: Name
    """In the folder of this document."""
    split: SplitName
    """Which part of the data it is."""
    sha256: Sha256
    """Of its bytes."""
    rows: AtLeastOne
    """How many it has."""


class MadeWriter(TypedDict):
    """The model that wrote what the code itself does not give."""

    model: Name
    """As its server calls it."""
    temperature: NotNegative
    """At which it was asked."""


class DatasetMade(TypedDict):
    """Training data, and what they were made of."""

    schema_version: Literal[2]
    """Of this document's form."""
    versions: dict[str, str]
    """Of this package and of what it made the data with."""
    sandbox: Name
    """What crates were compiled in."""
    list_sha256: Sha256
    """Of the list of crates."""
    seed: int
    """Of kinds of tasks, order and split."""
    val_share: Share
    """The share of crates that was wanted for validation."""
    crates: list[MadeCrate]
    """In the order of the list."""
    rejected_crates: dict[CrateFault, Count]
    """How many were not taken, by reason."""
    tasks: dict[TaskName, Count]
    """Rows by kind of task."""
    rejected_rows: dict[str, Count]
    """Rows that were made and left out: `benchmark` for what holds a problem of a set of this
    package, else the rule of format that they break."""
    files: list[MadeFile]
    """The data."""
    writer: MadeWriter | None
    """Who has written rows; null where no server was named."""
    rejected_answers: dict[str, Count]
    """What it has written and was not taken, by kind of task and reason."""
    not_made: list[str]
    """Kinds of tasks that need a language model, and were not made for the lack of one."""
