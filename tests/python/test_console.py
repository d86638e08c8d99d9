"""Progress that people can believe: no wild estimates, and resumed work is not counted as speed."""

from __future__ import annotations

import pytest

from sigil_eval.console import ProgressLine, format_duration


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
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == "generating: 51/100 (51 %)"
    assert second == "generating: 71/100 (71 %), 2.0 samples/s, 14s left"
