"""Run one command with a deadline, bounded output and nothing inherited."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 1 << 20
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
    """How a command ended: `status` is negative for a signal, as in `subprocess`."""

    status: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool


def run_bounded(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    stdin: bytes,
    identity: Identity | None = None,
) -> Finished:
    """Run `command` for at most `timeout` seconds, keeping at most OUTPUT_LIMIT bytes a stream.

    At the deadline, or when a stream outgrows that, the whole process group is killed.
    `stdin` must fit a pipe's buffer (64 KiB). Raises OSError when the command cannot start.
    """
    began = time.monotonic()
    process = _start(command, cwd, environment, identity)
    with _running_lock:
        _running.add(process.pid)
    try:
        _feed(process, stdin)
        stdout, stderr, timed_out = _collect(process, began + timeout)
    finally:
        _kill_group(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    seconds = time.monotonic() - began
    return Finished(process.returncode, stdout, stderr, seconds, timed_out)


def _start(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], identity: Identity | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
    )


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended before it read; its status tells why


def _collect(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes, bool]:
    """What was written to both streams, and whether the deadline passed before the end."""
    assert process.stdout is not None and process.stderr is not None
    buffers = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    timed_out = flooded = False
    with selectors.DefaultSelector() as selector:
        for descriptor in buffers:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and not flooded:
            left = deadline - time.monotonic()
            if left <= 0:
                timed_out = True
                break
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fd)
                    continue
                buffers[key.fd] += chunk
                flooded = flooded or len(buffers[key.fd]) > OUTPUT_LIMIT
    if not timed_out and not flooded:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            timed_out = True
    stdout, stderr = (bytes(buffer[:OUTPUT_LIMIT]) for buffer in buffers.values())
    return stdout, stderr, timed_out


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the command; a sandbox takes its own children with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with _running_lock:
        _running.discard(process.pid)


def kill_running() -> None:
    """End every command that `run_bounded` is running now, in any thread."""
    with _running_lock:
        for group in _running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
