"""dataset_check.json: what `sigil-eval dataset check` found in training data."""

from __future__ import annotations

from typing import Literal, TypedDict

from sigil_eval.documents.constraints import AtLeastOne, Count, Name, Sha256, Share

DATASET_CHECK_VERSION: Literal[2] = 2

SignalName = Literal["tree", "code", "shape", "signature", "tests", "text"]
FieldsName = Literal["prompt, gen", "messages", "conversations"]
FormatName = Literal[
    "unreadable",
    "not text",
    "empty",
    "too long",
    "not Rust",
    "stub",
    "control",
    "unseen",
    "duplicate",
    "near duplicate",
    "both splits",
]


class CheckedFile(TypedDict):
    """A file of training data."""

    name: Name
    """As it was named; `-` is standard input."""
    sha256: Sha256 | None
    """Of its bytes; null of standard input."""
    rows: Count
    """How many lines, or rows of Parquet, that are not blank."""
    fields: dict[FieldsName, Count]
    """Which fields were read for what is asked and answered, in how many rows."""


class CheckedSet(TypedDict):
    """A problem set that was looked for."""

    name: Name
    """Of the set."""
    sha256: Sha256
    """Of the published file."""
    errata_sha256: Sha256 | None
    """Of its errata, which were looked for, too; null where there are none."""
    problems: AtLeastOne
    """How many it holds."""


class SignalRule(TypedDict):
    """From when on a signal counts."""

    compares: Name
    """What is compared, in words."""
    least_share: Share
    """The share of the problem's that a row must have."""
    least_count: AtLeastOne
    """How many a row must have, besides."""


class FoundTask(TypedDict):
    """A problem that is in the data."""

    task_id: Name
    """Of the problem."""
    problem_sets: list[Name]
    """The sets that hold it."""
    rows: AtLeastOne
    """How many rows have it."""
    signals: dict[SignalName, Share]
    """By which signals, each with the largest share."""


class FoundRow(TypedDict):
    """A row that has a problem, or a part of one."""

    place: Name
    """File and line, or row."""
    task_id: Name
    """Of the problem."""
    signals: dict[SignalName, Share]
    """By which signals, each with the share of the problem's that the row has."""


class FaultPlace(TypedDict):
    """Where a rule of format is broken."""

    place: Name
    """File and line, or row."""
    reason: str
    """What is wrong there."""


class FormatFaults(TypedDict):
    """A rule of format, and how often it is broken."""

    count: Count
    """How many rows break it."""
    first: list[FaultPlace]
    """The first of them, at most 1,000."""


class DatasetCheck(TypedDict):
    """Training data against the problem sets of this package, and against rules of format."""

    schema_version: Literal[2]
    """Of this document's form."""
    files: list[CheckedFile]
    """The data."""
    problem_sets: list[CheckedSet]
    """What was looked for."""
    rules: dict[SignalName, SignalRule]
    """From when on a row has a problem."""
    contaminated_rows: Count
    """How many rows have a problem, or a part of one."""
    tasks: list[FoundTask]
    """The problems that are in the data, in the order of their sets."""
    found: list[FoundRow]
    """Rows and their problems, in the order of the data: the first 10,000."""
    formats: dict[FormatName, FormatFaults]
    """The rules of format, all of them."""
    not_seen: list[str]
    """What this check cannot see."""
