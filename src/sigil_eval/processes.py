"""The same done with many pieces by several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from sigil_eval.errors import PreflightError

_AHEAD = 4


class Processes:
    """Processes that live as long as this does, a context manager; they begin when there is work.

    Each has called `prepare` first, with what is `given`. An interrupt from the keyboard is for
    who started them, and they end with that, however it ends.
    """

    def __init__(
        self, count: int, prepare: Callable[..., None] | None = None, *given: object
    ) -> None:
        self._count = count
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(prepare, given),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def map[P, R](self, work: Callable[[P], R], pieces: Iterable[P]) -> Iterator[R]:
        """What `work` makes of each piece, in order; few pieces are in memory at a time.

        Raises PreflightError when a process dies.
        """
        under_way: deque[Future[R]] = deque()
        try:
            for piece in pieces:
                under_way.append(self._submit(work, piece))
                if len(under_way) > _AHEAD * self._count:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool:
            raise PreflightError(
                f"one of {self._count} processes was killed, perhaps for want of memory: give the "
                "command again, with fewer at a time (--n-workers)"
            ) from None

    def _submit[P, R](self, work: Callable[[P], R], piece: P) -> Future[R]:
        """Give a piece out; a process that begins with it does not hear of interrupts."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(work, piece)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[..., None] | None, given: tuple[object, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
