"""A run's side of a crew: tasks in, what comes of them out, whatever becomes of the nodes."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from sigil_eval.cluster.foreman import lead
from sigil_eval.cluster.order import Alive, Done, Failed, Message, Node, Order, Piece, Task
from sigil_eval.console import mention, warn
from sigil_eval.errors import PreflightError
from sigil_eval.record.rented import Rented, rented_nodes

# For how long nothing may be heard of the cluster, or be had of it, and how long between two tries.
SILENT_SECONDS = 45.0
PATIENCE_SECONDS = 180.0
TRY_SECONDS = 3.0
_POLL_SECONDS = 1.0


class Crew:
    """Workers on a cluster. Use as a context manager.

    A node that does not prove itself is left out; a task whose worker is lost is given to another;
    where the whole cluster is gone, it is waited for. `nodes` are those there were.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self.nodes: dict[str, Node] = {}
        self._process: Any = None
        self._pipe: Connection | None = None
        self._workers = 0
        self._heard = self._useful = time.monotonic()
        self._gone = ""

    def __enter__(self) -> Self:
        """Wait for a node that has proved itself. Raises PreflightError where none does."""
        try:
            self._useful = time.monotonic()
            while not self._workers:
                self._listen()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def workers(self) -> int:
        """How many there are now."""
        return self._workers

    @property
    def rented(self) -> Rented:
        """The nodes that work now."""
        return rented_nodes(node.to_row() for node in self.nodes.values())

    def work(self, tasks: Iterable[bytes]) -> Iterator[Piece | Done]:
        """Have tasks done; yields what comes of them, by their numbers from 0, as it comes.

        A piece may come twice. Raises PreflightError when there has been no worker for too long.
        """
        coming = iter(enumerate(tasks))
        under_way: dict[int, Task] = {}
        sent: Connection | None = None
        self._useful = time.monotonic()
        more = True
        while more or under_way:
            if self._pipe is not sent:  # another cluster knows nothing of these
                sent = self._pipe
                for task in under_way.values():
                    self._send(task)
            while more and len(under_way) < 2 * self._workers:
                number, data = next(coming, (0, None))
                if data is None:
                    more = False
                    break
                under_way[number] = Task(number, data)
                self._send(under_way[number])
            if not (more or under_way):
                break
            message = self._listen()
            if isinstance(message, Piece | Done) and message.number in under_way:
                if isinstance(message, Done):
                    del under_way[message.number]
                yield message

    def _send(self, task: Task) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):  # then it is sent again to who comes next
                self._pipe.send(task)

    def _listen(self) -> Message | None:
        """Take one message, or see to it that there is somebody to listen to."""
        now = time.monotonic()
        if now - self._useful > PATIENCE_SECONDS:
            raise PreflightError(self._complaint())
        if self._pipe is None:
            self._begin()
        assert self._pipe is not None
        message: Message | None = None
        try:
            if self._pipe.poll(_POLL_SECONDS):
                message = self._pipe.recv()
        except (EOFError, OSError):
            self._lose("Ray has ended")
            return None
        if message is None:
            if now - self._heard > SILENT_SECONDS:
                self._lose("it does not answer")
            return None
        self._heard = time.monotonic()
        self._note(message)
        return message

    def _note(self, message: Message) -> None:
        if isinstance(message, Failed):
            self._lose(message.reason)
        elif isinstance(message, Node):
            self._note_node(message)
        elif isinstance(message, Alive):
            self._workers = message.workers
            if message.workers or message.proving:
                self._useful = self._heard
            elif self.nodes and all(n.state == "left out" for n in self.nodes.values()):
                raise PreflightError(self._complaint())

    def _note_node(self, node: Node) -> None:
        self.nodes[node.name] = node
        if node.state == "working":
            self._order = replace(self._order, kind=node.kind)  # another foreman is to know it
            plural = "s" if node.workers > 1 else ""
            mention(f"node {node.name} ({node.address}): {node.workers} worker{plural}")
        else:
            warn(f"node {node.name} ({node.address}) is {node.state}: {node.reason}")

    def _lose(self, reason: str) -> None:
        """The cluster is gone, at least for now."""
        if not self._gone:
            patience = f"for {PATIENCE_SECONDS:.0f} s"
            warn(f"{self._name()} cannot be used: {reason}. It is tried again {patience}")
        self._gone = reason
        for name, node in self.nodes.items():
            if node.state == "working":
                self.nodes[name] = node.gone("lost", "the cluster was gone")
        self._close()
        time.sleep(TRY_SECONDS)

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=lead, args=(self._order, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._heard = time.monotonic()

    def _close(self) -> None:
        self._workers = 0
        if self._pipe is not None:
            self._pipe.close()
            self._process.join(10)
            self._process.kill()
            self._process.join()
            self._pipe = None

    def _name(self) -> str:
        return f"the Ray cluster {self._order.address}"

    def _complaint(self) -> str:
        why = [f"node {n.name}: {n.reason}" for n in self.nodes.values() if n.state != "working"]
        why += [self._gone] if self._gone else []
        gpus = self._order.a_worker_for_each == "GPU"
        wanted = "GPU (--device cpu draws without)" if gpus else "CPU"
        told = "\n  ".join(why or ["it has no node with a " + wanted])
        return (
            f"{self._name()} has no node that can work:\n  {told}\n"
            "What was done is kept: the same command goes on when there is one"
        )
