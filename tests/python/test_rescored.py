"""What came of judging results again holds for a day, for the same results and judge alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sigil_eval.documents.metadata import Rescored
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.reproduce import RescoredBefore
from sigil_eval.run_folder import RunFolder
from sigil_eval.scoring.proved import LASTS_SECONDS

ALIKE: Rescored = {
    "seed": 1, "samples": 9, "programs": 8, "agree": 9, "undecided": 0, "low": 0.66, "high": 1.0,
    "disagreements": [],
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is kept, in a folder of each test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A folder with results of one model."""
    folder = RunFolder(tmp_path / "run")
    folder.results("no-policy", "base").parent.mkdir(parents=True)
    folder.results("no-policy", "base").write_text("one row\n")
    return folder


def test_it_holds_for_the_same_results_draw_and_judge(
    judge: Judge, humaneval: ProblemSet, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    RescoredBefore(folder, humaneval, judge, 1).keep(ALIKE)
    assert RescoredBefore(folder, humaneval, judge, 1).find() == {**ALIKE, "seconds_ago": 0}
    assert RescoredBefore(folder, humaneval, judge, 2).find() is None
    few = replace(humaneval, problems=humaneval.problems[:9])
    assert RescoredBefore(folder, few, judge, 1).find() is None
    with monkeypatch.context() as patch:
        patch.setattr(judge.sandbox, "description", "another")
        assert RescoredBefore(folder, humaneval, judge, 1).find() is None
    folder.results("no-policy", "base").write_text("another row\n")
    assert RescoredBefore(folder, humaneval, judge, 1).find() is None


def test_it_holds_for_a_day(
    judge: Judge, humaneval: ProblemSet, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = RescoredBefore(folder, humaneval, judge, 1)
    before.keep(ALIKE)
    found = before.find()
    assert found is not None
    monkeypatch.setattr("time.time", lambda: 2e9 + LASTS_SECONDS)
    assert before.find() is None


@pytest.mark.parametrize("left_open", [{"agree": 8}, {"undecided": 1}])
def test_what_leaves_something_open_is_judged_anew(
    judge: Judge, humaneval: ProblemSet, folder: RunFolder, left_open: dict[str, int]
) -> None:
    before = RescoredBefore(folder, humaneval, judge, 1)
    before.keep({**ALIKE, **left_open})  # type: ignore[typeddict-item]
    assert before.find() is None
