"""The process that speaks to Ray: it proves nodes, and hands tasks to workers.

It is a process of its own because Ray ends, or holds, the process that it runs in when the head of
its cluster is gone. Only this file imports Ray.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from sigil_eval.cluster.order import (
    LOCAL,
    Alive,
    Done,
    Failed,
    Message,
    Node,
    Order,
    Piece,
    Task,
)
from sigil_eval.errors import SigilEvalError

_ROUND_SECONDS = 0.2
_ALIVE_SECONDS = 0.5
_LOOK_SECONDS = 2.0
_LIVES_OF_A_TASK = 3
_LIVES_OF_A_NODE = 3
_CLOSING_SECONDS = 5.0
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray would report to its makers
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",  # then this process ends
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def _own_cluster() -> dict[str, str]:
    """What a cluster of this machine alone has: all on 127.0.0.1, and a token of its own, or Ray
    leaves one in the user's home, with which the next head refuses nodes that have none."""
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # so called because elsewhere it is the default
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


@dataclass(eq=False)
class _Hand:
    """A worker's process, as Ray knows it."""

    node: str
    actor: Any
    ready: bool = False
    task: _Open | None = None
    since: float = 0.0


@dataclass(eq=False)
class _Open:
    """A task that is not done. A worker that is late has been `copied` to another."""

    task: Task
    losses: int = 0
    copied: bool = False
    done: bool = False


@dataclass
class _Place:
    """A node, and how often its workers have died."""

    node: Node
    room: int
    deaths: int = 0


@dataclass
class _Floor:
    """Everything that is going on."""

    places: dict[str, _Place] = field(default_factory=dict)
    hands: list[_Hand] = field(default_factory=list)
    waiting: deque[_Open] = field(default_factory=deque)
    calls: dict[Any, _Hand] = field(default_factory=dict)


def lead(order: Order, run: Connection) -> None:
    """In the process: do what the run at the other end of the pipe sends, until it is closed."""
    _be_quiet()
    os.environ.update(_ENVIRONMENT | (_own_cluster() if order.address == LOCAL else {}))
    try:
        import ray
        from ray.exceptions import RayError

        _connect(order.address)
    except (OSError, ValueError, RuntimeError, ImportError) as error:  # Ray raises them all
        run.send(Failed(str(error).strip().partition("\n")[0]))
        return
    try:
        _Foreman(order, run, ray, RayError).work()
    except (EOFError, OSError, KeyboardInterrupt):
        pass  # the run is over
    finally:
        ray.shutdown()


def _be_quiet() -> None:
    """Ray prints whatever happens: nothing of it is for people who read a run's messages."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _connect(address: str) -> None:
    import ray

    own: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
    ray.init(address=address, log_to_driver=False, **own)


class _Foreman:
    def __init__(self, order: Order, run: Connection, ray: Any, ray_error: type[Exception]) -> None:
        self._order = order
        self._run = run
        self._ray = ray
        self._ray_error = ray_error
        self._floor = _Floor()
        self._kind = order.kind
        self._looked = self._spoke = 0.0
        self._said = Alive(0, 0)

    def work(self) -> None:
        """Raises EOFError when the run has closed its end."""
        try:
            while True:
                self._look_around()
                while self._run.poll():
                    self._floor.waiting.append(_Open(self._run.recv()))
                self._hand_out()
                for call in self._finished():
                    self._take(call)
                self._say_alive()
        finally:
            self._close()

    def _say(self, message: Message) -> None:
        self._run.send(message)

    def _say_alive(self) -> None:
        ready = sum(hand.ready for hand in self._floor.hands)
        alive = Alive(ready, len(self._floor.hands) - ready)
        now = time.monotonic()
        if alive != self._said or now - self._spoke > _ALIVE_SECONDS:
            self._said, self._spoke = alive, now
            self._say(alive)

    # Nodes

    def _look_around(self) -> None:
        """Now and then: have new nodes prove themselves, and notice those that are gone."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        floor, alive = self._floor, {}
        for found in self._ray.nodes():
            if found["Alive"]:
                alive[found["NodeID"]] = found
        for name, found in alive.items():
            room = self._room(found["Resources"])
            if name not in floor.places and room:
                gpus = int(found["Resources"].get("GPU", 0))
                node = Node(name[:8], found["NodeManagerAddress"], "proving", gpus=gpus)
                floor.places[name] = _Place(node, room)
                self._prove(name, room)
        for name, place in floor.places.items():
            if name not in alive and place.node.state in ("proving", "working"):
                self._leave_out(name, "lost", "it is gone from the cluster")

    def _room(self, resources: dict[str, float]) -> int:
        """For how many workers a node has room."""
        order = self._order
        unit = "CPU" if order.a_worker_for_each == "node" else order.a_worker_for_each
        room = int(resources.get(unit, 0))
        most = 1 if order.a_worker_for_each == "node" else order.most_per_node or room
        return min(room, most)

    def _prove(self, name: str, room: int) -> None:
        hand = self._new_hand(name)
        self._floor.calls[hand.actor.prove.remote(room)] = hand

    def _new_hand(self, name: str) -> _Hand:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        gpu = self._order.a_worker_for_each == "GPU"
        units = {"num_gpus": 1, "num_cpus": 0} if gpu else {"num_cpus": 1}
        made = self._ray.remote(self._order.worker).options(
            **units,
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False),
        )
        hand = _Hand(name, made.remote(self._order.what))
        self._floor.hands.append(hand)
        return hand

    def _open(self, name: str, kind: str) -> None:
        """Give a node that has proved itself all the workers that it has room for."""
        place = self._floor.places[name]
        place.node = place.node.at_work(place.room, kind)
        self._say(place.node)
        for _ in range(place.room):
            self._start(name)

    def _start(self, name: str) -> None:
        hand = self._new_hand(name)
        self._floor.calls[hand.actor.start.remote()] = hand

    def _leave_out(self, name: str, state: Any, reason: str) -> None:
        place = self._floor.places[name]
        if place.node.state in ("left out", "lost"):
            return
        place.node = place.node.gone(state, reason)
        self._say(place.node)
        for hand in [hand for hand in self._floor.hands if hand.node == name]:
            self._dismiss(hand)

    # Work

    def _hand_out(self) -> None:
        floor, now = self._floor, time.monotonic()
        idle = [hand for hand in floor.hands if hand.ready and hand.task is None]
        for hand in idle:
            task = floor.waiting.popleft() if floor.waiting else self._late(now)
            if task is None:
                return
            hand.task, hand.since = task, now
            call = hand.actor.work.options(num_returns="streaming").remote(task.task.data)
            floor.calls[call] = hand

    def _late(self, now: float) -> _Open | None:
        """The task that has been under way for too long, if there is one, for a second worker."""
        late = [
            (hand.since, hand.task)
            for hand in self._floor.hands
            if hand.task and not hand.task.copied and now - hand.since > self._order.late_seconds
        ]
        if not late:
            return None
        task = min(late, key=lambda one: one[0])[1]
        task.copied = True
        return task

    def _finished(self) -> list[Any]:
        """Calls of which something can be taken."""
        calls = list(self._floor.calls)
        if not calls:
            self._run.poll(_ROUND_SECONDS)  # a task, which is taken in the next round
            return []
        ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0, fetch_local=False)
        if not ready:
            ready, _ = self._ray.wait(calls, timeout=_ROUND_SECONDS, fetch_local=False)
        return list(ready)

    def _take(self, call: Any) -> None:
        """Take what has come of a call, and say what became of it."""
        hand = self._floor.calls.get(call)
        if hand is None:
            return  # its node was left out just now
        try:
            if hand.task is None:
                said = self._ray.get(call)
                del self._floor.calls[call]
                self._made_ready(hand, said)
            else:
                self._take_piece(call, hand)
        except self._ray_error as error:
            self._failed(hand, error)

    def _made_ready(self, hand: _Hand, kind: str) -> None:
        if self._floor.places[hand.node].node.state != "proving":
            hand.ready = True
            return
        self._dismiss(hand)  # it was there to prove the node
        if self._kind is None:
            self._kind = kind
        if kind == self._kind:
            self._open(hand.node, kind)
        else:
            unlike = f"it works with {kind}, the run with {self._kind}; options settle that for all"
            self._leave_out(hand.node, "left out", unlike)

    def _take_piece(self, call: Any, hand: _Hand) -> None:
        task = hand.task
        assert task is not None
        try:
            data = self._ray.get(next(call))
        except StopIteration:
            del self._floor.calls[call]
            hand.task = None
            if not task.done:
                task.done = True
                self._say(Done(task.task.number))
            return
        if not task.done:
            self._say(Piece(task.task.number, data))

    # What goes wrong

    def _failed(self, hand: _Hand, error: Exception) -> None:
        """A worker has died, or said why it cannot work."""
        said = getattr(error, "cause", None)
        place = self._floor.places[hand.node]
        if said is None and place.node.state == "working":
            place.deaths += 1
        self._dismiss(hand)
        if said is not None:
            name = "" if isinstance(said, SigilEvalError) else f"{type(said).__name__}: "
            self._leave_out(hand.node, "left out", f"{name}{said}")
        elif "failed to import" in str(error):
            self._leave_out(hand.node, "left out", "the Python that Ray runs in has no sigil-eval")
        elif place.deaths < _LIVES_OF_A_NODE and place.node.state == "working":
            self._start(hand.node)
        else:
            self._leave_out(hand.node, "lost", "it does not answer, or its workers die")

    def _dismiss(self, hand: _Hand) -> None:
        """End a worker's process; what it had under way is for another."""
        floor = self._floor
        if hand not in floor.hands:
            return
        floor.hands.remove(hand)
        floor.calls = {call: other for call, other in floor.calls.items() if other is not hand}
        self._ray.kill(hand.actor)
        task = hand.task
        if task is None or task.done or any(other.task is task for other in floor.hands):
            return
        task.losses += 1
        task.copied = False
        if task.losses < _LIVES_OF_A_TASK:
            floor.waiting.appendleft(task)
        else:
            self._say(Done(task.task.number, given_up=True))

    def _close(self) -> None:
        """Let those workers leave nothing behind that can be reached and have nothing to do."""
        idle = [hand.actor.close.remote() for hand in self._floor.hands if hand.task is None]
        if idle:
            self._ray.wait(idle, num_returns=len(idle), timeout=_CLOSING_SECONDS)
