"""Two models compared: what is paired, the tests, and the verdict in one sentence."""

from __future__ import annotations

import pytest

from results_fixture import counted, make_row, metrics_of, noisy, rows_of
from sigil_eval.reporting.comparison import verdict
from sigil_eval.statistics import paired_difference


def test_comparison_is_paired_over_the_shared_problems() -> None:
    base = rows_of([["passed", "compile_error"], ["compile_error"] * 2, ["infrastructure"] * 2])
    tuned = rows_of([["compile_error"] * 2, ["passed"] * 2, ["passed"] * 2, ["passed"] * 2])
    comparison = metrics_of(base, tuned, problems=4)["comparison"]
    assert comparison["problems"] == 2
    assert comparison["left_out"] == ["T/2", "T/3"]
    assert comparison["wins"] == ["T/1"]
    assert comparison["losses"] == ["T/0"]
    row = comparison["pass_at_k"]["1"]
    expected = paired_difference([0.5, 0.0], [0.0, 1.0])
    assert row["difference"]["mean"] == pytest.approx(expected.mean)
    assert row["difference"]["standard_error"] == pytest.approx(expected.standard_error)
    assert (row["base"], row["finetuned"]) == (0.25, 0.5)


def test_migration_sets_every_base_sample_against_every_fine_tuned_one() -> None:
    wrong_type = {
        "error_codes": ["E0308", "E0425"],
        "stderr": "error[E0425]: first\nerror[E0308]: x",
    }
    base = [make_row("T/0", 0, "compile_error", **wrong_type), make_row("T/0", 1, "test_timeout")]
    tuned = [make_row("T/0", 0), make_row("T/0", 1, "compile_error", error_codes=[], stderr="")]
    base += rows_of([[], ["passed"] * 2])
    tuned += rows_of([[], ["passed"]])
    flows = metrics_of(base, tuned, problems=2)["comparison"]["migration"]
    found = {(flow["base"], flow["finetuned"]): flow["problems"] for flow in flows}
    assert found == {
        ("passed", "passed"): 1.0,
        ("E0425", "passed"): 0.25,
        ("E0425", "compile_error"): 0.25,
        ("test_timeout", "passed"): 0.25,
        ("test_timeout", "compile_error"): 0.25,
    }


def test_ties_are_exact_shares_not_counts() -> None:
    base = rows_of([["passed", "compile_error"]])
    tuned = rows_of([["passed", "compile_error"] * 3])
    comparison = metrics_of(base, tuned, problems=1)["comparison"]
    assert (comparison["wins"], comparison["ties"], comparison["losses"]) == ([], 1, [])


def test_only_the_other_k_are_adjusted() -> None:
    # Equal in pass@1, so that the primary p is the largest: it must not count among the others.
    base, tuned = counted([10] * 12 + [0] * 12, 10), counted([6] * 12 + [4] * 12, 10)
    table = metrics_of(base, tuned, problems=24, k_values=[10, 5, 1])["comparison"]["pass_at_k"]
    assert table["1"]["p_adjusted"] == table["1"]["p"]
    low, high = sorted((table["5"], table["10"]), key=lambda row: row["p"])
    assert low["p_adjusted"] == pytest.approx(min(1.0, 2 * low["p"]))
    assert high["p_adjusted"] == pytest.approx(max(low["p_adjusted"], high["p"]))


def test_verdict_better() -> None:
    base, tuned = noisy(3, 100, 10, 0.15)
    result = metrics_of(base, tuned, problems=100)["comparison"]
    d = result["pass_at_k"]["1"]["difference"]
    assert result["verdict"]["kind"] == "better"
    sentence = result["verdict"]["sentence"]
    assert sentence.startswith(
        f"The fine-tuned model is better than the base by {100 * d['mean']:.1f} points of pass@1 "
        f"(95 % interval {100 * d['low']:.1f} to {100 * d['high']:.1f}, p < 0.001, 100 problems)"
    )
    assert sentence.endswith(", 100 problems).")
    assert result["verdict"]["provisional"] is False


def test_verdict_worse_gives_the_loss_as_a_positive_size() -> None:
    tuned, base = noisy(3, 100, 10, 0.15)
    result = metrics_of(base, tuned, problems=100)["comparison"]
    d = result["pass_at_k"]["1"]["difference"]
    assert result["verdict"]["kind"] == "worse"
    assert (
        f"worse than the base by {-100 * d['mean']:.1f} points of pass@1 "
        f"(95 % interval {-100 * d['high']:.1f} to {-100 * d['low']:.1f}"
    ) in result["verdict"]["sentence"]


def test_verdict_no_evidence() -> None:
    base, tuned = noisy(4, 100, 10, 0.0)
    comparison = metrics_of(base, tuned, problems=100)["comparison"]
    result = comparison["verdict"]
    assert result["kind"] == "no_evidence"
    assert result["sentence"].startswith("No evidence of a difference: ")
    row = comparison["pass_at_k"]["1"]
    d, power = row["difference"], row["minimum_detectable"]
    widest = 100 * max(-d["low"], d["high"])
    assert result["sentence"].endswith(
        f"Differences of more than {widest:.1f} points are excluded; a true difference of "
        f"{100 * power:.1f} would be found four times out of five."
    )


def test_verdict_of_identical_models_does_not_claim_certainty() -> None:
    rows = counted([1] * 50, 2)
    result = metrics_of(rows, rows, problems=50)["comparison"]["verdict"]
    assert result["kind"] == "no_evidence"
    assert "Differences of more than 7.1 points are excluded." in result["sentence"]


def test_verdict_too_few_problems() -> None:
    result = metrics_of(counted([0] * 9, 5), counted([5] * 9, 5), problems=9)["comparison"][
        "verdict"
    ]
    assert result["kind"] == "too_little_data"
    assert "only 9 problems" in result["sentence"]


def test_verdict_too_coarse() -> None:
    base = rows_of([["passed"], ["compile_error"]] * 6)
    tuned = rows_of([["compile_error"], ["passed"]] * 5 + [["passed"], ["passed"]])
    result = metrics_of(base, tuned)["comparison"]["verdict"]
    assert result["kind"] == "too_little_data"
    assert "would be found four times out of five" in result["sentence"]
    assert "excluded" not in result["sentence"]


def test_better_needs_the_permutation_test_to_agree_with_the_interval() -> None:
    # Five wins and no loss in 164: the t interval leaves out zero, p is 2/2^5.
    base = rows_of([["compile_error"]] * 164)
    tuned = rows_of([["passed"]] * 5 + [["compile_error"]] * 159)
    comparison = metrics_of(base, tuned, problems=164)["comparison"]
    assert comparison["pass_at_k"]["1"]["difference"]["low"] > 0
    assert comparison["pass_at_k"]["1"]["p"] == 2 / 2**5
    assert comparison["verdict"]["kind"] == "no_evidence"
    assert "but the permutation test does not agree." in comparison["verdict"]["sentence"]


@pytest.mark.parametrize("seed", range(12))
def test_no_sentence_contradicts_its_own_interval(seed: int) -> None:
    """What a decided verdict observed may be smaller than what is found four times out of five."""
    base, tuned = noisy(seed, 60, 5, 0.08)
    comparison = metrics_of(base, tuned, problems=60)["comparison"]
    sentence = comparison["verdict"]["sentence"]
    decided = comparison["verdict"]["kind"] in ("better", "worse")
    assert decided != ("four times out of five" in sentence)
    assert "could not" not in sentence


def test_an_incomplete_run_has_a_provisional_verdict() -> None:
    base, tuned = noisy(3, 100, 10, 0.15)
    base[0] = make_row("T/0", 0, "infrastructure")
    result = metrics_of(base, tuned, problems=100)["comparison"]["verdict"]
    assert result["provisional"] is True
    assert result["sentence"].startswith("Provisional")


def test_verdict_without_any_shared_problem() -> None:
    result = metrics_of(rows_of([["infrastructure"]]), rows_of([["passed"]]), problems=1)[
        "comparison"
    ]
    assert result["verdict"]["kind"] == "too_little_data"
    assert verdict(None, 1, 1, provisional=False)["sentence"].startswith("Too little data")
