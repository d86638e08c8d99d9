"""Journals that somebody else has written, or that were torn: begun anew or refused, never half."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.errors import UsageError
from sigil_eval.files import dump_row
from sigil_eval.generation.journal import SampleJournal, journal_path
from sigil_eval.judging.verdict import passed
from sigil_eval.problems import ProblemSet
from sigil_eval.run_folder import PhaseTimes
from sigil_eval.scoring.journal import VerdictJournal

CONDITIONS: Fingerprint = {
    "rustc": "rustc 1.95.0",
    "sandbox": "firejail",
    "compile_seconds": 10.0,
    "run_seconds": 10.0,
    "compile_memory": 1,
    "run_memory": 1,
    "crates": [],
}
LINES = (
    "[]", "7", "null", '"x"', "{}", '{"program": 7}', '{"program": "x"}', '{"verdict": {}}',
    '{"program": "%s", "verdict": []}', '{"program": "%s", "verdict": {"outcome": "passed"}}',
    '{"program": "%s", "lints": "unused"}', '{"program": "%s", "lints": [1]}', "\0\0\0",
    '{"program": "%s", "verd', '{"a": NaN}', '{"a": ' + "[" * 5000, "\x1b[2J",
)  # fmt: skip
SHA = "a" * 64


def broken(line: str) -> str:
    return line.replace("%s", SHA) + "\n"


@pytest.fixture
def programs(humaneval: ProblemSet) -> list[Program]:
    return [Program(humaneval.problems[0], code) for code in ("a", "b")]


def journal(path: Path, programs: list[Program]) -> None:
    with VerdictJournal(path, CONDITIONS) as kept:
        for program in programs:
            kept.add_verdict(program, passed())
            kept.add_lints(program, ("clippy::x",))


def test_verdicts_and_lints_are_found_again(tmp_path: Path, programs: list[Program]) -> None:
    journal(tmp_path / "v.jsonl", programs)
    with VerdictJournal(tmp_path / "v.jsonl", CONDITIONS) as kept:
        assert kept.verdicts() == {program.sha256: passed() for program in programs}
        assert set(kept.lints().values()) == {("clippy::x",)}


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("line", LINES)
def test_verdicts_are_given_anew_where_a_line_is_none(
    tmp_path: Path,
    programs: list[Program],
    line: str,
    place: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "v.jsonl"
    journal(path, programs)
    lines = path.read_text().splitlines(keepends=True)
    lines.insert(place, broken(line))
    path.write_text("".join(lines))
    with VerdictJournal(path, CONDITIONS) as kept:
        assert kept.verdicts() == kept.lints() == {}
    said = capsys.readouterr().err
    assert said.startswith("scoring: ") and "\x1b" not in said
    assert f"{path}:{place + 1}: " in said or (place == 0 and "other conditions" in said)
    assert path.read_text() == dump_row({"conditions": CONDITIONS}) + "\n"


def test_a_verdict_of_another_version_is_given_anew(
    tmp_path: Path, programs: list[Program], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "v.jsonl"
    journal(path, programs)
    path.write_text(path.read_text().replace('"uses_unsafe": false', '"unsafe": 0'))
    with VerdictJournal(path, CONDITIONS) as kept:
        assert kept.verdicts() == {}
    assert "v.jsonl:2: verdict.uses_unsafe: is missing" in capsys.readouterr().err


HEADER = {"version": 1, "settings": {"seed": 1}, "device": "cpu"}


def sample(index: int, **changes: Any) -> dict[str, Any]:
    return {
        "task_id": "T/0",
        "sample_index": index,
        "completion": "x",
        "tokens": 1,
        "finish_reason": "stop",
        "prompt_sha256": SHA,
    } | changes


@pytest.mark.parametrize(
    ("number", "line", "reason"),
    [
        (1, "[]", "expected a JSON object, found list"),
        (1, "{}", "was not written by this version"),
        (1, dump_row({**HEADER, "version": 2}), "was not written by this version"),
        (1, dump_row({**HEADER, "version": [1]}), "was not written by this version"),
        (1, dump_row({**HEADER, "settings": []}), "settings: expected an object, found a list"),
        (1, dump_row({**HEADER, "device": 0}), "device: expected text, found 0"),
        (3, "7", "expected a JSON object, found int"),
        (3, "{}", "task_id: is missing"),
        (3, dump_row(sample(1, sample_index="1")), "sample_index: expected a whole number"),
        (3, dump_row(sample(1, sample_index=[1])), "sample_index: expected a whole number"),
        (3, dump_row(sample(1, sample_index=-1)), "sample_index: -1 is below 0"),
        (3, dump_row(sample(1, tokens=None)), "tokens: expected a whole number, found null"),
        (3, dump_row(sample(1, completion=None)), "completion: expected text, found null"),
        (3, dump_row(sample(1))[:30], "not valid JSON"),
        (3, "\0" * 50, "not valid JSON"),
        (3, '{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (3, '{"a": ' + "[" * 100_000, "nested more than 100 deep"),
    ],
)
def test_samples_that_cannot_be_trusted_are_refused_and_kept(
    tmp_path: Path, number: int, line: str, reason: str
) -> None:
    """They took hours; the line is named, and taken away by whoever wants that."""
    output = tmp_path / "s.jsonl"
    lines = [dump_row(HEADER), dump_row(sample(0)), dump_row(sample(1)), dump_row(sample(2))]
    lines[number - 1] = line
    journal_path(output).write_text("\n".join(lines) + "\n")
    before = journal_path(output).read_bytes()
    for _ in range(2):  # the second time, too: the lock was let go
        with pytest.raises(UsageError) as refused:
            SampleJournal(output)
        assert reason in str(refused.value) and "to start again" in str(refused.value)
        assert str(journal_path(output)) in str(refused.value)
    assert journal_path(output).read_bytes() == before
    if number > 1:
        assert f".s.journal.jsonl:{number}: " in str(refused.value)
        del lines[number - 1]
        journal_path(output).write_text("\n".join(lines) + "\n")
        with SampleJournal(output) as kept:
            assert set(kept.samples) == {("T/0", 0), ("T/0", 2)}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "7", "{", "{}", '{"phases": [], "invocations": 1}', "\0\0",
        '{"phases": {"a": "1"}, "invocations": 1}', '{"phases": {"a": null}, "invocations": 1}',
        '{"phases": {"a": -1}, "invocations": 1}', '{"phases": {"a": NaN}, "invocations": 1}',
        '{"phases": {}, "invocations": 1.5}', '{"phases": {}, "invocations": "1"}',
        '{"phases": {}, "invocations": true}', '{"phases": {}, "invocations": 1e400}',
        '{"phases": {}, "invocations": [1]}', "[" * 100_000, '{"phases": ' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_times_that_cannot_be_read_are_counted_anew(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ".run-state.json"
    path.write_text(text)
    times = PhaseTimes(path)
    assert (times.seconds, times.invocations) == ({}, 1)
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {path}") and "are not counted" in said
    assert json.loads(path.read_text()) == {"invocations": 1, "phases": {}}


def test_times_that_can_be_read_are_added_to(tmp_path: Path) -> None:
    path = tmp_path / ".run-state.json"
    path.write_text('{"phases": {"proof": 2}, "invocations": 3}')
    times = PhaseTimes(path)
    assert (times.seconds, times.invocations) == ({"proof": 2.0}, 4)
