"""Run one command with a deadline, bounded output and nothing inherited, for as long as we live."""

from __future__ import annotations

import contextlib
import math
import os
import select
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 1 << 20
# Seconds that a command has after its deadline where nobody is left to end it.
_ORPHAN_SECONDS = 60
_running: set[int] = set()
_running_lock = threading.Lock()


@dataclass(frozen=True)
class Identity:
    """The ordinary user a command is run as, when the harness itself runs as root."""

    name: str
    uid: int
    gid: int
    home: Path


@dataclass(frozen=True)
class Finished:
    """How a command ended: `status` is negative for a signal, as in `subprocess`.

    `cpu_seconds` is the processor time of all that it waited for. It was ended by us where it
    `timed_out`, or where its output was `flooded`.
    """

    status: int
    stdout: bytes
    stderr: bytes
    cpu_seconds: float
    timed_out: bool
    flooded: bool = False


def run_bounded(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    silence: float | None = None,
    stdin: bytes,
    identity: Identity | None = None,
) -> Finished:
    """Run `command` for at most `timeout` seconds, keeping at most OUTPUT_LIMIT bytes a stream.

    At the deadline, when nothing was written for `silence` seconds, or when a stream outgrows
    the limit, the whole process group is killed; so it is when this process ends, in whatever way.
    `stdin` must fit a pipe's buffer (64 KiB). Raises OSError when the command cannot start.
    """
    deadline = time.monotonic() + timeout
    process = _start([*_guard(timeout, identity), *command], cwd, environment)
    with _running_lock:
        _running.add(process.pid)
    try:
        _feed(process, stdin)
        streams, timed_out, flooded = _collect(process, deadline, silence or timeout)
        timed_out = timed_out or not (flooded or _ends_before(process, deadline))
    finally:
        cpu_seconds = _kill_group(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    stdout, stderr = streams
    return Finished(process.returncode, stdout, stderr, cpu_seconds, timed_out, flooded)


def _guard(timeout: float, identity: Identity | None) -> list[str]:
    """What makes a command its user's, and ends it, and all in its process group, when nobody
    waits for it any more.

    It is told when we are gone. Firejail could not be: what is setuid forgets that it asked.
    (Were the user changed on the way to the first program, all of our memory would be copied.)
    """
    limit = str(math.ceil(timeout) + _ORPHAN_SECONDS)
    user = (
        [f"--reuid={identity.uid}", f"--regid={identity.gid}", "--clear-groups"] if identity else []
    )
    ends = ["timeout", "--signal=KILL", "--kill-after=1", limit]
    return ["setpriv", *user, "--pdeathsig=TERM", *ends]


def _start(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended before it read; its status tells why


def _collect(
    process: subprocess.Popen[bytes], deadline: float, silence: float
) -> tuple[tuple[bytes, bytes], bool, bool]:
    """What was written to both streams; whether time ran out before their end; or their size."""
    assert process.stdout is not None and process.stderr is not None
    buffers = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    timed_out = flooded = False
    with selectors.DefaultSelector() as selector:
        for descriptor in buffers:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and not flooded:
            ready = selector.select(max(0.0, min(silence, deadline - time.monotonic())))
            if not ready or time.monotonic() >= deadline:
                timed_out = True
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fd)
                    continue
                buffers[key.fd] += chunk
                flooded = flooded or len(buffers[key.fd]) > OUTPUT_LIMIT
    stdout, stderr = (bytes(buffer[:OUTPUT_LIMIT]) for buffer in buffers.values())
    return (stdout, stderr), timed_out, flooded


def _ends_before(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Whether a command ends by itself in time; it is left for `_kill_group` to collect."""
    descriptor = os.pidfd_open(process.pid)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        return bool(end.poll(1000 * max(0.0, deadline - time.monotonic())))
    finally:
        os.close(descriptor)


def _kill_group(process: subprocess.Popen[bytes]) -> float:
    """End whatever is left of the command; a sandbox takes its own children with it.

    Returns the processor seconds that it used.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with _running_lock:
        _running.discard(process.pid)
    return usage.ru_utime + usage.ru_stime


def kill_running() -> None:
    """End every command that `run_bounded` is running now, in any thread."""
    with _running_lock:
        for group in _running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
