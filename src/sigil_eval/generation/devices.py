"""Several devices at once: one process each, which draws its part into a journal of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from sigil_eval.errors import PreflightError, SigilEvalError

Report = Callable[[int, int], None]
"""Called with samples finished and new tokens, since it was last called."""


def devices_of(device: str) -> list[str]:
    """The devices that are meant: `auto` and `cuda` are all GPUs that this process may see."""
    if device in ("auto", "cuda"):
        import torch

        if torch.cuda.device_count() > 1:
            return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [part.strip() for part in device.split(",")]


def draw_on_all(
    work: Callable[..., None], parts: Sequence[tuple[Any, ...]], report: Report
) -> None:
    """Run `work(*part, report)` for each part, each in a process of its own.

    The first failure ends the others, and is raised here; what they had finished is in their
    journals. A process ends by itself when this one is gone.
    """
    context = multiprocessing.get_context("spawn")
    ends: dict[Connection, Any] = {}
    try:
        for part in parts:
            ours, theirs = context.Pipe()
            process = context.Process(target=_run, args=(work, part, theirs), daemon=True)
            process.start()
            theirs.close()
            ends[ours] = process
        while ends:
            for connection in wait(list(ends)):
                assert isinstance(connection, Connection)
                if not _listen(connection, report):
                    ends.pop(connection).join()
    finally:
        for process in ends.values():
            process.terminate()
            process.join()


def _listen(connection: Connection, report: Report) -> bool:
    """Take one message; whether there will be more."""
    try:
        message = connection.recv()
    except EOFError:
        raise PreflightError(
            "a process that was drawing samples died (killed, or out of memory); run the same "
            "command again to go on where it stopped"
        ) from None
    if isinstance(message, BaseException):
        raise message
    if message is None:
        return False
    report(*message)
    return True


def _run(work: Callable[..., None], part: tuple[Any, ...], connection: Connection) -> None:
    """In the process of one part: draw it, and say how it goes."""
    try:
        work(*part, lambda samples, tokens: connection.send((samples, tokens)))
        connection.send(None)
    except SigilEvalError as error:
        connection.send(error)
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # the other side is gone, or will say so
