"""reproduction.json: what `sigil-eval reproduce` found."""

from __future__ import annotations

from typing import Literal, TypedDict

from sigil_eval.documents.constraints import Name, Timestamp
from sigil_eval.documents.metadata import Rescored

REPRODUCTION_VERSION: Literal[1] = 1

type CheckState = Literal["same", "differs", "unknown"]


class CheckRow(TypedDict):
    """One thing that was recorded, as it is here."""

    what: Name
    """The thing."""
    recorded: str
    """What the run recorded."""
    here: str
    """What is found here."""
    state: CheckState
    """Whether the two are the same."""


class Reproduction(TypedDict):
    """The run's files against what was recorded, its pins against the machine it was checked on,
    and results judged again."""

    schema_version: Literal[1]
    """Of this document's form."""
    created_at: Timestamp
    """When it was checked, in UTC."""
    files: list[CheckRow]
    """The run's files against their hashes, and its metrics against its results."""
    pins: list[CheckRow]
    """What the run was made of, against this machine."""
    rescored: Rescored | None
    """What came of judging results again; null when nothing was."""
