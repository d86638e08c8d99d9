"""A disk that is full, or takes nothing, is no model's failure: what to do is said."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.crashes import linker_was_ended, no_room_for
from sigil_eval.judging.diagnostics import Diagnostic, read_diagnostics
from sigil_eval.judging.errors import NoRoomError
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.workplace import Workplace
from sigil_eval.problems import ProblemSet

FULL = "No space left on device"
BUS_ERROR = (
    "          collect2: fatal error: ld terminated with signal 7 [Bus error]\n"
    "          compilation terminated.\n          "
)


def error(
    message: str, *notes: str, file: str | None = None, code: str | None = None
) -> Diagnostic:
    spans = [{"file_name": file, "is_primary": True, "line_start": 1, "column_start": 1}]
    row = {
        "level": "error",
        "message": message,
        "code": {"code": code} if code else None,
        "spans": spans if file else [],
        "children": [{"message": note} for note in notes],
    }
    (read,) = read_diagnostics(json.dumps(row).encode())
    return read


@pytest.mark.parametrize(
    "said",
    [
        error(f"failed to write /t/lib.rmeta: {FULL} (os error 28)"),
        error("failed to write /t/lib.rmeta: Read-only file system (os error 30)"),
        error("couldn't create a temp dir: Disk quota exceeded (os error 122)"),
        error("linking with `cc` failed: exit status: 1", "cc", BUS_ERROR),
        error(
            "linking with `cc` failed: exit status: 1",
            f"ld: final link failed: {FULL}\n  collect2: error: ld returned 1 exit status\n",
        ),
    ],
)  # fmt: skip
def test_rustc_and_the_linker_say_that_there_is_no_room(said: Diagnostic) -> None:
    assert no_room_for(said)


@pytest.mark.parametrize(
    "said",
    [
        error(f"failed to write: {FULL} (os error 28)", file="answer.rs"),
        error(f"compile_error: {FULL} (os error 28)", file="answer.rs"),
        error(f"of the program: {FULL} (os error 28)", code="E0080"),
        error(f"{FULL} (os error 28) is what it says"),
        error(
            "linking with `cc` failed: exit status: 1",
            f"ld: undefined reference to `f: {FULL}'\ncollect2: error: ld returned 1 exit status",
        ),
        error(
            "linking with `cc` failed: exit status: 1",
            f"ld: undefined reference to `\n{BUS_ERROR}'\ncollect2: error: ld returned 1",
        ),
    ],
)
def test_a_program_that_says_so_is_not_believed(said: Diagnostic) -> None:
    assert not no_room_for(said)
    assert not linker_was_ended(said.message, said.notes)


def test_a_linker_that_was_ended_is_told_from_one_that_failed() -> None:
    killed = BUS_ERROR.replace("7 [Bus error]", "9 [Killed]")
    assert linker_was_ended("linking with `cc` failed: exit status: 1", ["cc", killed])
    assert not linker_was_ended("linking with `cc` failed: exit status: 1", [killed + "x"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_what_cannot_be_written_is_said_with_the_way_out(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(NoRoomError, match="set TMPDIR to another folder") as caught,
        Workplace(tmp_path, None).job("x"),
    ):
        raise OSError(number, os.strerror(number))
    assert isinstance(caught.value, PreflightError)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of its own for what is compiled, with room for the judge itself."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=120m,mode=1777", "small", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        folder.rmdir()
        pytest.skip("disks can be mounted as root only")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.parametrize("left", [0, 20_000, 1_000_000])
def test_a_disk_that_fills_up_ends_the_run(
    small_disk: Path, humaneval: ProblemSet, left: int
) -> None:
    problem = humaneval.by_id["HumanEval/23"]
    program = Program(problem, reference_source(problem))
    with Judge(JudgeSettings()) as judge:
        other = humaneval.by_id["HumanEval/28"]
        [(_, verdict)] = judge.judge([Program(other, reference_source(other))])
        assert verdict.passed
        state = os.statvfs(small_disk)
        (small_disk / "fill").write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - left)))
        with pytest.raises(PreflightError, match="set TMPDIR to another folder"):
            list(judge.judge([program]))
