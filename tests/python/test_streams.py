"""Standard streams closed, full or read by nobody, and text that would steer a terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from sigil_eval.cli import main
from sigil_eval.console import ProgressLine, _Screen, visible
from sigil_eval.reporting.blocks import Table as PlainTable
from sigil_eval.reporting.terminal import print_table

SOURCES = Path(__file__).resolve().parents[2] / "src"
ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\r\u202e"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
UNSENT = "error: standard output cannot be written to: No space left on device\n"
UNREAD = "error: nobody reads the standard output any more; what was done is kept\n"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `$EVAL` is the command."""
    command = f"{sys.executable} -m sigil_eval.cli"
    return subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "PYTHONPATH": str(SOURCES), "EVAL": command, **environment},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize(
    "command", ["--help", "score --help", "--version", "problems", "env --json"]
)
def test_a_pipe_that_nobody_reads_ends_with_its_code(command: str, buffered: str) -> None:
    ended = shell(f"$EVAL {command} | true; exit ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED=buffered)
    assert (ended.returncode, ended.stderr) == (141, UNREAD)


def test_the_first_line_can_be_had_alone() -> None:
    ended = shell("$EVAL problems | head -1; exit ${PIPESTATUS[0]}")
    assert ended.returncode in (0, 141)
    assert ended.stdout.startswith("humaneval-rust: 164 problems") and ended.stdout.count("\n") == 1
    assert ended.stderr in ("", UNREAD)


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", "score --help", "problems", "env --json"])
def test_a_full_disk_below_the_output_is_named(command: str, buffered: str) -> None:
    ended = shell(f"$EVAL {command} >/dev/full", PYTHONUNBUFFERED=buffered)
    assert (ended.returncode, ended.stderr) == (3, UNSENT)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$EVAL problems >&-", 0),
        ("$EVAL problems <&- >&- 2>&-", 0),
        ("$EVAL problems nope 2>&-", 2),
        ("$EVAL problems nope 2>/dev/full", 2),
        ("$EVAL frobnicate 2> >(true)", 2),
        ("$EVAL frobnicate <&- >&- 2>&-", 2),
        ("$EVAL verify --sandbox-mode none <&-", 3),
        ("$EVAL problems <&- 1</dev/null", 3),
    ],
)
def test_the_code_is_the_same_where_streams_are_closed(line: str, code: int) -> None:
    ended = shell(line)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr and "ignored" not in ended.stderr


def test_files_do_not_take_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """What is opened first would else be descriptor 1, and what is printed would go there."""
    samples = tmp_path / "s.jsonl"
    samples.write_text('{"task_id": "HumanEval/53", "completion": "    x + y\\n}\\n"}\n')
    ended = shell(f"$EVAL score {samples} --timeout 5 --allow-partial <&- >&- 2>&-")
    assert ended.returncode == 0
    results = tmp_path / "s_scored/no-policy/s_results.jsonl"
    assert '"outcome": "passed"' in results.read_text()
    assert (tmp_path / "s_scored/.verdicts.jsonl").read_text().startswith('{"conditions"')


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_an_encoding_lacks_is_written_as_its_number(encoding: str) -> None:
    ended = shell("$EVAL problems $'\\xff\\u2192'", PYTHONIOENCODING=encoding)
    assert ended.returncode == 2
    assert "no problem '\\udcff" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", f"/{ESCAPES}.jsonl"],
        ["problems", ESCAPES],
        ["problems", "--problem-set", ESCAPES],
        ["problems", "--problem-file", f"/{ESCAPES}"],
        ["report", f"/{ESCAPES}"],
        ["run", "--engine", ESCAPES],
        ["run", "--base-model", f"/{ESCAPES}", "--skip-finetuned"],
        [ESCAPES],
        [f"--{ESCAPES}"],
        ["problems", f"--{ESCAPES}"],
    ],
)
def test_no_word_of_the_command_line_steers_the_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if arguments[0] == "run":
        arguments = [*arguments, "--output-dir", str(tmp_path / "out")]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert "title" in shown.err
    assert not STEERING.search(shown.out + shown.err)


def test_lines_stay_lines_and_text_stays_as_it_is() -> None:
    assert visible("a\tb\nc é → ✓ 𝄞") == "a\tb\nc é → ✓ 𝄞"
    assert visible("\x1b[0m\r\ud800\u2028") == "\\u001b[0m\\u000d\\ud800\\u2028"


def on_a_terminal() -> tuple[_Screen, io.StringIO]:
    screen, sink = _Screen(), io.StringIO()
    screen.file = sink
    screen._force_terminal = True
    return screen, sink


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_no_cell_of_a_table_steers_the_terminal() -> None:
    screen, sink = on_a_terminal()
    print_table(screen, PlainTable([ESCAPES, "b"], [[f"[red]{ESCAPES}", ":smile:"]], 1, ""))
    table = Table(title=ESCAPES)
    table.add_column(ESCAPES)
    screen.print(table)
    shown = sink.getvalue()
    assert "[2J" not in shown.replace("\\u001b[2J", "") and "[red]" in shown and ":smile:" in shown
    assert not STEERING.search(without_colours(shown))


def test_no_label_of_a_progress_bar_steers_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, sink = on_a_terminal()
    monkeypatch.setattr("sigil_eval.console.error_console", screen)
    with ProgressLine(f"generating [/red]{ESCAPES}", 2) as line:
        line.update(1, ESCAPES)
    shown = sink.getvalue()
    assert "[/red]" in shown
    assert not re.search("\x1b]|\x07|\x9b|\u202e|\x1b\\[2J", shown.replace("\x1b[2K", ""))
