"""Statistics against scipy, published worked examples, brute force and simulation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from sigil_eval import statistics as st
from sigil_eval.errors import UsageError

EXACT: dict[str, Any] = {"rel": 1e-9, "abs": 1e-9}
# Student's sleep data: extra hours with two drugs, ten patients (R's `sleep`).
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def random_scores(seed: int, count: int, n: int = 10) -> tuple[list[float], list[float]]:
    generator = np.random.default_rng(seed)
    base = generator.integers(0, n + 1, count) / n
    tuned = np.clip(base + generator.integers(-2, 4, count) / n, 0, 1)
    return base.tolist(), tuned.tolist()


@pytest.mark.parametrize(("n", "c", "k"), [(5, 0, 2), (5, 1, 1), (5, 2, 3), (6, 3, 4), (6, 6, 6)])
def test_pass_at_k_is_the_share_of_all_choices_that_hold_a_pass(n: int, c: int, k: int) -> None:
    choices = list(combinations(range(n), k))
    share = Fraction(sum(1 for choice in choices if min(choice) < c), len(choices))
    assert st.pass_at_k(n, c, k) == float(share)


@pytest.mark.parametrize("k", [1, 10, 100])
def test_pass_at_k_agrees_with_the_product_form_of_the_codex_paper(k: int) -> None:
    for c in range(201):
        n = 200
        published = 1.0 if n - c < k else 1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1))
        assert st.pass_at_k(n, c, k) == pytest.approx(published, **EXACT)


def test_pass_at_k_is_exact_where_the_product_form_loses_digits() -> None:
    # One pass in n samples: exactly k/n.
    assert st.pass_at_k(100_000, 1, 7) == 7 / 100_000


@pytest.mark.parametrize(("n", "k"), [(1, 2), (99, 100), (0, 1)])
def test_k_above_n_is_refused(n: int, k: int) -> None:
    with pytest.raises(UsageError, match=f"pass@{k} needs at least {k} samples"):
        st.pass_at_k(n, 0, k)


def test_k_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        st.pass_at_k(10, 3, 0)


def test_mean_interval_agrees_with_scipy() -> None:
    values, _ = random_scores(1, 40)
    result = st.mean_interval(values)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert result.mean == pytest.approx(np.mean(values), **EXACT)
    assert result.standard_error == pytest.approx(stats.sem(values), **EXACT)
    assert (result.low, result.high) == pytest.approx(tuple(expected), **EXACT)


def test_paired_difference_agrees_with_the_published_sleep_example() -> None:
    scale = 10.0  # into the range -1..1, and back
    result = st.paired_difference([x / scale for x in SLEEP_1], [x / scale for x in SLEEP_2])
    assert result.mean * scale == pytest.approx(1.58, **EXACT)
    # As printed by R's t.test(..., paired = TRUE).
    assert result.low * scale == pytest.approx(0.7001142, abs=5e-8)
    assert result.high * scale == pytest.approx(2.4598858, abs=5e-8)
    expected = stats.ttest_rel(SLEEP_2, SLEEP_1).confidence_interval(0.95)
    assert result.low * scale == pytest.approx(expected.low, **EXACT)
    assert result.high * scale == pytest.approx(expected.high, **EXACT)


def test_pooled_share_with_equal_samples_is_the_mean_of_the_shares() -> None:
    shares, _ = random_scores(10, 40)
    counts = [(round(share * 10), 10) for share in shares]
    assert st.ratio_values(counts) == pytest.approx(shares, **EXACT)


def test_pooled_share_has_the_cluster_robust_error_of_statsmodels() -> None:
    generator = np.random.default_rng(11)
    sizes = generator.integers(1, 30, 60)
    hits = generator.binomial(sizes, generator.beta(1, 2, 60))
    result = st.mean_interval(
        st.ratio_values([(int(c), int(n)) for c, n in zip(hits, sizes, strict=True)])
    )
    samples = np.concatenate(
        [np.repeat([1.0, 0.0], [c, n - c]) for c, n in zip(hits, sizes, strict=True)]
    )
    fitted = OLS(samples, np.ones(len(samples))).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(60), sizes)}, use_t=True
    )
    assert result.mean == pytest.approx(fitted.params[0], **EXACT)
    assert result.standard_error == pytest.approx(fitted.bse[0], **EXACT)
    assert (result.low, result.high) == pytest.approx(tuple(fitted.conf_int(0.05)[0]), **EXACT)


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (97, 100), (1, 3), (200, 200)])
def test_proportion_interval_agrees_with_scipy(hits: int, count: int) -> None:
    expected = stats.binomtest(hits, count).proportion_ci(0.95, method="exact")
    assert st.proportion_interval(hits, count) == pytest.approx(tuple(expected), **EXACT)


def test_pooled_share_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        st.ratio_values([(0, 0)])


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("count", [1, 2, 164])
def test_all_equal_scores_get_the_clopper_pearson_interval(value: float, count: int) -> None:
    result = st.mean_interval([value] * count)
    expected = stats.binomtest(int(value) * count, count).proportion_ci(0.95, method="exact")
    assert result.standard_error is None
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high), **EXACT)


def test_intervals_stay_inside_what_is_possible() -> None:
    assert st.mean_interval([0.0, 0.0, 0.1]).low == 0.0
    assert st.mean_interval([1.0, 1.0, 0.9]).high == 1.0
    assert st.paired_difference([0.0, 0.1], [1.0, 0.9]).high == 1.0


def test_sign_flip_enumerates_all_patterns_when_few_problems_differ() -> None:
    base, tuned = random_scores(2, 14)
    differences = [t - b for b, t in zip(base, tuned, strict=True)]
    observed = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    expected = sum(1 for total in sums if total >= observed - 1e-9) / len(sums)
    result = st.sign_flip_test(base, tuned)
    assert result.method == "exact"
    assert result.p == pytest.approx(expected, **EXACT)


def test_sign_flip_agrees_with_scipy_permutation_test() -> None:
    base, tuned = random_scores(3, 12)
    expected = stats.permutation_test(
        (np.array(tuned), np.array(base)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert st.sign_flip_test(base, tuned).p == pytest.approx(expected, **EXACT)


def test_sign_flip_by_monte_carlo_is_seeded_and_near_the_exact_value() -> None:
    generator = np.random.default_rng(4)
    tuned = (generator.random(400) < 0.55).astype(float).tolist()
    base = [1.0 - value for value in tuned]  # every problem differs
    gained = int(sum(tuned))
    exact = stats.binomtest(gained, 400, 0.5).pvalue
    first, second = (st.sign_flip_test(base, tuned, seed=9) for _ in range(2))
    assert first == second
    assert first.method == "monte-carlo"
    assert first.p == pytest.approx(exact, abs=4 * math.sqrt(exact / st.SIGN_FLIPS))
    assert st.sign_flip_test(base, tuned, seed=10).p != first.p


def test_sign_flip_p_is_never_zero_and_one_without_differences() -> None:
    assert 0 < st.sign_flip_test([0.0] * 100, [1.0] * 100).p < 1e-4
    assert st.sign_flip_test([0.5, 0.2], [0.5, 0.2]).p == 1.0


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (9, 3), (3, 9), (4, 4), (70, 40)])
def test_mcnemar_agrees_with_statsmodels(gained: int, lost: int) -> None:
    base = [False] * gained + [True] * lost + [True, False] * 20
    tuned = [True] * gained + [False] * lost + [True, False] * 20
    expected = mcnemar([[20, lost], [gained, 20]], exact=True).pvalue if gained + lost else 1.0
    assert st.mcnemar_exact(base, tuned) == pytest.approx(expected, **EXACT)


def test_mcnemar_equals_the_sign_flip_test_for_one_sample() -> None:
    base, tuned = [False] * 8 + [True] * 3, [True] * 8 + [False] * 3
    flip = st.sign_flip_test([float(b) for b in base], [float(t) for t in tuned])
    assert st.mcnemar_exact(base, tuned) == pytest.approx(flip.p, **EXACT)


def test_holm_on_a_worked_example() -> None:
    # Thresholds 0.05/4, 0.05/3, ...; adjusted: 4·0.005, 3·0.01, 2·0.03, then not below that.
    assert st.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], **EXACT)
    assert st.holm([0.9, 0.8]) == [1.0, 1.0]
    assert st.holm([]) == []


def test_holm_agrees_with_statsmodels() -> None:
    for seed in range(20):
        p_values = np.random.default_rng(seed).random(1 + seed) ** 3
        expected = multipletests(p_values, method="holm")[1]
        assert st.holm(p_values.tolist()) == pytest.approx(expected.tolist(), **EXACT)


def test_bootstrap_is_seeded_paired_and_near_the_t_interval() -> None:
    base, tuned = random_scores(5, 164)
    low, high = st.bootstrap_interval(base, tuned, seed=1)
    assert (low, high) == st.bootstrap_interval(base, tuned, seed=1)
    assert (low, high) != st.bootstrap_interval(base, tuned, seed=2)
    paired = st.paired_difference(base, tuned)
    assert low == pytest.approx(paired.low, abs=0.004)
    assert high == pytest.approx(paired.high, abs=0.004)
    # Pairs kept together: a constant shift has no spread at all.
    shifted = st.bootstrap_interval([0.0, 0.25, 0.5], [0.25, 0.5, 0.75])
    assert shifted == pytest.approx((0.25, 0.25), **EXACT)


def test_detection_factor_is_that_of_eighty_percent_power_at_five_percent() -> None:
    factor = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert st.minimum_detectable(1.0) == pytest.approx(factor, abs=0.002)


def test_needed_problems_make_the_observed_difference_just_detectable() -> None:
    base, tuned = random_scores(6, 50)
    result = st.paired_difference(base, tuned)
    needed = st.needed_problems(result)
    assert needed is not None and result.standard_error is not None
    spread = result.standard_error * math.sqrt(50)
    assert st.minimum_detectable(spread / math.sqrt(needed)) <= abs(result.mean)
    assert st.minimum_detectable(spread / math.sqrt(needed - 1)) > abs(result.mean)


def test_needed_samples_when_only_sampling_adds_spread() -> None:
    # Every problem has p = 0.5 and 0.6: the spread of the differences is sampling alone.
    base = [(2, 0), (2, 2), (2, 1), (2, 1)] * 25
    tuned = [(2, 1), (2, 1), (2, 2), (2, 1)] * 25
    difference = st.paired_difference([c / n for n, c in base], [c / n for n, c in tuned])
    # One sample's variance: mean of c(n-c)/(n(n-1)) is 1/4 for base and 3/8 for tuned.
    assert difference.standard_error is not None
    total = difference.standard_error**2 * 100
    between = max(0.0, total - (0.25 + 0.375) / 2)
    allowed = 100 * (difference.mean / 2.8) ** 2
    assert st.needed_samples(difference, base, tuned) == math.ceil(0.625 / (allowed - between))


def test_needed_samples_says_none_when_more_samples_cannot_help() -> None:
    base = [(100, 0), (100, 100)] * 10 + [(100, 0)]
    tuned = [(100, 100), (100, 0)] * 10 + [(100, 100)]
    difference = st.paired_difference([c / n for n, c in base], [c / n for n, c in tuned])
    assert st.needed_samples(difference, base, tuned) is None
    assert st.needed_problems(difference) is not None


def test_needed_sizes_are_none_without_a_difference() -> None:
    same = st.paired_difference([0.5, 0.5], [0.5, 0.5])
    assert st.needed_problems(same) is None
    assert st.needed_samples(same, [(2, 1)] * 2, [(2, 1)] * 2) is None


def covers(result: st.Estimate, truth: float) -> bool:
    return result.low <= truth <= result.high


@pytest.mark.parametrize("k", [1, 10])
def test_ninety_five_percent_intervals_cover_the_truth_ninety_five_percent(k: int) -> None:
    """Problems with Beta(0.8, 1.6) chances, 164 a run, 20 samples each, 2000 runs."""
    a, b, n, problems, runs = 0.8, 1.6, 20, 164, 2000
    # E[1 - (1-p)^k] of a Beta variable.
    truth = 1 - math.exp(
        math.lgamma(b + k) + math.lgamma(a + b) - math.lgamma(b) - math.lgamma(a + b + k)
    )
    generator = np.random.default_rng(20261120)
    hits = naive_hits = 0
    for _ in range(runs):
        passed = generator.binomial(n, generator.beta(a, b, problems)).tolist()
        scores = [st.pass_at_k(n, c, k) for c in passed]
        hits += covers(st.mean_interval(scores), truth)
        mean = sum(scores) / problems
        naive = 1.96 * math.sqrt(mean * (1 - mean) / (problems * n))
        naive_hits += abs(mean - truth) <= naive
    assert 0.93 <= hits / runs <= 0.97
    if k == 1:
        # Treating all samples as independent is the mistake that the problem-level mean avoids.
        assert naive_hits / runs < 0.75


@pytest.mark.parametrize(("a", "b", "within"), [(0.15, 1.0, (0.93, 0.97)), (0.05, 2, (0.89, 0.95))])
def test_intervals_of_low_scores(a: float, b: float, within: tuple[float, float]) -> None:
    """13 % keeps what it promises; at 2.4 %, where few problems pass at all, it falls short."""
    generator = np.random.default_rng(12)
    runs, hits = 1000, 0
    for _ in range(runs):
        scores = generator.binomial(100, generator.beta(a, b, 164)) / 100
        hits += covers(st.mean_interval(scores.tolist()), a / (a + b))
    assert within[0] <= hits / runs <= within[1]


def test_pooled_shares_of_unequal_samples_cover_the_truth() -> None:
    """Rates of samples, where infrastructure left some problems fewer than others."""
    generator = np.random.default_rng(13)
    runs, hits = 1000, 0
    for _ in range(runs):
        sizes = generator.integers(5, 30, 164)
        counts = generator.binomial(sizes, generator.beta(2, 1, 164))
        pairs = [(int(c), int(n)) for c, n in zip(counts, sizes, strict=True)]
        hits += covers(st.mean_interval(st.ratio_values(pairs)), 2 / 3)
    assert 0.93 <= hits / runs <= 0.97


def test_paired_intervals_cover_the_true_difference() -> None:
    """Half the problems change their chance, half keep it; true difference 1/6."""
    n, problems, runs, truth = 10, 164, 2000, (2 / 3 - 1 / 3) / 2
    generator = np.random.default_rng(7)
    hits = 0
    for _ in range(runs):
        before = generator.beta(1, 2, problems)
        changed = generator.random(problems) < 0.5
        after = np.where(changed, generator.beta(2, 1, problems), before)
        base = (generator.binomial(n, before) / n).tolist()
        tuned = (generator.binomial(n, after) / n).tolist()
        hits += covers(st.paired_difference(base, tuned), truth)
    assert 0.93 <= hits / runs <= 0.97


def test_sign_flip_test_rejects_a_true_null_five_percent_of_the_time() -> None:
    generator = np.random.default_rng(8)
    runs, problems, n = 400, 60, 5
    rejected = 0
    for _ in range(runs):
        chances = generator.beta(1, 1, problems)
        base, tuned = ((generator.binomial(n, chances) / n).tolist() for _ in range(2))
        rejected += st.sign_flip_test(base, tuned, flips=2000).p < 0.05
    assert 0.02 <= rejected / runs <= 0.08
