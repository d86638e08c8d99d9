"""Prove that the sandbox contains, by a probe that tries to get out."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

from sigil_eval.errors import PreflightError
from sigil_eval.judging.sandbox import Phase, Sandbox
from sigil_eval.judging.toolchain import Toolchain


def self_test(sandbox: Sandbox, toolchain: Toolchain, folder: Path) -> list[str]:
    """Prove that the sandbox contains: run a probe outside (must succeed) and inside (must not).

    Returns one line per fact that was proved. Raises PreflightError, naming what leaked, when
    the sandbox does not hold, or when the probe itself does not work.
    """
    binary = _build_probe(sandbox, toolchain, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path(tempfile.gettempdir())
    token = secrets.token_hex(8)
    canary, target = home / f".sigil-canary-{token}", home / f".sigil-written-{token}"
    canary.write_text("canary")
    try:
        command = [str(binary), str(canary), str(target), port]
        control = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
        if control != "read=yes write=yes connect=yes":
            raise PreflightError(f"the sandbox's probe does not work unconfined: {control!r}")
        target.unlink()
        for phase in ("compile", "run"):
            _expect_contained(sandbox, phase, command, folder, target)
    finally:
        listener.close()
        canary.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
    return [
        f"{sandbox.description}: a probe reads a file in HOME, writes one and connects to loopback"
        " outside; inside, compiling and running, it can do none of them"
    ]


def _build_probe(sandbox: Sandbox, toolchain: Toolchain, folder: Path) -> Path:
    source = folder / "probe.rs"
    source.write_text((resources.files(__package__) / "rust" / "probe.rs").read_text())
    built = sandbox.run(
        "compile",
        [str(toolchain.rustc), "--edition=2021", "-o", "probe", "probe.rs"],
        folder=folder,
        timeout=60,
        stdin=b"",
    )
    if built.status != 0:
        reason = (built.stderr or built.stdout).decode("utf-8", "replace").strip()[-800:]
        raise PreflightError(
            f"rustc does not work inside {sandbox.description} (status {built.status}): {reason}"
        )
    return folder / "probe"


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
