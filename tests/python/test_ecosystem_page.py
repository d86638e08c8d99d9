"""docs/ecosystem.md: commands, options, keys, files and tests that it names are there."""

from __future__ import annotations

import re
import subprocess
from dataclasses import asdict
from functools import cache
from importlib.metadata import distribution, version
from pathlib import Path

import click
import pytest

from sigil_eval.cli import sigil_eval
from sigil_eval.training.configuration import Configuration, Dataset

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "ecosystem.md").read_text(encoding="utf-8")
TABLE_LINE = re.compile(r"^\|.*\|$", re.MULTILINE)
# Feature, named in, works, by what or why not, shown by.
ROWS = [
    cells
    for line in TABLE_LINE.findall(PAGE)
    if len(cells := [cell.strip() for cell in line.split("|")[1:-1]]) == 5
    and cells[2] not in ("works", ":--")
]
# What is ours to keep true: the text, and the last two columns.
OURS = "\n".join([TABLE_LINE.sub("", PAGE), *(f"{row[3]}\n{row[4]}" for row in ROWS)])
ABSENT = re.findall(r"[Tt]here is no `([^`]+)`", OURS)
NAMED = sorted({*re.findall(r"`([^`\n]+)`", OURS)} - {*ABSENT})
SYSTEMS = re.findall(r"^## (\S+) ([\d.]+)$", PAGE, re.MULTILINE)
PUBLISHED = {
    str(file): file.locate() for name, _ in SYSTEMS for file in distribution(name).files or ()
}
COMMANDS = {entry.name for name, _ in SYSTEMS for entry in distribution(name).entry_points}
KEYS = asdict(Configuration("base", Dataset([])))
# Words that name nothing that can be looked up.
WORDS = {
    "ARCHITECTURE.md",
    "PRODUCTION_READINESS.md",
    "README.md",
    "TMPDIR",
    "--timeout=10",
    "_file_path",
    "_source_file",
    "fn f( {",
    "gen",
    'interleave_mode: "round-robin"',
    "prompt",
    "round_robin",
    "sigil-rust",
    "sigil_",
    "sources",
    "val",
    "tests/",
    "todo!()",
    "tools",
}


def is_a_command(words: list[str]) -> bool:
    """Whether `sigil-eval` takes these words: a command, perhaps of a group, and its options."""
    command: click.Command = sigil_eval
    while words and isinstance(command, click.Group):
        found = command.commands.get(words.pop(0))
        if found is None:
            return False
        command = found
    options = {name for option in command.params for name in option.opts}
    return {*words} <= options


@cache
def help_of_the_set_up() -> str:
    """What `eval_setup.sh --help` prints."""
    command = ["bash", REPOSITORY / "eval_setup.sh", "--help"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def is_of_the_set_up(words: list[str]) -> bool:
    """Whether a line of the help of `eval_setup.sh` begins with each of these words."""
    return all(re.search(rf"^ +{word}\b", help_of_the_set_up(), re.MULTILINE) for word in words)


def is_a_test(name: str) -> bool:
    """Whether a file of tests is there, and has the test that is named."""
    file, _, test = name.partition("::")
    path = REPOSITORY / "tests" / ("bats" if file.endswith(".bats") else "python") / file
    return path.is_file() and (not test or f"\ndef {test}(" in path.read_text(encoding="utf-8"))


def is_there(name: str) -> bool:
    """Whether what the page names is there."""
    first, *words = name.split()
    if first == "sigil-eval":
        return is_a_command(words)
    if name.startswith("bash eval_setup.sh"):
        return is_of_the_set_up(words[1:])
    if re.fullmatch(r"test_\w+\.py(::\w+)?|\w+\.bats", name):
        return is_a_test(name)
    section, _, key = name.partition(".")
    if name in KEYS or (isinstance(KEYS.get(section), dict) and key in KEYS[section]):
        return True
    return name in COMMANDS or name in PUBLISHED or (REPOSITORY / name).exists()


def test_the_page_is_read() -> None:
    """What follows is not said of nothing."""
    assert len(ROWS) > 80
    assert len(NAMED) > 100
    assert len(SYSTEMS) == 3


@pytest.mark.parametrize("name", [name for name in NAMED if name not in WORDS])
def test_what_is_named_is_there(name: str) -> None:
    assert is_there(name)


def test_what_is_said_to_be_missing_is_missing() -> None:
    assert ABSENT
    assert not [name for name in ABSENT if is_there(name)]


def test_words_that_are_passed_over_stand_on_the_page() -> None:
    assert not WORDS - {*NAMED}


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)", PAGE)
    assert targets
    assert not [target for target in targets if not (REPOSITORY / "docs" / target).exists()]


def test_the_versions_are_those_that_are_installed() -> None:
    assert [(name, version(name)) for name, _ in SYSTEMS] == SYSTEMS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_says_what_its_answer_needs(row: list[str]) -> None:
    """A yes names a test; what is partly so, or not, has its reason."""
    _, _, works, reason, shown = row
    assert works in ("yes", "partly", "no", "untried")
    assert works != "yes" or shown
    assert works not in ("partly", "no") or reason
