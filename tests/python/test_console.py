"""Progress that people can believe: no wild estimates, and resumed work is not counted as speed."""

from __future__ import annotations

import io

import pytest

from sigil_eval.console import (
    ProgressLine,
    answer,
    console,
    detail,
    format_duration,
    mention,
    say,
    speak,
    warn,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59, "59s"), (60, "1m 00s"), (3599, "59m 59s"), (7800, "2h 10m")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_the_rate_leaves_out_loading_and_resumed_work(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    line = ProgressLine("generating", 100, start=50, clock=lambda: now)
    with line:
        now = 60.0  # loading
        line.update(51)
        now = 70.0
        line.update(71)
    first, second, _ = capsys.readouterr().err.splitlines()
    assert first == "generating: 51/100 (51 %)"
    assert second == "generating: 71/100 (71 %), 2.0 samples/s, 14s left"


@pytest.mark.parametrize(
    ("manner", "out", "err"),
    [
        ({}, "result\n", "talk\nwarning: beware\n"),
        ({"quiet": True}, "result\n", "warning: beware\n"),
        ({"verbose": True}, "result\n", "talk\nmore\nwarning: beware\n"),
        ({"as_json": True}, '{\n  "a": 1\n}\n', "talk\nwarning: beware\n"),
        ({"as_json": True, "quiet": True}, '{\n  "a": 1\n}\n', "warning: beware\n"),
    ],
)
def test_results_and_talk_have_a_stream_each(
    manner: dict[str, bool], out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    speak(**manner)
    try:
        say("result")
        answer({"a": 1})
        mention("talk")
        detail("more")
        warn("beware")
    finally:
        speak()
    assert capsys.readouterr() == (out, err)


def test_quiet_is_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    speak(quiet=True)
    try:
        with ProgressLine("generating", 2) as line:
            line.update(2)
    finally:
        speak()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_cuts_no_word_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = io.StringIO()
    monkeypatch.setattr(console, "_file", sink)
    monkeypatch.setattr(console, "_force_terminal", True)
    monkeypatch.setattr(console, "_width", 20)
    monkeypatch.setattr(console, "_height", 20)
    say("some well-known words\n  more of them, and further in")
    say("    sigil-eval score samples.jsonl --output-dir compared")
    assert sink.getvalue().splitlines() == [
        "some well-known",
        "words",
        "  more of them, and",
        "  further in",
        "    sigil-eval score samples.jsonl --output-dir compared",
    ]
