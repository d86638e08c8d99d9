"""The intervals by simulation: they hold the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sigil_eval import statistics as st


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
        hits += covers(st.share_interval(scores), truth)
        mean = sum(scores) / problems
        naive = 1.96 * math.sqrt(mean * (1 - mean) / (problems * n))
        naive_hits += abs(mean - truth) <= naive
    assert 0.93 <= hits / runs <= 0.97
    if k == 1:
        # Treating all samples as independent is the mistake that the problem-level mean avoids.
        assert naive_hits / runs < 0.75


@pytest.mark.parametrize("truth", [0.01, 0.02, 0.05, 0.95, 0.99])
@pytest.mark.parametrize("alike", [0.2, 0.7])
@pytest.mark.parametrize("n", [1, 100])
def test_intervals_of_low_and_high_scores_hold_the_truth(
    truth: float, alike: float, n: int
) -> None:
    """benchmarks/reporting/coverage.py has the whole table."""
    generator = np.random.default_rng(12)
    weight, runs, hits = 1 / alike - 1, 1000, 0
    for _ in range(runs):
        chances = generator.beta(truth * weight, (1 - truth) * weight, 164)
        hits += covers(st.share_interval((generator.binomial(n, chances) / n).tolist()), truth)
    assert 0.93 <= hits / runs <= 0.99


def test_pooled_shares_of_unequal_samples_cover_the_truth() -> None:
    """Rates of samples, where infrastructure left some problems fewer than others."""
    generator = np.random.default_rng(13)
    runs, hits = 1000, 0
    for _ in range(runs):
        sizes = generator.integers(5, 30, 164)
        counts = generator.binomial(sizes, generator.beta(2, 1, 164))
        pairs = [(int(c), int(n)) for c, n in zip(counts, sizes, strict=True)]
        hits += covers(st.share_interval(st.ratio_values(pairs)), 2 / 3)
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
