"""A Ray cluster whose machines are network namespaces of this one: a bridge joins them, and a link
can be cut. It needs root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_NET = "10.213.77"
_BRIDGE = "sigil-br"
_RAY = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]


class Links:
    """A head without workers, machine 0, and nodes of one CPU, machines 1 and so on. Use as a
    context manager. Logs go into a folder."""

    address = f"{_NET}.1:6379"
    """What `--ray` is given, on the head."""

    def __init__(self, folder: Path, nodes: int) -> None:
        self._folder, self._nodes = folder, nodes
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def on(self, machine: int) -> list[str]:
        """What stands before a command that is to run there."""
        not_loopback = ["env", "-u", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"]  # see `nodes`
        return ["ip", "netns", "exec", _name(machine), *not_loopback]

    def cut(self, machine: int) -> None:
        """Have nothing come through to a machine, or from it."""
        _ip("link", "set", _name(machine), "down")

    def mend(self, machine: int) -> None:
        """Have all come through again."""
        _ip("link", "set", _name(machine), "up")

    def _begin(self) -> None:
        _ip("link", "add", _BRIDGE, "type", "bridge")
        self._open.callback(_ip, "link", "del", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        self._start(0, "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
        for machine in range(1, self._nodes + 1):
            self._start(machine, f"--address={self.address}", "--num-cpus=1")

    def _start(self, machine: int, *how: str) -> None:
        """A machine with Ray; returns when that has begun."""
        address = self._lay(machine)
        log = self._folder / f"ray-{machine}.log"
        with log.open("wb") as file:
            command = [*self.on(machine), *_RAY, f"--node-ip-address={address}", *how]
            process = subprocess.Popen(command, stdout=file, stderr=file)
        self._open.callback(_end, _name(machine), process)
        while b"Ray runtime started" not in log.read_bytes():
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)

    def _lay(self, machine: int) -> str:
        """A namespace with a link to the bridge; its address."""
        name, address = _name(machine), f"{_NET}.{machine + 1}"
        _ip("netns", "add", name)
        self._open.callback(_ip, "netns", "del", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._open.callback(_ip, "link", "del", name)
        _ip("link", "set", name, "master", _BRIDGE, "up")
        _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", name, "link", "set", device, "up")
        return address


def _name(machine: int) -> str:
    """Of a namespace, and of the bridge's end of its link."""
    return f"sigil-{machine}"


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def _end(name: str, process: subprocess.Popen[bytes]) -> None:
    """As a machine goes that loses its power."""
    while pids := _ip("netns", "pids", name).split():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    process.wait()
