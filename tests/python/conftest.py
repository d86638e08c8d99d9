"""Fixtures that several suites share: the real problem set, and a real judge in its sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import ProblemSet, load_problem_set


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_earlier_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a run keeps for the next is these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def humaneval() -> ProblemSet:
    """The pinned 164 problems with their errata."""
    return load_problem_set("humaneval-rust")


@pytest.fixture(scope="session")
def sigil_rust() -> ProblemSet:
    """The pinned 180 problems with their errata."""
    return load_problem_set("sigil-rust")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A headless Chromium with an empty page."""
    with Browser(tmp_path / "profile") as started:
        yield started


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """A judge with real rustc and real Firejail, and less patience than in earnest."""
    settings = JudgeSettings(limits=Limits(compile_seconds=5, run_seconds=2))
    with Judge(settings) as started:
        yield started


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tiny models on a busy machine: threads would wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
