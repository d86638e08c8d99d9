"""What the driver reports becomes a verdict, and a sandbox that fails is nobody's wrong answer."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from opened import open_to_all
from sigil_eval.errors import IncompleteError
from sigil_eval.files import read_jsonl, write_jsonl
from sigil_eval.judging.endings import Ending, judge_ending, read_endings
from sigil_eval.judging.errors import SandboxFailureError
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.phases import check_complete
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.forms import completion_in_form
from sigil_eval.scoring.score import score_files

START = "n START\n"


def error_type(ending: Ending) -> str | None:
    verdict = judge_ending(ending, "n", 3, 10)
    assert verdict is not None
    return verdict.error_type


def test_only_the_exact_report_with_status_zero_passes() -> None:
    verdict = judge_ending(Ending(0, START + "n PASS 3/3\n", ""), "n", 3, 10)
    assert verdict is not None and verdict.passed


def test_both_processes_have_one_limit_together() -> None:
    report = START + "n PASS 3/3\n"
    within = judge_ending(Ending(0, report, "", 10), "n", 3, 10)
    assert within is not None and within.passed
    assert error_type(Ending(0, report, "", 11)) == "test_timeout"


@pytest.mark.parametrize(
    ("code", "report"),
    [
        (0, START),
        (0, START + "n PASS 2/2\n"),
        (0, START + "n PASS 3/3\nn PASS 3/3\n"),
        (0, START + "x PASS 3/3\n"),
        (0, START + "\nn PASS 3/3\n"),
        (0, START + "n PASS 3/3"),
        (1, START + "n PASS 3/3\n"),
        (-signal.SIGSEGV, START + "n PASS 3/3\n"),
    ],
)
def test_anything_else_fails(code: int, report: str) -> None:
    assert error_type(Ending(code, report, "")) == "runtime_error"


def test_failures_are_told_apart() -> None:
    failed = START + "n FAIL {} tests::t\n"
    assert error_type(Ending(101, failed.format("assertion"), "")) == "assertion_failure"
    assert error_type(Ending(101, failed.format("panic"), "")) == "runtime_error"
    assert error_type(Ending(101, failed.format("canary"), "")) == "runtime_error"
    assert error_type(Ending(-signal.SIGXCPU, START, "")) == "test_timeout"
    assert error_type(Ending(-signal.SIGKILL, START, "", 10)) == "test_timeout"
    assert error_type(Ending(-signal.SIGABRT, START, "", 1)) == "runtime_error"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_is_ended_from_outside_has_not_failed(number: int) -> None:
    with pytest.raises(SandboxFailureError):
        judge_ending(Ending(-number, START, "", 1), "n", 3, 10)


def test_an_answers_process_that_was_lost_has_ended_in_its_own_way() -> None:
    lost = START + "n LOST\n"
    assert error_type(Ending(-signal.SIGXCPU, lost, "")) == "test_timeout"
    for code in (0, 101, -signal.SIGALRM, -signal.SIGSEGV):
        assert error_type(Ending(code, lost, "")) == "runtime_error"
    assert error_type(Ending(101, START + "n FAIL nonsense answer\n", "")) == "runtime_error"


def test_the_wall_clock_alone_decides_nothing() -> None:
    assert judge_ending(Ending(-signal.SIGALRM, START, ""), "n", 3, 10) is None


@pytest.mark.parametrize("report", ["", "n BROKEN prctl(PR_SET_SECCOMP)\n", "m START\n"])
def test_what_never_started_is_the_sandboxs_failure(report: str) -> None:
    with pytest.raises(SandboxFailureError):
        judge_ending(Ending(99, report, ""), "n", 3, 10)


def test_endings_are_read_up_to_the_first_incomplete_one() -> None:
    output = b"0 0 7 3 2\nabcde" + b"1 256 0 0 1\nx" + b"2 9 0 5 0\nabc"
    assert list(read_endings(output, [0, 1, 2])) == [Ending(0, "abc", "de", 7), Ending(1, "", "x")]


def test_endings_out_of_order_are_not_believed() -> None:
    assert list(read_endings(b"1 0 0 0 0\n", [0])) == []


def test_a_sandbox_that_fails_makes_the_run_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, humaneval: ProblemSet
) -> None:
    """Firejail that compiles and passes its self-test, and then does not start a driver."""
    real = shutil.which("firejail")
    fake = tmp_path / "firejail"
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in */driver) echo "Error: cannot clone" >&2; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    fake.chmod(0o755)
    open_to_all(tmp_path)
    monkeypatch.setenv("SIGIL_FIREJAIL", str(fake))
    samples = tmp_path / "answers.jsonl"
    completion = completion_in_form(humaneval.problems[0], "body")
    write_jsonl(samples, [{"task_id": "HumanEval/0", "completion": completion}])
    with Judge(JudgeSettings()) as judge:
        monkeypatch.setattr(judge._stopping, "wait", lambda _: False)  # do not back off
        summary = score_files({"answers": samples}, humaneval, tmp_path, judge, ["no-policy"])
    with pytest.raises(IncompleteError, match="1 results have no verdict"):
        check_complete(summary)
    ((_, row),) = read_jsonl(tmp_path / "no-policy/answers_results.jsonl")
    assert row["outcome"] == "infrastructure" and row["error_type"] == "infra_sandbox"
    assert row["passed"] is False and row["compile_ok"] is None

    monkeypatch.delenv("SIGIL_FIREJAIL")
    with Judge(JudgeSettings()) as judge:
        summary = score_files({"answers": samples}, humaneval, tmp_path, judge, ["no-policy"])
    check_complete(summary)
    ((_, row),) = read_jsonl(tmp_path / "no-policy/answers_results.jsonl")
    assert row["passed"] is True
