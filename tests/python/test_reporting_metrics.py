"""metrics.json: counts, denominators, rates and scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from results_fixture import (
    counted,
    finding,
    make_problem_set,
    make_row,
    metrics_of,
    noisy,
    rows_of,
    under_policy,
)
from sigil_eval.errors import UsageError
from sigil_eval.files import Row, write_jsonl
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.tally import count_correct_but_rejected
from sigil_eval.statistics import paired_difference, pass_at_k, share_interval


def test_pass_at_k_is_the_mean_over_problems() -> None:
    metrics = metrics_of(counted([0, 1, 4, 10], 10), problems=4, k_values=[1, 5])
    for k in (1, 5):
        expected = sum(pass_at_k(10, c, k) for c in (0, 1, 4, 10)) / 4
        assert metrics["models"]["base"]["pass_at_k"][str(k)]["mean"] == pytest.approx(expected)
    assert metrics["comparison"] is None


def test_uneven_problems_weigh_the_same() -> None:
    rows = rows_of([["passed"] * 9 + ["compile_error"], ["compile_error"] * 2])
    model = metrics_of(rows, problems=2)["models"]["base"]
    assert model["pass_at_k"]["1"]["mean"] == pytest.approx(0.45)
    assert model["samples"]["fewest_per_problem"] == 2
    assert model["samples"]["most_per_problem"] == 10


@pytest.mark.parametrize(("passed", "score"), [(0, 0.0), (3, 1.0)])
def test_all_fail_and_all_pass_keep_an_interval(passed: int, score: float) -> None:
    result = metrics_of(counted([passed] * 12, 3))["models"]["base"]["pass_at_k"]["1"]
    assert result["mean"] == score
    squared = 2.200985160082949**2  # t(11) at 97.5 %, from a table
    assert result["high"] - result["low"] == pytest.approx(squared / (12 + squared))
    assert result["method"] == "wilson"


def test_one_problem_with_one_sample() -> None:
    metrics = metrics_of(rows_of([["passed"]]), rows_of([["compile_error"]]), problems=1)
    assert metrics["models"]["base"]["pass_at_k"]["1"]["mean"] == 1.0
    assert metrics["comparison"]["verdict"]["kind"] == "too_little_data"
    assert metrics["comparison"]["pass_at_k"]["1"]["p_mcnemar"] == 1.0


def test_infrastructure_and_unscorable_samples_leave_the_denominators() -> None:
    rows = rows_of(
        [
            ["passed", "infrastructure", "compile_error"],
            ["unscorable"] * 3,
            ["passed", "passed", "passed"],
        ]
    )
    metrics = metrics_of(rows, problems=3)
    model = metrics["models"]["base"]
    assert model["pass_at_k"]["1"]["mean"] == pytest.approx((0.5 + 1.0) / 2)
    assert model["pass_at_k"]["1"]["left_out"] == ["T/1"]
    assert model["samples"] == {
        "total": 9,
        "scored": 5,
        "passed": 4,
        "infrastructure": 1,
        "unscorable": 3,
        "fewest_per_problem": 2,
        "most_per_problem": 3,
    }
    assert (model["rates"]["compile"]["count"], model["rates"]["compile"]["of"]) == (4, 5)
    assert model["rates"]["compile"]["rate"] == 0.8
    assert model["problems"]["unscorable"] == ["T/1"]
    assert model["infrastructure_types"] == {"infra_sandbox": 1}
    assert model["error_types"] == {"compile_error": 1}
    assert metrics["incomplete"] is True


def test_unscorable_alone_is_not_incomplete() -> None:
    assert metrics_of(rows_of([["unscorable"], ["passed"]]), problems=2)["incomplete"] is False


def test_infrastructure_failures_take_a_problem_out_of_the_k_it_can_no_longer_serve() -> None:
    rows = rows_of([["passed", "compile_error"], ["passed", "infrastructure"]])
    scores = metrics_of(rows, problems=2, k_values=[1, 2])["models"]["base"]["pass_at_k"]
    assert scores["1"]["problems"] == 2
    assert scores["2"]["problems"] == 1
    assert scores["2"]["left_out"] == ["T/1"]


def test_k_above_the_samples_asked_for_is_refused_by_name() -> None:
    rows = rows_of([["passed"] * 3, ["passed"] * 2, ["passed"] * 3])
    with pytest.raises(UsageError, match=r"k = 3 is more than the 2 samples that base has for T/1"):
        metrics_of(rows, problems=3, k_values=[1, 3])


@pytest.mark.parametrize(("k_values", "message"), [([], "no k values"), ([0], "at least 1")])
def test_senseless_k_values_are_refused(k_values: list[int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        metrics_of(counted([1], 2), problems=1, k_values=k_values)


def test_problems_without_samples_are_named_and_not_counted_as_failures() -> None:
    model = metrics_of(counted([2, 2], 2), problems=4)["models"]["base"]
    assert model["pass_at_k"]["1"]["mean"] == 1.0
    assert model["problems"]["covered"] == 2
    assert model["problems"]["uncovered"] == ["T/2", "T/3"]


def test_unknown_task_and_doubled_sample_are_refused() -> None:
    with pytest.raises(UsageError, match="'T/9' is not in the problem set 'synthetic'"):
        metrics_of([make_row("T/9", 0)], problems=2)
    with pytest.raises(UsageError, match="sample 0 of T/1 appears twice"):
        metrics_of([make_row("T/1", 0), make_row("T/1", 0)], problems=2)


def test_rates_errors_and_codes_are_counted() -> None:
    rows = [
        make_row("T/0", 0, main_free=False, uses_unsafe=True, definitions=2),
        make_row("T/0", 1, "compile_error", definitions=1, error_codes=["E0308", "E0308", "E0425"]),
        make_row("T/0", 2, "compile_error", finish_reason="length"),
        make_row("T/0", 3, "extraction_failure", code=None, finish_reason=None),
    ]
    model = metrics_of(rows, problems=1)["models"]["base"]
    assert model["error_types"] == {"compile_error": 2, "extraction_failure": 1}
    assert model["error_codes"] == {"E0308": 2, "E0425": 1}
    assert model["rates"]["main_free"]["count"] == 3
    assert model["rates"]["uses_unsafe"]["count"] == 1
    assert model["rates"]["several_definitions"]["count"] == 1
    assert model["rates"]["extraction_failure"]["rate"] == 0.25
    assert model["rates"]["truncated"]["count"] == 1
    assert model["rates"]["truncated"]["of"] == 3
    assert model["per_problem"]["T/0"]["usual_outcome"] == "compile_error"


def test_policy_rejects_are_counted_by_category_with_the_correct_ones_among_them() -> None:
    free = [
        make_row("T/0", 0, policy_findings=[finding("process"), finding("process")]),
        make_row("T/0", 1, policy_findings=[finding("process"), finding("unsafe")]),
        make_row("T/0", 2, "compile_error", policy_findings=[finding("unsafe")]),
        make_row("T/0", 3),
    ]
    held = under_policy(free)
    known = {"base": count_correct_but_rejected(free)}
    found = metrics_of(held, problems=1, mode="policy", correct_but_rejected=known)
    model = found["models"]["base"]
    without = metrics_of(free, problems=1)["models"]["base"]
    assert without["policy_rejects"]["correct_but_rejected"] == known["base"]
    assert model["policy_rejects"] == {
        "total": 3,
        "by_category": {"process": 2, "unsafe": 2},
        "correct_but_rejected": 2,
    }
    assert model["pass_at_k"]["1"]["mean"] == 0.25
    assert model["rates"]["compile"]["rate"] == 0.25
    assert model["error_types"] == {"policy_violation": 3}
    alone = metrics_of(held, problems=1, mode="policy")["models"]["base"]
    assert alone["policy_rejects"]["correct_but_rejected"] is None
    before = metrics_of(free, problems=1)["models"]["base"]
    assert before["policy_rejects"]["correct_but_rejected"] == 2
    assert before["pass_at_k"]["1"]["mean"] == 0.75


def test_a_results_file_and_its_rows_give_the_same_metrics(tmp_path: Path) -> None:
    rows = counted([0, 1, 2], 2)
    write_jsonl(tmp_path / "rows.jsonl", rows)
    problem_set = make_problem_set(3)
    from_file = build_metrics("no-policy", {"x": tmp_path / "rows.jsonl"}, problem_set, [1])
    from_rows = build_metrics("no-policy", {"x": iter(rows)}, problem_set, [1])
    assert from_file == from_rows
    assert list(from_file["models"]) == ["x"]


def test_metrics_depend_on_verdicts_alone(tmp_path: Path) -> None:
    base, tuned = noisy(1, 40, 4, 0.2)
    slower = [row | {"compile_time_ms": 999, "run_time_ms": 77} for row in base]
    for name, rows in (("a", base), ("b", slower)):
        results = {"base": rows, "finetuned": tuned}
        metrics = build_metrics("no-policy", results, make_problem_set(40), [1, 2, 4])
        write_metrics(tmp_path / name, metrics)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rates_have_intervals_over_problems_and_paired_differences() -> None:
    base = rows_of([["passed"] * 4, ["compile_error"] * 4, ["passed", "compile_error"] * 2])
    tuned = rows_of([["passed"] * 4, ["passed"] * 4, ["passed"] * 3 + ["compile_error"]])
    metrics = metrics_of(base, tuned, problems=3)
    rate = metrics["models"]["base"]["rates"]["compile"]
    expected = share_interval([1.0, 0.0, 0.5])
    assert (rate["count"], rate["of"], rate["rate"]) == (6, 12, 0.5)
    assert (rate["low"], rate["high"]) == pytest.approx((expected.low, expected.high))
    difference = metrics["comparison"]["rates"]["compile"]
    paired = paired_difference([1.0, 0.0, 0.5], [1.0, 1.0, 0.75])
    assert difference["mean"] == pytest.approx(paired.mean)
    assert difference["standard_error"] == pytest.approx(paired.standard_error)


def test_clippy_is_a_share_of_what_compiled_and_unknown_where_nobody_asked() -> None:
    rows = [
        make_row("T/0", 0, clippy_ok=True),
        make_row("T/0", 1, clippy_ok=False),
        make_row("T/0", 2, clippy_ok=None),
        make_row("T/0", 3, "compile_error", clippy_ok=False),
    ]
    rate = metrics_of(rows, problems=1)["models"]["base"]["rates"]["clippy_clean"]
    assert (rate["count"], rate["of"], rate["rate"]) == (1, 2, 0.5)
    unasked = metrics_of(counted([1], 2), problems=1)["models"]["base"]["rates"]["clippy_clean"]
    assert unasked == {"count": 0, "of": 0, "rate": None, "low": None, "high": None}


def as_published(rows: list[Row], broken: str) -> list[Row]:
    """The rows with what they come to in each column; as published, `broken` has no right answer,
    and of the plus cases nothing is known."""
    return [
        row
        | {
            "passed_in": {
                "published": row["passed"] and row["task_id"] != broken,
                "errata": row["passed"],
                "plus": None,
            }
        }
        for row in rows
    ]


def test_scores_as_published_stand_beside_the_headline() -> None:
    base, tuned = counted([1, 2, 4], 4), counted([2, 4, 4], 4)
    metrics = metrics_of(as_published(base, "T/2"), as_published(tuned, "T/2"), problems=3)
    assert metrics["headline"] == "errata"
    assert metrics["models"]["base"]["columns"].keys() == {"published"}
    published = metrics["models"]["base"]["columns"]["published"]
    assert published["passed"] == 3
    assert published["pass_at_k"]["1"]["mean"] == pytest.approx((0.25 + 0.5 + 0) / 3)
    assert metrics["models"]["base"]["pass_at_k"]["1"]["mean"] == pytest.approx(1.75 / 3)
    compared = metrics["comparison"]["columns"]["published"]["1"]
    assert compared["difference"]["mean"] == pytest.approx((0.25 + 0.5 + 0) / 3)
    # Two of two problems get better, which chance alone does in half of the cases.
    assert compared["p"] == pytest.approx(0.5)
    counts = metrics["models"]["finetuned"]["per_problem"]["T/2"]
    assert (counts["passed"], counts["passed_in"]) == (4, {"published": 0})


def test_rows_of_earlier_versions_know_one_column_beside_the_headline() -> None:
    rows = [row | {"passed_as_published": False} for row in counted([1, 2, 4], 4)]
    model = metrics_of(rows, problems=3)["models"]["base"]
    assert model["columns"]["published"]["passed"] == 0


def test_scores_as_published_are_unknown_when_one_verdict_is() -> None:
    rows = as_published(counted([1, 2, 4], 4), "T/2")
    rows[5]["passed_in"]["published"] = None
    metrics = metrics_of(rows, as_published(counted([1, 2, 4], 4), "T/2"), problems=3)
    assert "published" not in metrics["models"]["base"]["columns"]
    assert "published" in metrics["models"]["finetuned"]["columns"]
    assert metrics["comparison"]["columns"] == {}
    # What has no verdict at all is in neither score.
    rows[5] = make_row("T/1", 1, "infrastructure")
    assert "published" in metrics_of(rows, problems=3)["models"]["base"]["columns"]
