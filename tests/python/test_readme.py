"""The README can be followed: what stands in its fenced blocks is run, or is what was printed.

The set-up takes minutes, and is rehearsed by tests/provisioning; here it says its plan, and the
evaluation that the plan names is run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sigil_eval.cli import COMMANDS, sigil_eval
from sigil_eval.files import write_jsonl
from sigil_eval.problems import ProblemSet

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
BY_FIRST_WORDS = {" ".join(text.split()[:2]): text for _, text in BLOCKS}
START = BY_FIRST_WORDS["git clone"]
AFTER = BY_FIRST_WORDS["bash eval_setup.sh"]
TRANSCRIPT = BY_FIRST_WORDS["$ bash"]
FOLDER = BY_FIRST_WORDS["humaneval_results/ combined_summary.md"]
SWEEP = BY_FIRST_WORDS["sigil-eval sweep"]
LOOP = BY_FIRST_WORDS["sigil-eval loop"]
SCORING = BY_FIRST_WORDS["sigil-eval score"]
CONFIG = BY_FIRST_WORDS["num-samples ="]
COMPLETION = BY_FIRST_WORDS['eval "$(_SIGIL_EVAL_COMPLETE=bash_source']

type Environment = Mapping[str, str]


def bash(script: str, folder: Path, environment: Environment) -> str:
    """What the script's lines print, each of which must succeed."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A machine with the command, on which nothing is set up, and whose GitHub is this checkout."""
    home = tmp_path_factory.mktemp("home")
    command = home / "bin" / "sigil-eval"
    command.parent.mkdir()
    python = f"PYTHONPATH={shlex.quote(str(REPOSITORY / 'src'))} exec {shlex.quote(sys.executable)}"
    command.write_text(f'#!/bin/sh\n{python} -m sigil_eval.cli "$@"\n')
    command.chmod(0o755)
    git = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{REPOSITORY}.insteadOf",
        "GIT_CONFIG_VALUE_0": START.split()[2],
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }
    path = f"{command.parent}:{os.environ['PATH']}"
    places = {"HOME": "", "STATE_DIR": "state", "XDG_CACHE_HOME": "cache"}
    own = {name: str(home / place) for name, place in places.items()}
    return {**os.environ, "PATH": path, **own, **git}


@pytest.fixture(scope="module")
def clone(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that the first block leads to, and what it prints."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("no checkout of git's")
    folder = tmp_path_factory.mktemp("start")
    said = bash(START.replace("--demo", "--demo --plan") + "pwd\n", folder, environment)
    return Path(said.splitlines()[-1]), said


@pytest.fixture(scope="module")
def demo(clone: tuple[Path, str], environment: Environment) -> str:
    """What the demo's evaluation prints, called as in the plan; its results are in the clone."""
    folder, said = clone
    planned = next(line for line in said.splitlines() if "evaluate_humaneval.py" in line)
    arguments = planned.split("evaluate_humaneval.py", 1)[1]
    return bash(f"sigil-eval run {arguments}", folder, environment)


def test_every_block_is_run_or_compared_below() -> None:
    tried = {START, AFTER, TRANSCRIPT, FOLDER, SWEEP, LOOP, SCORING, CONFIG, COMPLETION}
    assert [text for _, text in BLOCKS if text not in tried] == []


def test_a_line_of_bash_is_one_command() -> None:
    """Two on a line, or a choice of them, would break where it is pasted."""
    for line in (START + AFTER + SWEEP + LOOP + SCORING).splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_./:= -]+( >[a-z.]+)?", line), line


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows(demo: str) -> None:
    """But for how long things took, and what differs between machines, which is left out there."""

    def plain(text: str) -> str:
        without = re.sub(r"\d+/\d+|, [0-9.]+ \w+/s, 0s left|\b(\d+m )?\d+s\b|\$[0-9.]+", "", text)
        return " ".join(without.split())

    shown = TRANSCRIPT.split("[10/10]")[1].split("Done.")[0].splitlines()[1:]
    printed = plain(demo)
    lines = [line for line in shown if "…" not in line]
    assert len(lines) > 10
    for line in lines:
        assert plain(line) in printed


def test_the_demo_has_the_steps_that_the_readme_shows() -> None:
    listed = bash("bash eval_setup.sh --list", REPOSITORY, os.environ).split()
    listed.remove("vllm")  # which is made where it is asked for
    steps = re.findall(r"^\[ ?(\d+)/(\d+)\] (\w+) +done in \d+s$", TRANSCRIPT, re.MULTILINE)
    assert len(steps) == 3
    for number, all_of_them, step in steps:
        assert (listed[int(number) - 1], len(listed)) == (step, int(all_of_them))


def test_the_demo_ends_with_what_the_readme_shows() -> None:
    said = bash(
        "source lib/logging.sh; source lib/status.sh; OUTPUT_DIR=…/humaneval_results_demo\n"
        "sigil_eval_as_typed() { echo sigil-eval; }; say_what_next",
        REPOSITORY,
        os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert TRANSCRIPT.endswith(said)


@pytest.mark.slow
def test_what_comes_after_the_demo_can_be_done(
    clone: tuple[Path, str], demo: str, environment: Environment
) -> None:
    results = clone[0] / "humaneval_results_demo"
    said = bash(AFTER, clone[0], environment)
    assert "100 of 100 results" in said
    named = {name for line in FOLDER.splitlines() for name in re.findall(r"^  (\S+)", line)}
    left = {path.name + "/" * path.is_dir() for path in results.iterdir()}
    assert named - left == {"run.log"}  # which is written around it


def test_checkpoints_are_found_as_the_readme_says(
    clone: tuple[Path, str], environment: Environment
) -> None:
    """They are checked beforehand, and not evaluated."""
    folder, models = clone[0], clone[0] / "demo" / "models"
    shutil.copytree(models / "adapter", folder / "run" / "checkpoint-500")
    shutil.copytree(models / "base", folder / "models" / "base")
    of_python, of_bash = SWEEP.splitlines()
    assert "checkpoint-500" in bash(f"{of_python} --check --device cpu", folder, environment)
    assert "sweep run" in bash(f"{of_bash} --demo --plan", folder, environment)


def test_the_loop_is_begun_as_the_readme_says(
    clone: tuple[Path, str], environment: Environment
) -> None:
    """It is checked beforehand, and not run: test_loop.py does that."""
    folder = clone[0]
    shutil.copy(folder / "demo" / "crates.txt", folder)
    shutil.copy(folder / "demo" / "loop.yml", folder / "train.yml")
    of_python, of_the_demo, of_the_target = LOOP.splitlines()
    assert "3 crates, into out/loop/data" in bash(f"{of_python} --check", folder, environment)
    assert "loop demo/crates.txt demo/loop.yml" in bash(
        f"{of_the_demo} --plan", folder, environment
    )
    assert "loop crates.txt train.yml" in bash(f"{of_the_target} --plan", folder, environment)


@pytest.mark.slow
def test_samples_are_scored_as_the_readme_says(
    tmp_path: Path, environment: Environment, humaneval: ProblemSet
) -> None:
    rows = [{"task_id": p.task_id, "completion": p.canonical_solution} for p in humaneval.problems]
    for name in ("samples", "base", "tuned"):
        write_jsonl(tmp_path / f"{name}.jsonl", rows)
    write_jsonl(tmp_path / "part.jsonl", rows[:3])
    write_jsonl(
        tmp_path / "train.jsonl", [{"prompt": "Add.", "gen": "fn add(a: u8) -> u8 {\n    a\n}"}]
    )
    own = {
        "task_id": "Mine/0",
        "prompt": "/// One more.\nfn next(x: i32) -> i32 {\n",
        "canonical_solution": "    x + 1\n}\n",
        "test": "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn one() {\n"
        "        assert_eq!(next(1), 2);\n    }\n}\n",
        "entry_point": "next",
    }
    write_jsonl(tmp_path / "problems.jsonl", [own])
    write_jsonl(
        tmp_path / "mine.jsonl", [{"task_id": "Mine/0", "completion": own["canonical_solution"]}]
    )
    bash(SCORING, tmp_path, environment)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["metrics"]["no-policy"]["models"]["samples"]["pass_at_k"]["1"]["mean"] == 1


def test_the_file_of_options_is_one(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text(CONFIG)
    score = next(command for command in COMMANDS if command.name == "score")
    with sigil_eval.make_context("sigil-eval", ["score"]) as root:
        typed = ["x", "--config", str(path)]
        given = score.make_context("score", typed, parent=root).params
    assert (given["k_values"], given["modes"]) == ((1, 10), ("policy",))


def test_a_shell_completes_the_command(environment: Environment, tmp_path: Path) -> None:
    said = bash(COMPLETION + "complete -p sigil-eval\n", tmp_path, environment)
    assert said.strip().endswith("_sigil_eval_completion sigil-eval")
