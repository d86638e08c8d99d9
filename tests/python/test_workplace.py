"""The sandbox where disks are mounted otherwise: data disks and TMPDIR that hold what it needs.

Each case has a mount namespace of its own, so it takes root; programs run as an ordinary user.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.judging.workplace import new_workplace

SOURCES = Path(__file__).resolve().parents[2] / "src"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")

# Mounts a disk over $1, puts the compiler at $1/$2, and beside it what is nobody's business.
MOUNTED = """
set -eu
mount --make-rprivate /
mkdir -p "$1" && mount -t tmpfs -o mode=755 disk "$1"
mkdir -p "$1/$2" && mount --bind "$SYSROOT" "$1/$2"
echo secret >"$1/secret" && chmod 644 "$1/secret"
mkdir -m 1777 "$1/tmp"
export SIGIL_RUSTC=$1/$2/bin/rustc
exec "$PYTHON" -c "$PROGRAM" "$1/secret"
"""

# Proves the sandbox, then looks for the secret inside.
PROGRAM = """
import sys
from pathlib import Path
from sigil_eval.judging.judge import Judge, JudgeSettings

with Judge(JudgeSettings(workers=1)) as judge:
    print(judge.self_test[0])
    folder = judge.sandbox._shared
    for phase, command in (("compile", ["/bin/cat", sys.argv[1]]), ("compile", ["/bin/ls", "/"])):
        found = judge.sandbox.run(phase, command, folder=folder, timeout=30, stdin=b"")
        print(found.stdout.decode())
"""


def mounted(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", script, "bash", *arguments],
        env={
            **os.environ,
            "PYTHON": sys.executable,
            "PYTHONPATH": str(SOURCES),
            "PROGRAM": PROGRAM,
            "SYSROOT": str(find_toolchain().sysroot),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


@needs_root
@pytest.mark.parametrize(
    ("disk", "toolchain", "tmpdir"),
    [
        ("/mnt", "data/toolchain", "/tmp"),  # noqa: S108
        ("/mnt", "data/toolchain", "/mnt/tmp"),
        ("/media", "toolchain", "/var/tmp"),  # noqa: S108
        ("/opt", "toolchain", "/opt/tmp"),
        ("/srv", "a/b/toolchain", "/tmp"),  # noqa: S108
        ("/data", "toolchain", "/data/tmp"),
    ],
)
def test_the_sandbox_holds_wherever_the_compiler_lies(
    disk: str, toolchain: str, tmpdir: str
) -> None:
    made = not Path(disk).exists()
    try:
        finished = mounted(MOUNTED, disk, toolchain, TMPDIR=tmpdir)
    finally:
        if made:
            Path(disk).rmdir()
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout
    assert "usr" in finished.stdout.split()
    assert "secret" not in finished.stdout


@needs_root
def test_a_folder_whose_name_firejail_refuses_is_hidden() -> None:
    odd = Path("/odd, name!")
    mount = 'mount -t tmpfs disk "$1" && echo secret >"$1/secret"'
    odd.mkdir()
    try:
        finished = mounted(f'{mount} && exec "$PYTHON" -c "$PROGRAM" "$1/secret"', str(odd))
    finally:
        odd.rmdir()
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout
    assert "secret" not in finished.stdout


@needs_root
def test_where_temporary_files_may_not_be_executed_programs_are_run_elsewhere(
    tmp_path: Path,
) -> None:
    noexec = 'mount -t tmpfs -o noexec,mode=1777 disk "$1" && exec "$PYTHON" -c "$PROGRAM" "$1"'
    finished = mounted(noexec, str(tmp_path), TMPDIR=str(tmp_path))
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout


@needs_root
def test_a_toolchain_that_the_sandbox_cannot_run_is_named() -> None:
    finished = mounted(MOUNTED, "/var/lib", "toolchain")
    assert finished.returncode != 0
    assert "/var/lib/toolchain cannot be run in the sandbox" in finished.stderr
    closed = MOUNTED.replace('chmod 644 "$1/secret"', 'chmod 700 "$1"')
    finished = mounted(closed, "/mnt", "toolchain")
    assert "cannot read the Rust toolchain at /mnt/toolchain, because /mnt is" in finished.stderr


def test_folders_of_harnesses_that_are_gone_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, living = tmp_path / "sigil-eval-4194305-x", tmp_path / f"sigil-eval-{os.getpid()}-x"
    gone.mkdir()
    living.mkdir()
    made = new_workplace()
    assert made.parent == tmp_path and made.stat().st_mode & 0o777 == 0o711
    assert living.exists() and not gone.exists()
