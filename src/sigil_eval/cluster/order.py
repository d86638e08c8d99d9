"""What a crew is asked for, and what it says: all that passes between a run and its crew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Literal, Protocol, Self

from sigil_eval.documents.metadata import NodeRow, NodeState
from sigil_eval.errors import PreflightError, UsageError, quoted

LOCAL = "local"
"""The address of a cluster that is made of this machine, for one run."""


class Worker(Protocol):
    """What does the work on a node, in a process of its own. It is made of the order's `what`.

    Whatever it raises has its node left out, with the message as the reason.
    """

    def __init__(self, what: bytes) -> None: ...

    def prove(self, workers: int) -> str:
        """Show, once on each node, that the node may be given work for this many workers; of what
        kind it is, in words, where all nodes have to be of one."""
        ...

    def start(self) -> None:
        """Make ready for work, on a node that has proved itself."""
        ...

    def work(self, task: bytes) -> Iterator[bytes]:
        """What comes of a task, piece by piece."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster by its address: HOST:PORT, `auto` or `local`; how many programs each of its
    nodes may judge at a time, where it is not as many as it has CPUs."""

    address: str
    most_per_node: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address, and a cluster where Ray is not installed."""
        if not re.fullmatch(rf"{LOCAL}|auto|[\w.-]+:\d+|\[[0-9a-fA-F:]+\]:\d+", self.address):
            raise UsageError(
                f"--ray {quoted(self.address)} is no address of a cluster: it is HOST:PORT, `auto` "
                "on one of its nodes, or `local`"
            )
        if find_spec("ray") is None:
            raise PreflightError(
                "--ray wants Ray, which is not installed here: pip install '.[cluster]', on every "
                "node (docs/scaling.md)"
            )


@dataclass(frozen=True)
class Order:
    """A crew: on which cluster, and who works there.

    There is a worker for each CPU of a node, for each GPU, or one; but at most `most_per_node`,
    where that is given. `worker` makes one of `what`. A task that is under way for more than
    `late_seconds` is given to somebody who is idle, too: perhaps its worker cannot be reached.
    All nodes are of one `kind`; where it is not given, it is that of the first that is proved.
    """

    address: str
    worker: type[Worker]
    what: bytes
    a_worker_for_each: Literal["CPU", "GPU", "node"] = "CPU"
    most_per_node: int | None = None
    late_seconds: float = 30.0
    kind: str | None = None


@dataclass(frozen=True)
class Task:
    """Work to be done, by its number."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Piece:
    """Something that has come of a task."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Done:
    """A task of which all has come, or, where it was `given_up`, no more will: its workers died."""

    number: int
    given_up: bool = False


@dataclass(frozen=True)
class Alive:
    """Said again and again: how many workers there are, and how many nodes are being proved."""

    workers: int
    proving: int


@dataclass(frozen=True)
class Node:
    """A node, and what has become of it. `name` is the beginning of the id that Ray gave it,
    `address` its address, for people alone; `gpus` are all that it has, `kind` is
    known once it works."""

    name: str
    address: str
    state: Literal["proving"] | NodeState
    reason: str = ""
    workers: int = 0
    gpus: int = 0
    kind: str = ""

    def at_work(self, workers: int, kind: str) -> Self:
        """The same one, after it has proved itself."""
        return replace(self, state="working", workers=workers, kind=kind)

    def gone(self, state: Literal["left out", "lost"], reason: str) -> Self:
        """The same one, which gets no more work."""
        return replace(self, state=state, reason=reason)

    def to_row(self) -> NodeRow:
        """For the metadata, which has no address."""
        state = "working" if self.state == "proving" else self.state
        return {
            "name": self.name,
            "state": state,
            "reason": self.reason or None,
            "workers": self.workers,
            "gpus": self.gpus,
        }


@dataclass(frozen=True)
class Failed:
    """The cluster cannot be used at all."""

    reason: str


type Message = Piece | Done | Alive | Node | Failed
