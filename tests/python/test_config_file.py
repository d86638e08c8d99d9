"""--config: a file of options, whose mistakes are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from sigil_eval.cli import main, sigil_eval
from sigil_eval.cli.general import words_from_file


def asked(command: str, *typed: str) -> click.Context:
    """A command's options as they are read."""
    with sigil_eval.make_context("sigil-eval", [command]) as root:
        return sigil_eval.commands[command].make_context(command, list(typed), parent=root)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "options.toml"
    path.write_text(
        """
        num-samples = 20
        k-values = [1, 10]
        timeout = 2.5
        [run]
        strict = true
        skip-base = true
        temperature = 0.5
        policy-only = true
        unmerged = true
        accepted-deviations = ["rust", "python"]
        [score]
        name = ["one", "two"]
        no-policy-only = true
        """
    )
    return path


def test_a_file_gives_options_their_values(config: Path) -> None:
    given = asked("run", "--config", str(config)).params
    expected: dict[str, Any] = {
        "num_samples": 20, "k_values": (1, 10), "timeout": 2.5, "strict": True, "skip_base": True,
        "temperature": 0.5, "modes": ("policy",), "merge": False,
        "accepted_deviations": ("rust", "python"), "top_k": 50,
    }  # fmt: skip
    assert {name: given[name] for name in expected} == expected
    scored = asked("score", "x", "y", "--config", str(config)).params
    assert scored["names"] == ("one", "two")
    assert (scored["modes"], scored["k_values"]) == (("no-policy",), (1, 10))
    assert asked("verify", "--config", str(config)).params["timeout"] == 2.5


def test_what_is_typed_comes_first_then_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUM_SAMPLES", "30")
    monkeypatch.setenv("K_VALUES", "3")
    typed = ["--config", str(config), "--k-values", "7", "--no-strict", "--no-policy-only"]
    given = asked("run", *typed).params
    assert (given["num_samples"], given["k_values"], given["strict"]) == (30, (7,), False)
    assert given["modes"] == ("no-policy",)


def test_what_is_typed_instead_of_something_in_the_file_counts_alone(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text('problem-file = "mine.jsonl"\n')
    assert asked("verify", "--config", str(path)).params["problem_file"] == Path("mine.jsonl")
    given = asked("verify", "--config", str(path), "--problem-set", "sigil-rust").params
    assert (given["problem_file"], given["problem_set"]) == (None, "sigil-rust")


def test_the_record_has_what_the_file_came_to(config: Path) -> None:
    """Whoever repeats the run does not have the file."""
    words = words_from_file(asked("run", "--config", str(config), "--num-samples", "5"))
    assert words == [
        "--k-values", "1,10", "--timeout", "2.5", "--strict", "--skip-base",
        "--temperature", "0.5", "--policy-only", "--unmerged",
        "--accepted-deviations", "rust,python",
    ]  # fmt: skip
    again = asked("run", "--num-samples", "5", *words).params
    assert again == asked("run", "--config", str(config), "--num-samples", "5").params | {
        "config": None
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("num-sample = 3", "no option 'num-sample'. Did you mean 'num-samples'?"),
        ("num_samples = 3", "no option 'num_samples'. Did you mean 'num-samples'?"),
        ("[runn]\nseed = 1", "no command 'runn'. Did you mean 'run'?"),
        ("[score]\nseed = 1", "no option of score 'seed'."),
        ("[score]\nconfig = 'x'", "no option of score 'config'."),
        ("num-samples =", "no TOML: Invalid value (at end of document)"),
        ("num-samples = 1\nnum-samples = 1", "no TOML: Cannot overwrite a value"),
        ("seed = 1979-05-27", "seed must be a text, a number, or a list of them"),
        ("seed = true", "seed must be a text, a number, or a list of them"),
        ("num-samples = 'many'", "num-samples: 'many' is not a whole number"),
        ("num-samples = 0", "num-samples: 0 must be at least 1"),
        ("strict = 1", "strict must be true or false"),
        (
            "policy-only = true\nno-policy-only = true",
            "policy-only and no-policy-only cannot stand",
        ),
        ("[run]\nengine = 'vlm'", "engine: vlm must be one of auto, hf, hf-static, vllm"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(
    tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "options.toml"
    path.write_text(content)
    assert main(["run", "--config", str(path), "--output-dir", str(tmp_path / "out")]) == 2
    assert f"error: {path}: {message}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("data", "message"), [(None, "cannot be read: No such"), (b"\xff", "no TOML")]
)
def test_a_file_that_is_none_is_named(
    tmp_path: Path, data: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "options.toml"
    if data is not None:
        path.write_bytes(data)
    assert main(["verify", "--config", str(path)]) == 2
    assert f"error: {path}: {message}" in capsys.readouterr().err
