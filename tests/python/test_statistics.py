"""Statistics against scipy, published worked examples, brute force and simulation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

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
        st.ratio_values([(int(c), int(n)) for c, n in zip(hits, sizes, strict=True)]), 0.0, 1.0
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


@pytest.mark.parametrize("count", [2, 164])
def test_differences_that_are_all_equal_keep_a_width(count: int) -> None:
    """Clopper and Pearson's bound on the chance of another difference, which was never seen."""
    result = st.mean_interval([0.25] * count)
    unseen = stats.binomtest(0, count).proportion_ci(0.95, method="exact").high
    assert (result.standard_error, result.method) == (None, "bound")
    assert result.low == pytest.approx(0.25 - unseen * 1.25, **EXACT)
    assert result.high == pytest.approx(0.25 + unseen * 0.75, **EXACT)


def wilson(mean: float, size: float, quantile: float) -> tuple[float, float]:
    """The two shares whose own spread puts them just `quantile` standard errors from `mean`."""

    def far(share: float) -> float:
        return (mean - share) ** 2 - quantile**2 * share * (1 - share) / size

    return optimize.brentq(far, 0, mean), optimize.brentq(far, mean, 1)


def test_a_score_has_wilsons_interval_on_the_effective_sample_size() -> None:
    values, _ = random_scores(1, 40)
    result = st.share_interval(values)
    error = stats.sem(values)
    mean = np.mean(values)
    expected = wilson(mean, mean * (1 - mean) / error**2, stats.t.ppf(0.975, 39))
    assert result.method == "wilson"
    assert (result.mean, result.standard_error) == pytest.approx((mean, error), **EXACT)
    assert (result.low, result.high) == pytest.approx(expected, **EXACT)


def test_single_samples_count_as_that_many_draws() -> None:
    """One sample a problem: all but N independent draws (sd has N-1), and Wilson's own interval."""
    result = st.share_interval([1.0] * 60 + [0.0] * 104)
    expected = proportion_confint(60 * 163 / 164, 163, method="wilson")
    assert (result.low, result.high) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("count", [2, 10, 164])
def test_scores_that_are_all_equal_count_as_a_draw_a_problem(value: float, count: int) -> None:
    result = st.share_interval([value] * count)
    squared = stats.t.ppf(0.975, count - 1) ** 2
    never = squared / (count + squared)
    assert result.standard_error is None
    if value == 0.5:
        expected = wilson(0.5, count, math.sqrt(squared))
        assert (result.low, result.high) == pytest.approx(expected, **EXACT)
    else:
        expected = (0.0, never) if value == 0 else (1 - never, 1.0)
        assert (result.low, result.high) == pytest.approx(expected, **EXACT)


def test_one_problem_says_nothing_of_others() -> None:
    assert (st.share_interval([0.3]).low, st.share_interval([0.3]).high) == (0.0, 1.0)


@pytest.mark.parametrize("together", [True, False])
def test_a_pass_more_never_lowers_an_end(together: bool) -> None:
    """0 to 60 of 820 samples pass, as few problems as can be, or one of each."""
    ends = []
    for passed in range(61):
        counts = [0] * 164
        for index in range(passed):
            counts[index // 5 if together else index] += 1
        found = st.share_interval([count / 5 for count in counts])
        mirrored = st.share_interval([1 - count / 5 for count in counts])
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high))
        ends.append((found.low, found.high))
    assert ends[0] == (0.0, pytest.approx(0.02322, abs=1e-5))
    for before, after in zip(ends[::5], ends[5::5], strict=False):
        assert after[0] > before[0]
        assert after[1] >= before[1] - 1e-12


def test_intervals_stay_inside_what_is_possible() -> None:
    assert st.share_interval([0.0, 0.0, 0.1]).low > 0.0
    assert st.share_interval([1.0, 1.0, 0.9]).high < 1.0
    assert st.mean_interval([0.0, 0.0, 0.1], 0.0, 1.0).low == 0.0
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
