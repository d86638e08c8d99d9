"""What is compiled once is kept from run to run, and only what its own user has made counts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.verdict import Verdict
from sigil_eval.kept import Kept
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.provisioned import cache_folder, provisioned_file

KEY = "0" * 64


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a judge keeps what it compiles, in a folder of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sigil-eval" / "compiled"


def judged(programs: Sequence[Program]) -> tuple[dict[Program, Verdict], list[str]]:
    """The verdicts, and the names of the crates that rustc has compiled for them."""
    compiled: list[str] = []
    judge = Judge(JudgeSettings(workers=2))
    run = judge.sandbox.run

    def recording(phase: Any, command: Sequence[str], **options: Any) -> Any:
        names = [word.partition("=")[2] for word in command if word.startswith("--crate-name=")]
        compiled.extend(names)
        return run(phase, command, **options)

    judge.sandbox.run = recording  # type: ignore[method-assign]
    with judge:
        return dict(judge.judge(programs)), compiled


def answers(problems: Sequence[Problem]) -> list[Program]:
    """Of each problem a right answer and one that does nothing."""
    right = [Program(problem, reference_source(problem)) for problem in problems]
    return right + [
        Program(program.problem, program.code.replace("{", "{ if true { todo!() } ", 1))
        for program in right
    ]


def test_a_second_run_compiles_answers_alone(humaneval: ProblemSet, cache: Path) -> None:
    programs = answers(humaneval.problems[:6])
    first, compiled = judged(programs)
    assert any(name.startswith("tests") for name in compiled) and "sigil_runtime" in compiled
    second, compiled = judged(programs)
    assert second == first
    assert [verdict.passed for verdict in second.values()].count(True) == 6
    assert {*compiled} <= {"answers", "answer", "driver"}


def test_another_test_or_compiler_is_compiled_anew(humaneval: ProblemSet, cache: Path) -> None:
    problem = humaneval.problems[0]
    (program,) = answers([problem])[:1]
    judged([program])
    harder = replace(
        problem,
        test=problem.test.replace("fn test_", "fn test_more() { panic!() }\n#[test] fn test_", 1),
    )
    verdicts, compiled = judged([Program(harder, program.code)])
    assert any(name.startswith("tests") for name in compiled)
    assert "calls0_0" not in compiled and "sigil_runtime" not in compiled
    assert not any(verdict.passed for verdict in verdicts.values())


@pytest.fixture(scope="module")
def kept_before(
    humaneval: ProblemSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[Program, Verdict]]:
    """What a judge has kept, and the verdicts that it came to."""
    folder = tmp_path_factory.mktemp("before")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        verdicts, _ = judged(answers(humaneval.problems[:2]))
    return folder / "sigil-eval" / "compiled", verdicts


@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "swapped", "folder", "link"])
def test_what_is_damaged_is_compiled_anew(
    kept_before: tuple[Path, dict[Program, Verdict]], cache: Path, tmp_path: Path, damage: str
) -> None:
    before, first = kept_before
    shutil.copytree(before, cache)
    kept = sorted(cache.iterdir())
    contents = [path.read_bytes() for path in kept]
    for path, data, other in zip(kept, contents, reversed(contents), strict=True):
        path.unlink()
        if damage == "changed":
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        elif damage == "folder":
            path.mkdir()
        elif damage == "link":
            (tmp_path / path.name).write_bytes(data)
            path.symlink_to(tmp_path / path.name)
        else:
            path.write_bytes(
                {"cut": data[: len(data) // 2], "empty": b"", "swapped": other}[damage]
            )
    second, compiled = judged([*first])
    assert second == first
    assert "sigil_runtime" in compiled or damage == "swapped"
    assert any(name.startswith("tests") for name in compiled)


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    Kept(folder).keep(KEY, b"mine")
    assert Kept(folder).find(KEY) == b"mine"
    folder.chmod(0o777)
    assert Kept(folder).find(KEY) is None
    folder.chmod(0o755)
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(folder)
    assert Kept(elsewhere).find(KEY) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_a_file_of_another_user_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    kept = Kept(folder)
    kept.keep(KEY, b"theirs")
    os.chown(folder / KEY, 1234, 1234)
    assert kept.find(KEY) is None
    os.chown(folder, 1234, 1234)
    assert Kept(folder).find(KEY) is None


def test_where_nothing_can_be_kept_judging_goes_on(
    humaneval: ProblemSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    verdicts, _ = judged(answers(humaneval.problems[:1])[:1])
    assert all(verdict.passed for verdict in verdicts.values())


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept", limit=3 * 40)
    for number in range(3):
        kept.keep(str(number), bytes(8))
        os.utime(tmp_path / "kept" / str(number), (number + 1, number + 1))
    assert kept.find("0") is not None
    kept.keep("3", bytes(8))
    assert [kept.find(str(number)) is not None for number in range(4)] == [True, False, True, True]
    kept.keep("too large", bytes(1000))
    assert kept.find("too large") is None and kept.find("3") is not None


def test_no_answer_reads_what_is_kept(humaneval: ProblemSet, cache: Path) -> None:
    program = answers(humaneval.problems[:1])[0]
    judged([program])
    reading = f'{program.code}\nconst _: &[u8] = include_bytes!("{next(cache.iterdir())}");\n'
    verdicts, _ = judged([Program(program.problem, reading)])
    assert [verdict.error_type for verdict in verdicts.values()] == ["compile_error"]


def test_what_can_be_made_again_lies_where_the_set_up_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "sigil-eval"
    provisioned_file().write_text("state_dir=/state\n")
    assert cache_folder() == Path("/state/cache")
