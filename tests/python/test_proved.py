"""A proof of the judge holds for a day, for the same judge alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sigil_eval import phases
from sigil_eval.errors import PreflightError
from sigil_eval.files import dump_row
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.forms import FORMS
from sigil_eval.scoring.proof import Proof
from sigil_eval.scoring.proved import LASTS_SECONDS, ProvedBefore

PROOF = Proof(1, 1, 3, 4, {"todo": 1, "mutated": 3}, 7, (), (), ("held once",))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where proofs are kept, in a folder of each test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sigil-eval" / "proved"


@pytest.fixture
def one(humaneval: ProblemSet) -> ProblemSet:
    problem = humaneval.problems[0]
    return ProblemSet("one", (problem,), "0" * 64, "one")


def test_what_was_proved_is_not_proved_again_unless_that_is_wanted(
    judge: Judge,
    one: ProblemSet,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    first = phases.prove_aloud(judge, one, again=False)
    assert "seconds_ago" not in first and first["reference_answers"] == len(FORMS)
    capfd.readouterr()

    def nobody(*_: Any) -> Proof:
        raise PreflightError("proved anew")

    monkeypatch.setattr("sigil_eval.scoring.proved.prove", nobody)
    second = phases.prove_aloud(judge, one, again=False)
    said = "".join(capfd.readouterr())
    assert {**second, "seconds_ago": 0} == {**first, "seconds_ago": 0}
    assert (
        f"s ago: {len(FORMS)} of {len(FORMS)} reference answers pass" in said
        and "--prove-again" in said
    )
    assert f"proved: {judge.self_test[0]}" in said
    with pytest.raises(PreflightError, match="proved anew"):
        phases.prove_aloud(judge, one, again=True)


def test_a_proof_that_failed_is_not_kept(judge: Judge, one: ProblemSet, cache: Path) -> None:
    wrong = replace(one.problems[0], canonical_solution="    false\n}\n")
    for _ in range(2):
        with pytest.raises(PreflightError, match="wrong verdict"):
            phases.prove_aloud(judge, replace(one, problems=(wrong,)), again=False)
    assert not list(cache.iterdir())


def test_another_judge_is_proved_anew(
    judge: Judge, one: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    ProvedBefore(judge, one, "code").keep(PROOF)
    found = ProvedBefore(judge, one, "code").find()
    assert found is not None and found[0] == replace(PROOF, sandbox=tuple(judge.self_test))
    assert ProvedBefore(judge, one, "other code").find() is None
    changed = replace(one.problems[0], test=one.problems[0].test + "\n")
    assert ProvedBefore(judge, replace(one, problems=(changed,)), "code").find() is None
    for change in (
        lambda patch: patch.setattr(judge, "crates", replace(judge.crates, rlibs={})),
        lambda patch: patch.setattr(judge.sandbox, "description", "another"),
        lambda patch: patch.setattr(judge, "toolchain", replace(judge.toolchain, version="1.0")),
        lambda patch: patch.setattr("os.geteuid", lambda: 4321),
        lambda patch: patch.setattr("sys.version", "another"),
    ):
        with monkeypatch.context() as patch:
            change(patch)
            assert ProvedBefore(judge, one, "code").find() is None
    assert ProvedBefore(judge, one, "code").find() is not None


@pytest.mark.parametrize(
    ("later", "holds"),
    [(0, True), (LASTS_SECONDS - 60, True), (LASTS_SECONDS + 60, False), (-60, False)],
)
def test_it_holds_for_a_day(
    judge: Judge, one: ProblemSet, monkeypatch: pytest.MonkeyPatch, later: int, holds: bool
) -> None:
    ProvedBefore(judge, one, "code").keep(PROOF)
    kept = ProvedBefore(judge, one, "code").find()
    assert kept is not None
    now = 1_000_000_000
    monkeypatch.setattr("sigil_eval.scoring.proved.time.time", lambda: now)
    ProvedBefore(judge, one, "code").keep(PROOF)
    monkeypatch.setattr("sigil_eval.scoring.proved.time.time", lambda: now + later)
    found = ProvedBefore(judge, one, "code").find()
    assert (found is not None) == holds
    assert found is None or found[1] == later


@pytest.mark.parametrize("row", [{}, {"proved": 0}, {"proved": "x", "proof": {}}, {"proof": 1}])
def test_what_is_no_proof_is_not_taken_for_one(
    judge: Judge, one: ProblemSet, row: dict[str, Any]
) -> None:
    before = ProvedBefore(judge, one, "code")
    before._kept.keep(before._key, dump_row(row).encode())
    assert before.find() is None
    before._kept.keep(before._key, b"\xff no JSON")
    assert before.find() is None


def test_without_a_sandbox_nothing_is_kept(one: ProblemSet, cache: Path) -> None:
    with Judge(JudgeSettings(sandbox_mode="none", workers=1)) as judge:
        ProvedBefore(judge, one, "code").keep(PROOF)
        assert ProvedBefore(judge, one, "code").find() is None
    assert not cache.exists()
