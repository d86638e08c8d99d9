"""A harness that is killed takes all that it started along, and the next one clears its folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sigil_eval.judging.process import run_bounded
from sigil_eval.judging.workplace import new_workplace

SOURCES = Path(__file__).resolve().parents[2] / "src"

# Judges sleepers together and alone, what does not parse, and what keeps a compiler busy.
HARNESS = """
from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import load_problem_set

problem = load_problem_set("humaneval-rust").by_id["HumanEval/23"]
HEAD = "fn strlen(strings: String) -> i32 "
SLEEP = "std::thread::sleep(std::time::Duration::from_secs(600)); "
codes = [HEAD + "{" + SLEEP + f"{number} }}" for number in range(3)]
codes += [HEAD + "{" + SLEEP + "dbg!(1) }", HEAD + "{ let x = ; 1 }", HEAD + "{ let y = ; 2 }"]
busy = "const fn f() -> i32 { let mut i = 0u64; while i < u64::MAX { i += 1 } 1 } "
codes.append("#![allow(long_running_const_eval)] " + busy + "const A: i32 = f(); " + HEAD + "{ A }")
settings = JudgeSettings(Limits(compile_seconds=60, run_seconds=60), workers=4)
with Judge(settings) as judge:
    for _ in judge.judge([Program(problem, code) for code in codes]):
        pass
"""
# What a process of each phase is called by.
PHASES = {
    "self-test": "/probe-",
    "runtime": "/runtime-",
    "sides of the tests": "/side-",
    "compiling together": "/batch-",
    "compiling alone": " answer.rs",
    "running": "/run/driver",
}


def command_lines(part: str) -> list[str]:
    """The command lines of processes that name `part`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (
                (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
        except OSError:
            continue
        if part in line:
            found.append(line)
    return found


def wait_until(seconds: float, holds: object) -> bool:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("phase", PHASES)
def test_nothing_outlives_its_harness(phase: str, how: signal.Signals, tmp_path: Path) -> None:
    # Paths of pytest's own are too long to be told apart in a process's command line.
    with tempfile.TemporaryDirectory(prefix="orphans-") as name:
        place = Path(name)
        place.chmod(0o755)
        nothing_kept = {"XDG_CACHE_HOME": str(tmp_path)}
        environment = {**os.environ, **nothing_kept, "PYTHONPATH": str(SOURCES), "TMPDIR": name}
        harness = subprocess.Popen([sys.executable, "-c", HARNESS], env=environment)
        try:
            mark = PHASES[phase]
            assert wait_until(
                90, lambda: any(mark in line for line in command_lines(f"{place}/sigil-eval-"))
            ), "never got there"
            harness.send_signal(how)
            harness.wait()
            assert wait_until(10, lambda: not command_lines(f"{place}/sigil-eval-"))
        finally:
            harness.kill()
            harness.wait()
        clear = "from sigil_eval.judging import workplace, self_test as s; import pathlib;"
        clear += "workplace.new_workplace().remove(); s.remove_stale(pathlib.Path.home())"
        subprocess.run([sys.executable, "-c", clear], env=environment, check=True)
        assert list(place.iterdir()) == []
        assert not list(Path.home().glob(f".sigil-*-{harness.pid}-*"))


def test_what_a_harness_and_its_guard_left_running_is_ended_by_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = tmp_path / "sigil-eval-4194305-x"
    (gone / "run").mkdir(parents=True)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", f"{gone}/run"])
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", f"{gone}y/run"])
    try:
        assert wait_until(10, lambda: len(command_lines(str(gone))) == 2)
        new_workplace().remove()
        assert left.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        assert not gone.exists()
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


def test_who_says_nothing_for_long_is_given_up() -> None:
    talk = "for n in 1 2 3 4 5 6; do echo $n; sleep 0.3; done; sleep 600"
    found = run_bounded(
        ["sh", "-c", talk], cwd=Path("/"), environment={}, timeout=300, silence=1.5, stdin=b""
    )
    assert found.timed_out and found.stdout.split() == [b"1", b"2", b"3", b"4", b"5", b"6"]
