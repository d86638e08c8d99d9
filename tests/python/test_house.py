"""The house: which room may import which, how long a file and a function may be."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40  # of Python; for the shell, tests/bats/house_rules.bats
NESTED_BLOCKS = 5
# A function that is long for a reason says so in itself.
REASON = "# Long because "


def contracts_of(checkout: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml, held against a checkout's src/."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            f"--config={checkout / 'pyproject.toml'}",
        ],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout / "src"), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    source = ROOT / "src" / "sigil_eval"
    shutil.copytree(
        source, tmp_path / "src" / "sigil_eval", ignore=lambda _, names: {"data"} & {*names}
    )
    return tmp_path


def test_no_room_imports_a_higher_one_and_no_rooms_import_each_other() -> None:
    held = contracts_of(ROOT)
    assert held.returncode == 0, held.stdout + held.stderr
    assert "0 broken" in held.stdout


@pytest.mark.parametrize(
    ("where", "line", "why"),
    [
        (
            "rust/lexer.py",
            "from sigil_eval.judging import verdict",
            "a higher room",
        ),
        ("files.py", "from sigil_eval import evaluation", "the run, from below"),
        ("judging/verdict.py", "from sigil_eval.judging import judge", "a circle in a room"),
        ("generation/keys.py", "from sigil_eval.judging import verdict", "rooms side by side"),
        ("attic.py", "", "a module that has no room"),
    ],
)
def test_a_wrong_import_is_noticed(checkout: Path, where: str, line: str, why: str) -> None:
    module = checkout / "src" / "sigil_eval" / where
    text = module.read_text() if module.exists() else ""
    module.write_text(f"{text}\n{line}\n")
    held = contracts_of(checkout)
    assert held.returncode == 1, f"{why}: {held.stdout}{held.stderr}"
    assert module.stem in held.stdout


def test_the_picture_of_the_house_shows_each_room_where_it_is() -> None:
    """docs/architecture.md draws, from the top down, the layers of the contract."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in settings["contracts"] if c["type"] == "layers")
    rooms = [sorted(re.findall(r"\w+", layer)) for layer in layers]
    picture = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    drawn = [sorted(re.findall(r"\[(\w+)\]", line)) for line in picture.split("\n")]
    assert [row for row in drawn if row] == rooms


@cache
def python_files() -> dict[str, str]:
    """The text of every Python file of the checkout, by name."""
    listed = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def functions(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of each function."""
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, "\n".join(lines[node.lineno - 1 : node.end_lineno])


def test_no_file_is_too_long() -> None:
    assert len(python_files()) > 100
    long = {name: text.count("\n") for name, text in python_files().items()}
    assert {name: n for name, n in long.items() if n > LINES_OF_A_FILE} == {}


def test_no_function_is_too_long_without_a_reason() -> None:
    long = [
        f"{file}: {name}: {text.count('\n') + 1} lines"
        for file, source in python_files().items()
        for name, text in functions(source)
        if text.count("\n") >= LINES_OF_A_FUNCTION and REASON not in text
    ]
    assert not long, "\n".join(long)


_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


def deepest(node: ast.AST, depth: int = 0) -> int:
    """How deep blocks are nested below a node; `elif` is not a level of its own."""
    deep = [depth]
    for child in ast.iter_child_nodes(node):
        chained = isinstance(child, ast.If) and isinstance(node, ast.If) and child in node.orelse
        deep.append(deepest(child, depth + (isinstance(child, _BLOCKS) and not chained)))
    return max(deep)


def test_no_block_is_nested_too_deep() -> None:
    deep = {name: deepest(ast.parse(text)) for name, text in python_files().items()}
    assert {name: levels for name, levels in deep.items() if levels > NESTED_BLOCKS} == {}
