"""Prove that the sandbox contains, by a probe that tries to get out."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

from sigil_eval.errors import PreflightError
from sigil_eval.files import is_abandoned, lock
from sigil_eval.judging.limits import Phase
from sigil_eval.judging.sandbox import Sandbox
from sigil_eval.judging.toolchain import Toolchain

_ATTEMPTS = 3


def self_test(sandbox: Sandbox, toolchain: Toolchain, folder: Path) -> list[str]:
    """Prove that the sandbox contains: run a probe outside (must succeed) and inside (must not).

    Returns one line per fact that was proved. Raises PreflightError, naming what leaked, when
    the sandbox does not hold, or when the probe itself does not work.
    """
    binary = _build_probe(sandbox, toolchain, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path(tempfile.gettempdir())
    remove_stale(home)
    token = f"{os.getpid()}-{secrets.token_hex(8)}"
    # What lies beside the folder is a neighbour's.
    canaries = [home / f".sigil-canary-{token}", folder.parent / f"canary-{token}"]
    target = home / f".sigil-written-{token}"
    command = [str(binary), str(target), port]
    try:
        with ExitStack() as opened:
            for canary in canaries:
                stream = opened.enter_context(canary.open("w"))
                lock(stream.fileno())
                print("canary", end="", file=stream, flush=True)
                canary.chmod(0o644)
                _expect_uncontained([*command, str(canary)])
                target.unlink()
            for phase in ("compile", "run"):
                _expect_contained(sandbox, phase, [*command, *map(str, canaries)], folder, target)
    finally:
        listener.close()
        for path in (*canaries, target):
            path.unlink(missing_ok=True)
    return [
        f"{sandbox.description}: a probe reads files in HOME and of a neighbour, writes one and"
        " connects to loopback outside; inside, compiling and running, it can do none of them"
    ]


def remove_stale(home: Path) -> None:
    """Remove the files of self-tests that were killed."""
    for path in (*home.glob(".sigil-canary-*-*"), *home.glob(".sigil-written-*-*")):
        maker = path.name.split("-")[2]
        if maker.isdecimal() and is_abandoned(path, int(maker)):
            path.unlink(missing_ok=True)


def _build_probe(sandbox: Sandbox, toolchain: Toolchain, folder: Path) -> Path:
    source = folder / "probe.rs"
    source.write_text((resources.files(__package__) / "rust" / "probe.rs").read_text())
    command = [str(toolchain.rustc), "--edition=2021", "-o", "probe", "probe.rs"]
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt)  # what the machine lacks now, it may have again soon
        built = sandbox.run("compile", command, folder=folder, timeout=60, stdin=b"")
        if built.status == 0:
            break
    else:
        reason = (built.stderr or built.stdout).decode("utf-8", "replace").strip()[-800:]
        raise PreflightError(
            f"rustc does not work inside {sandbox.description} (status {built.status}): {reason}"
        )
    return folder / "probe"


def _expect_uncontained(command: list[str]) -> None:
    control = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    if control != "read=yes write=yes connect=yes":
        raise PreflightError(f"the sandbox's probe does not work unconfined: {control!r}")


def _expect_contained(
    sandbox: Sandbox, phase: Phase, command: list[str], folder: Path, target: Path
) -> None:
    finished = sandbox.run(phase, command, folder=folder, timeout=30, stdin=b"")
    said = finished.stdout.decode("utf-8", "replace").strip()
    if said != "read=no write=no connect=no" or target.exists():
        detail = said or finished.stderr.decode("utf-8", "replace").strip()[-400:]
        raise PreflightError(
            f"{sandbox.description} does not contain programs ({phase} phase: {detail}). Nothing "
            "was scored. Is this machine itself a container that forbids namespaces? Use a "
            "virtual machine, or accept the risk with --sandbox-mode none --allow-no-sandbox"
        )
