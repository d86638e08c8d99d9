"""What the help of a command says, which names an option has, and what a shell completes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from sigil_eval.cli import COMMANDS, main
from sigil_eval.cli.command import Command

SOURCE = Path(__file__).resolve().parents[2] / "src"


def all_commands(of: Iterable[click.Command], before: str = "") -> dict[str, Command]:
    """Commands, and those of groups, by what one types."""
    found: dict[str, Command] = {}
    for one in of:
        if isinstance(one, click.Group):
            found |= all_commands(one.commands.values(), f"{before}{one.name} ")
        elif isinstance(one, Command):
            found[f"{before}{one.name}"] = one
    return found


ALL = all_commands(COMMANDS)


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: sigil-eval {command} " in shown
    assert "Exit codes" in shown


def test_help_names_defaults_and_variables(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--num-samples N answers per problem [env var: NUM_SAMPLES; default: 100]" in shown
    assert (
        "--engine [auto|hf|hf-static|vllm|openai|replay] auto: vllm on a GPU, where it was set up"
        in shown
    )
    assert "--provision-state" not in shown


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sc", "score"),
        ("run --dty", "--dtype"),
        ("run --engine rep", "replay"),
        ("score --problem-set si", "sigil-rust"),
    ],
)
def test_a_shell_completes_what_is_typed(typed: str, offered: str) -> None:
    asked = {"COMP_WORDS": f"sigil-eval {typed}", "COMP_CWORD": str(len(typed.split()))}
    ended = subprocess.run(
        [sys.executable, "-m", "sigil_eval.cli"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "_SIGIL_EVAL_COMPLETE": "bash_complete"}
        | asked,
        capture_output=True,
        text=True,
    )
    assert f"plain,{offered}" in ended.stdout.splitlines()


@pytest.mark.parametrize("typed", [[], ["dataset"]])
def test_without_a_command_it_helps(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed) == 0
    usage = " ".join(["Usage: sigil-eval", *typed, "[OPTIONS] [COMMAND]"])
    assert capsys.readouterr().out.startswith(usage)


@pytest.mark.parametrize("name", ALL)
def test_the_examples_of_a_help_are_commands_that_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ALL[name]
    monkeypatch.chdir(tmp_path)
    Path("evaluation.toml").touch()
    assert command.examples
    for example in command.examples:
        typed = shlex.split(example.partition(" | ")[0])
        words = ["sigil-eval", *name.split()]
        assert typed[: len(words)] == words
        assert command.make_context(command.name, typed[len(words) :]).args == []


@pytest.mark.parametrize("command", ALL.values(), ids=ALL)
def test_a_line_of_help_ends_between_words(command: click.Command) -> None:
    """Hyphens are within names, and addresses that are copied."""

    def words(width: int) -> list[str]:
        with command.context_class(command, info_name="x", terminal_width=width) as ctx:
            return ctx.get_help().split()

    assert words(80) == words(10_000)


@pytest.mark.parametrize(
    ("command", "typed", "name", "value"),
    [
        ("score", ["x", "--k", "1,5"], "k_values", (1, 5)),
        ("score", ["x", "--k-values", "1,5"], "k_values", (1, 5)),
        ("run", ["--k=1,5"], "k_values", (1, 5)),
        ("run", ["--checkpoint", "x"], "checkpoint_path", "x"),
        (
            "generate",
            ["--checkpoint", "x", "--checkpoint-path", "y"],
            "checkpoint_path",
            ("x", "y"),
        ),
        ("generate", ["--samples", "3"], "num_samples", 3),
        ("reproduce", ["x", "--samples", "3"], "num_samples", 3),
        ("reproduce", ["x", "--num-samples", "3"], "num_samples", 3),
        ("run", ["--no-enforce-policy"], "modes", ("no-policy",)),
        ("run", ["--policy-only"], "modes", ("policy",)),
        ("score", ["x", "--enforce-policy"], "modes", ("policy",)),
        ("score", ["x", "--both-policies"], "modes", ("no-policy", "policy")),
        ("run", ["--problem-file", "x"], "problem_file", Path("x")),
        ("report", ["x", "--problem-set", "sigil-rust"], "problem_set", "sigil-rust"),
    ],
)
def test_a_thing_has_one_name_in_all_commands_and_keeps_its_old_ones(
    command: str, typed: list[str], name: str, value: object
) -> None:
    assert ALL[command].make_context(command, typed).params[name] == value


def test_old_names_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "score", "generate", "reproduce"):
        main([command, "--help"])
    shown = capsys.readouterr().out
    for old in ("--k ", "--checkpoint ", "--samples", "enforce-policy", "--both-policies"):
        assert old not in shown
    main(["run", "--checkpoin", "x"])
    assert "'--checkpoint'" not in capsys.readouterr().err
