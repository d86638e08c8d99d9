"""A Ray cluster whose nodes all are on this machine, on 127.0.0.1, to be disturbed."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # whatever lies in the user's home
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # where there is no such thing, all is on 127.0.0.1
}

from ray.cluster_utils import Cluster


class Nodes:
    """A head without workers, and the nodes that are added to it. Use as a context manager.

    Without `patience`, a node that does not answer is given up within seconds, not within half a
    minute.
    """

    def __init__(self, *, patience: bool = False, port: int | None = None) -> None:
        self._quick: dict[str, Any] = {
            "health_check_initial_delay_ms": 1000,
            "health_check_period_ms": 1000,
            "health_check_timeout_ms": 2000,
            "health_check_failure_threshold": 3,
        }
        self._system = {} if patience else self._quick
        self._port = port or free_port()
        self._cluster: Any = None

    @property
    def address(self) -> str:
        """What `--ray` is given."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def begin(self) -> None:
        """Start the head."""
        head = {
            "gcs_server_port": self._port,
            "num_cpus": 0,
            "include_dashboard": False,
            "_system_config": self._system,
        }
        self._cluster = Cluster(initialize_head=True, head_node_args=head)

    def end(self) -> None:
        """End the head and all nodes."""
        self._cluster.shutdown()

    def add(self, environment: Mapping[str, str] | None = None, *, cpus: int = 1) -> Any:
        """A node, whose workers have this environment beside that of this process."""
        own = dict(environment or {})
        return self._cluster.add_node(
            num_cpus=cpus, env_vars={**os.environ, **own} if own else None, include_dashboard=False
        )

    def kill(self, node: Any) -> None:
        """As a machine goes that loses its power."""
        self._cluster.remove_node(node, allow_graceful=False)

    def pid(self, node: Any) -> int:
        """Of the node's raylet."""
        found: int = node.all_processes["raylet"][0].process.pid
        return found

    def hold(self, node: Any) -> None:
        """Have a node answer no more."""
        for pid in self._tree(node):
            os.kill(pid, signal.SIGSTOP)

    def let_go(self, node: Any) -> None:
        """Have a node answer again."""
        for pid in self._tree(node):
            os.kill(pid, signal.SIGCONT)

    def _tree(self, node: Any) -> list[int]:
        """The raylet and all that it has started."""
        found = [self.pid(node)]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found


def free_port() -> int:
    """One that no connection gets by itself: while the head is away it must stay free."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise RuntimeError("no port is free")


if __name__ == "__main__":  # PORT COUNT: a head and nodes, until the standard input is closed
    with Nodes(port=int(sys.argv[1])) as cluster:
        for _ in range(int(sys.argv[2])):
            cluster.add()
        print("ready", flush=True)
        sys.stdin.read()
