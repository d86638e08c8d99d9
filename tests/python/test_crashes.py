"""What ends a compiler from outside is no model's failure; what it does to itself is a crash."""

from __future__ import annotations

import json
import shutil
import signal
import stat
from pathlib import Path

import pytest

from opened import open_to_all
from sigil_eval.answers.program import Program
from sigil_eval.judging.compiler import Shown
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.crashes import (
    crashed_by_itself,
    last_words,
    linker_was_ended,
    machine_lacked,
    ran_out_of_time,
)
from sigil_eval.judging.errors import WallClockError
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.process import Finished
from sigil_eval.problems import ProblemSet

SEGFAULT = """error: rustc interrupted by SIGSEGV, printing backtrace

/opt/rust/lib/librustc_driver-6108105cd7e839cf.so(+0x3b62e1c)[0x7fb969f62e1c]
/lib/x86_64-linux-gnu/libc.so.6(+0x3c050)[0x7fb96625a050]

### cycle encountered after 3 frames with period 4
note: rustc unexpectedly overflowed its stack! this is a bug
"""
PANIC = """
thread 'rustc' (4217) panicked at compiler/rustc_middle/src/ty/mod.rs:1305:10:
no entry found for key 0x7ffd12
stack backtrace:
   0:     0x7fd58302b588 - std[e28293b1aa0f68bd]::rt::lang_start_internal
             at /rustc/library/std/src/rt.rs:12

error: the compiler unexpectedly panicked. This is a bug

note: please attach the file at `/tmp/job/rustc-ice-2026-01-01T00_00_00-4217.txt`
"""


def ended(status: int, cpu_seconds: float = 0.1, *, flooded: bool = False) -> Finished:
    return Finished(status, b"", b"", cpu_seconds, timed_out=False, flooded=flooded)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGILL", "SIGBUS"])
def test_a_signal_of_its_own_is_a_crash(name: str) -> None:
    assert crashed_by_itself(ended(128 + signal.Signals[name]))


@pytest.mark.parametrize("status", [1, 125, 137, 143, -9, -11, -15])
def test_what_comes_from_outside_is_none(status: int) -> None:
    assert not crashed_by_itself(ended(status))


def test_being_killed_is_the_time_limit_only_once_that_much_was_used() -> None:
    assert ran_out_of_time(ended(137, 10.04), 10)
    assert ran_out_of_time(ended(137, 9.1), 10)
    assert not ran_out_of_time(ended(137, 7.2), 10)
    assert not ran_out_of_time(ended(139, 11), 10)


@pytest.mark.parametrize(
    ("message", "is_ended"),
    [
        ("linking with `cc` failed: signal: 9 (SIGKILL)", True),
        ("linking with `cc` failed: exit status: 1: ld terminated with signal 9 [Killed]", True),
        ("could not exec the linker `cc`: Resource temporarily unavailable", True),
        ("linking with `cc` failed: exit status: 1: undefined reference to `nope`", False),
        (
            "linking with `cc` failed: ld terminated with signal 25 [File size limit exceeded]",
            False,
        ),
        ("cannot find value `signal: 9 (SIGKILL)` in this scope", False),
    ],
)
def test_a_linker_that_was_ended_is_told_from_one_that_refuses(
    message: str, is_ended: bool
) -> None:
    assert linker_was_ended(message) is is_ended


def test_what_a_program_quotes_is_not_the_machines_word() -> None:
    assert machine_lacked("error: No space left on device (os error 28)")
    assert not machine_lacked(json.dumps({"message": "No space left on device"}))


@pytest.mark.parametrize("said", [SEGFAULT, PANIC])
def test_last_words_are_the_same_from_crash_to_crash(said: str) -> None:
    elsewhere = said.replace("0x7f", "0x55").replace("4217", "99").replace("/opt/", "/usr/")
    assert elsewhere != said
    assert last_words(elsewhere) == last_words(said)
    assert "rustc" in last_words(said)


@pytest.mark.parametrize(
    ("status", "is_refused", "was_ended"),
    [
        *((1, True, False), (0, False, False), (101, False, False), (124, False, False)),
        *((137, False, True), (143, False, True), (None, False, True)),
    ],
)
def test_only_a_compiler_that_came_to_its_end_has_refused(
    status: int | None, is_refused: bool, was_ended: bool
) -> None:
    shown = Shown(b'{"level": "error"}', status)
    assert (shown.is_refused, shown.was_ended) == (is_refused, was_ended)


# Ends what compiles an answer, and twice every compiler that comes later, as ENDING says.
KILLER = """#!/bin/bash
count=$(cat "{counter}"); count=${{count:-0}}
case " $* " in *" answer.rs "*|*" answers.rs "*)
  if [ "$count" -lt {times} ]; then
    echo $((count + 1)) >"{counter}"
    {ending}
  fi;;
esac
exec {firejail} "$@"
"""


@pytest.mark.parametrize(
    ("ending", "times", "outcome"),
    [
        ("kill -KILL $$", 2, "passed"),
        ("kill -TERM $$", 2, "passed"),
        ("exit 137", 2, "passed"),
        ('echo "Error: cannot clone" >&2; exit 1', 2, "passed"),
        ("kill -KILL $$", 99, "infrastructure"),
        ('echo "Error fork: main.c:3" >&2; exit 1', 99, "infrastructure"),
        ("echo 'error: rustc interrupted by SIGSEGV' >&2; exit 139", 99, "failed"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 64])
def test_machinery_that_dies_while_compiling_fails_nobody(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    humaneval: ProblemSet,
    ending: str,
    times: int,
    outcome: str,
    batch_size: int,
) -> None:
    fake = tmp_path / "firejail"
    values = {"counter": tmp_path / "count", "firejail": shutil.which("firejail")}
    fake.write_text(KILLER.format(ending=ending, times=times, **values))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    (tmp_path / "count").touch()
    (tmp_path / "count").chmod(0o666)
    open_to_all(tmp_path)
    monkeypatch.setenv("SIGIL_FIREJAIL", str(fake))
    programs = [Program(p, reference_source(p)) for p in humaneval.problems[40:42]]
    settings = JudgeSettings(Limits(compile_seconds=5, run_seconds=2), batch_size=batch_size)
    with Judge(settings) as judge:
        monkeypatch.setattr(judge._stopping, "wait", lambda _: False)  # do not back off
        outcomes = {verdict.outcome for _, verdict in judge.judge(programs)}
    assert outcomes == {outcome}


def test_a_wall_clock_that_ends_a_compiler_is_no_slow_test(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, humaneval: ProblemSet
) -> None:
    problem = humaneval.problems[40]

    def too_late(*_: object) -> None:
        raise WallClockError

    monkeypatch.setattr(judge._compiler, "compile_answers", too_late)
    ((_, verdict),) = judge.judge([Program(problem, reference_source(problem))])
    assert verdict.error_type == "compile_timeout" and verdict.compile_ok is False
    assert "compiling was not done after 12 s" in verdict.detail


def test_a_wall_clock_that_ends_tests_keeps_the_flag(humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/23"]
    sleep = "std::thread::sleep(std::time::Duration::from_secs(99)); unsafe { *(&1 as *const i32) }"
    programs = [
        Program(problem, f"fn strlen(strings: String) -> i32 {{ {sleep} }}"),
        Program(problem, f"fn strlen(strings: String) -> i32 {{ {sleep[:-31]}; 1 }}"),
    ]
    with Judge(JudgeSettings(limits=Limits(run_seconds=0.5))) as judge:
        found = {p.code: v for p, v in judge.judge(programs)}
    assert {verdict.error_type for verdict in found.values()} == {"test_timeout"}
    assert [found[program.code].uses_unsafe for program in programs] == [True, False]
