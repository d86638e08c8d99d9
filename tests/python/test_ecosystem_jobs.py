"""The jobs by which the ecosystem's packages are proved: each can fail, and says why."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
JOBS = {
    "pipeline": "sigil-pipeline",
    "finetuner": "sigilderg-finetuner",
    "eval_command": "sigilderg-finetuner",
    "human_eval": "human-eval-rust",
}


def job(name: str, expected: str = "", *paths: Path) -> tuple[int, str]:
    """Exit code and last line of a job, with `paths` in front of the installed packages."""
    ended = subprocess.run(
        [sys.executable, REPOSITORY / "lib/python/ecosystem_jobs.py", name, *expected.split()],
        env={**os.environ, "PYTHONPATH": ":".join(map(str, (*paths, REPOSITORY / "src")))},
        capture_output=True,
        text=True,
    )
    return ended.returncode, (ended.stdout + ended.stderr).strip().split("\n")[-1]


@pytest.mark.parametrize(("name", "package"), JOBS.items())
def test_the_published_packages_do_their_jobs(name: str, package: str) -> None:
    assert job(name, version(package)) == (0, "")
    code, words = job(name, "0.0.1")
    assert code == 1
    assert f"{package} is {version(package)}, expected 0.0.1" in words


def test_another_benchmark_under_the_same_version_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/__init__.py").touch()
    (tmp_path / "data/HumanEval_rust.jsonl").write_text('{"task_id": "CodeGen/1"}\n')
    code, words = job("human_eval", version("human-eval-rust"), tmp_path)
    assert code == 1
    assert "HumanEval_rust.jsonl has sha256" in words


@pytest.fixture
def finetuner(tmp_path: Path) -> Callable[[str, str], Path]:
    """The finetuner with the part that PyPI's package lacks, and a change to its trainer."""

    def make(old: str, new: str) -> Path:
        spec = importlib.util.find_spec("rust_qlora")
        assert spec is not None and spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, tmp_path / "rust_qlora")
        part = REPOSITORY / "tests/stand_ins/dataset_utils"
        shutil.copytree(part, tmp_path / "rust_qlora/dataset_utils")
        train = tmp_path / "rust_qlora/train.py"
        text = train.read_text()
        assert old in text
        train.write_text(text.replace(old, new))
        return tmp_path

    return make


def test_a_trainer_that_starts_and_cannot_train_is_not_taken_for_one(
    finetuner: Callable[[str, str], Path],
) -> None:
    """As its source is: all is there, --help is shown, and training ends at its arguments."""
    code, words = job("trainer", version("sigilderg-finetuner"), finetuner("", ""))
    assert code == 1
    assert "sigilderg-train makes no step: TypeError: " in words
    assert "unexpected keyword argument 'logging_dir'" in words


@pytest.mark.slow
def test_a_trainer_that_is_mended_makes_its_steps(finetuner: Callable[[str, str], Path]) -> None:
    mended = finetuner("        logging_dir=", "        use_cpu=True,\n        # logging_dir=")
    code, words = job("trainer", version("sigilderg-finetuner"), mended)
    assert code == 0, words


@pytest.mark.slow
def test_our_own_trainer_makes_its_steps_by_the_same_configuration() -> None:
    code, words = job("own_trainer")
    assert code == 0, words


def test_without_its_missing_part_the_trainer_says_which() -> None:
    code, words = job("trainer", version("sigilderg-finetuner"))
    assert code == 1
    assert "sigilderg-train makes no step: ImportError: Could not import DatasetLoader" in words
