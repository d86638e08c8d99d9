"""Fixtures that several suites share: the real problem set, and a real judge in its sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import ProblemSet, load_problem_set


@pytest.fixture(scope="session")
def humaneval() -> ProblemSet:
    """The pinned 164 problems with their errata."""
    return load_problem_set("humaneval-rust")


@pytest.fixture(scope="session")
def sigil_rust() -> ProblemSet:
    """The pinned 180 problems with their errata."""
    return load_problem_set("sigil-rust")


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """A judge with real rustc and real Firejail, and less patience than in earnest."""
    settings = JudgeSettings(limits=Limits(compile_seconds=5, run_seconds=2))
    with Judge(settings) as started:
        yield started
