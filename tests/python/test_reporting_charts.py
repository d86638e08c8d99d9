"""The drawings of the page: what their axes reach to, and when one is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from results_fixture import counted, make_metadata, make_run, metrics_of
from sigil_eval.reporting.charts import forest, outcome_bars


@pytest.mark.parametrize(
    ("base", "tuned", "bottom"),
    [([1, 2] * 6, [4, 4] * 6, 0), ([3] * 12, [1] * 12, -50)],
)
def test_scores_and_difference_have_one_axis(
    base: list[int], tuned: list[int], bottom: int
) -> None:
    """From 0, or the ten below the difference's interval, to the next ten above all."""
    metrics = metrics_of(counted(base, 10), counted(tuned, 10))
    drawn = forest(metrics)  # type: ignore[arg-type]
    ((name, whiskers),) = drawn.rows
    assert (name, [whisker.title for whisker in whiskers]) == (
        "pass@1",
        ["Base", "Fine-tuned", "Difference"],
    )
    figures = [metrics["models"][label]["pass_at_k"]["1"] for label in ("base", "finetuned")]
    figures.append(metrics["comparison"]["pass_at_k"]["1"]["difference"])
    highest = 100 * max(figure["high"] for figure in figures)
    lowest = 100 * min(figure["low"] for figure in figures)
    top = 10 * (int(highest / 10) + 1)
    assert bottom <= min(0, lowest) < bottom + 10
    for whisker, figure in zip(whiskers, figures, strict=True):
        expected = [100 * (100 * figure[end] - bottom) / (top - bottom) for end in ("low", "high")]
        assert [whisker.low, whisker.high] == pytest.approx(expected)
    assert drawn.zero == pytest.approx(-100 * bottom / (top - bottom))
    assert all(0 <= place <= 100 for _, place in drawn.ticks)


def test_a_bar_of_outcomes_holds_all_that_was_scored() -> None:
    base, tuned = counted([3] * 12, 10), counted([10] * 12, 10)
    bars = outcome_bars(metrics_of(base, tuned))  # type: ignore[arg-type]
    assert [(title, [(s.outcome, s.share) for s in parts]) for title, parts in bars] == [
        ("Base", [("passed", 30.0), ("assertion_failure", 70.0)]),
        ("Fine-tuned", [("passed", 100.0)]),
    ]
    assert bars[0][1][1].target == "problems&mode=no-policy&model=base&verdict=assertion_failure"


@pytest.mark.parametrize(("samples", "drawn"), [(9, False), (10, True)])
def test_a_curve_over_k_needs_ten_samples(tmp_path: Path, samples: int, drawn: bool) -> None:
    results = {"base": counted([3] * 20, samples), "finetuned": counted([5] * 20, samples)}
    page = make_run(tmp_path, results, make_metadata())["report.html"]
    assert ('<figure class="curve">' in page) is drawn
