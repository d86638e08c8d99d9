"""A worker of a fixed service time, in a file that nodes can import."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator


class Sleeper:
    """A worker of a fixed service time, whose node says itself of what kind it is."""

    def __init__(self, what: bytes) -> None:
        self._seconds: float = pickle.loads(what)  # noqa: S301

    def prove(self, workers: int) -> str:
        return os.environ.get("SLEEPER_KIND", "")

    def start(self) -> None:
        pass

    def work(self, task: bytes) -> Iterator[bytes]:
        time.sleep(self._seconds)
        yield task[: len(task) // 8]  # verdicts are smaller than programs

    def close(self) -> None:
        pass
