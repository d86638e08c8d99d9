"""How sure one can be: pass@k, intervals over problems, and paired comparison of two models.

Everything is computed per problem first: samples of one problem are not independent of each
other, so the problem is the unit (Miller, "Adding Error Bars to Evals", arXiv 2411.00640).
Scores are shares between 0 and 1; differences are fine-tuned minus base.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from sigil_eval.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE = 0.95
EXACT_SIGN_FLIPS = 16
SIGN_FLIPS = 100_000
BOOTSTRAPS = 10_000
# z(0.975) + z(0.80): the true difference that a two-sided 5 % test sees four times out of five.
DETECTION_FACTOR = 2.8
# Sums and differences of scores that are equal on paper differ by less than this.
ROUNDING = 1e-9


@lru_cache(maxsize=65536)
def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased pass@k of one problem, 1 - C(n-c, k) / C(n, k), correctly rounded.

    `n` samples, of which `c` passed. Formula: Chen et al. 2021, arXiv 2107.03374, eq. 1.
    Raises UsageError when k is not between 1 and n.
    """
    if not 0 <= c <= n:
        raise ValueError(f"{c} passed of {n} samples")
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    if k > n:
        raise UsageError(f"pass@{k} needs at least {k} samples per problem, but there are {n}")
    everything = math.comb(n, k)
    return (everything - math.comb(n - c, k)) / everything


@dataclass(frozen=True)
class Estimate:
    """A mean over problems with its confidence interval.

    `method` is "wilson" for a share and "t" for a difference, or "bound" where all differences
    are equal. `standard_error` is None when all values are equal: the spread is then unknown, not
    zero.
    """

    mean: float
    standard_error: float | None
    low: float
    high: float
    count: int
    method: Literal["wilson", "t", "bound"]


def share_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Mean of shares (one per problem) with Wilson's interval on the effective sample size.

    That size is m(1-m)/SE², SE = sd/√N: the number of independent draws that would spread as
    much. Where all shares are equal, which says nothing of the spread, it is N. The quantile is
    t(N-1)'s. How much samples of a problem are alike cannot be seen in a handful of passes, so the
    upper end is never below the one of no pass at all, nor the lower end above the one of nothing
    but passes; otherwise a first pass would lower it (ADR-005).
    """
    count = len(values)
    if count == 0:
        raise ValueError("no values")
    mean = min(1.0, max(0.0, math.fsum(values) / count))
    if count == 1:
        return Estimate(mean, None, 0.0, 1.0, count, "wilson")
    squared = _t_quantile(1 - (1 - confidence) / 2, count - 1) ** 2
    error = None if _all_equal(values) else math.sqrt(_variance(values) / count)
    size = count if error is None else mean * (1 - mean) / error**2
    centre = (mean + squared / (2 * size)) / (1 + squared / size)
    reach = math.sqrt(squared * (mean * (1 - mean) / size + squared / (4 * size**2)))
    reach /= 1 + squared / size
    never_seen = squared / (count + squared)
    low = max(0.0, min(centre - reach, 1 - never_seen))
    high = min(1.0, max(centre + reach, never_seen))
    return Estimate(mean, error, low, high, count, "wilson")


def mean_interval(
    values: Sequence[float],
    lowest: float = -1.0,
    highest: float = 1.0,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Mean of `values` (one per problem) with the interval mean ± t(N-1)·sd/√N.

    `lowest` and `highest` are the values that were possible; the interval stays inside them.
    When all N values equal v, a t interval would have no width. A value other than v has then
    a probability of at most q = 1 - 0.025^(1/N) (at 95 %), which bounds the mean by
    v ∓ q·(distance to the extreme).
    """
    count = len(values)
    if count == 0:
        raise ValueError("no values")
    mean = math.fsum(values) / count
    tail = (1 - confidence) / 2
    if _all_equal(values):
        mean = values[0]
        unseen = 1 - tail ** (1 / count)
        low, high = mean - unseen * (mean - lowest), mean + unseen * (highest - mean)
        return Estimate(mean, None, low, high, count, "bound")
    error = math.sqrt(_variance(values) / count)
    reach = _t_quantile(1 - tail, count - 1) * error
    low, high = max(lowest, mean - reach), min(highest, mean + reach)
    return Estimate(mean, error, low, high, count, "t")


def proportion_interval(
    hits: int, count: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Clopper and Pearson's interval for a share of which `hits` of `count` draws were seen."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return low, high


def ratio_values(counts: Sequence[tuple[int, int]]) -> list[float]:
    """One value per problem, with which `share_interval` treats a pooled share Σc/Σn.

    `counts` are (c, n) per problem, n the samples of the problem and c those that count. Their
    mean is the share, and their standard error that of the ratio estimate, clustered on problems
    (Cochran 1977, section 6.4); with equal n they are the shares c/n themselves. Raises
    ValueError without samples.
    """
    everything = sum(n for _, n in counts)
    if everything == 0:
        raise ValueError("no samples")
    share = sum(c for c, _ in counts) / everything
    return [share + (c - share * n) * len(counts) / everything for c, n in counts]


def paired_difference(
    base: Sequence[float], tuned: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    """Mean of tuned - base over the same problems, with its paired t interval."""
    return mean_interval(_differences(base, tuned), -1.0, 1.0, confidence)


@dataclass(frozen=True)
class SignFlipTest:
    """Two-sided p of the sign-flip test; `method` is "exact" or "monte-carlo"."""

    p: float
    method: Literal["exact", "monte-carlo"]


def sign_flip_test(
    base: Sequence[float], tuned: Sequence[float], seed: int = 0, flips: int = SIGN_FLIPS
) -> SignFlipTest:
    """Permutation test that the labels base and tuned are exchangeable within each problem.

    All 2^m sign patterns of the m problems that differ are tried when m is at most
    EXACT_SIGN_FLIPS; otherwise `flips` random ones, and p = (1 + hits) / (1 + flips)
    (Phipson and Smyth 2010), which is never zero.
    """
    import numpy as np

    differences = np.array([d for d in _differences(base, tuned) if d != 0.0], dtype=np.float64)
    m = len(differences)
    if m == 0:
        return SignFlipTest(1.0, "exact")
    threshold = abs(math.fsum(differences)) - ROUNDING
    if m <= EXACT_SIGN_FLIPS:
        patterns = (np.arange(2**m)[:, None] >> np.arange(m)) & 1
        sums = (1 - 2 * patterns) @ differences
        return SignFlipTest(float(np.mean(np.abs(sums) >= threshold)), "exact")
    generator = np.random.default_rng(seed)
    hits, done = 0, 0
    while done < flips:
        size = min(10_000, flips - done)
        signs = 1 - 2 * generator.integers(0, 2, size=(size, m), dtype=np.int8)
        hits += int(np.count_nonzero(np.abs(signs @ differences) >= threshold))
        done += size
    return SignFlipTest((1 + hits) / (1 + flips), "monte-carlo")


def bootstrap_interval(
    base: Sequence[float],
    tuned: Sequence[float],
    seed: int = 0,
    resamples: int = BOOTSTRAPS,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Percentile interval of the mean difference when problems are drawn with replacement.

    Both models are resampled with the same problems, which keeps the pairs together.
    """
    import numpy as np

    differences = np.array(_differences(base, tuned), dtype=np.float64)
    n = len(differences)
    means = _resampled(n, seed, resamples) @ differences / n
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=1)
def _resampled(n: int, seed: int, resamples: int) -> NDArray[np.float64]:
    """How often each of `n` problems is drawn, a row for each resample; the same for every pair of
    models and every k."""
    import numpy as np

    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return draws.astype(np.float64)


def mcnemar_exact(base: Sequence[bool], tuned: Sequence[bool]) -> float:
    """Two-sided exact McNemar p for one sample per problem: a binomial test of the problems
    that only one of the two models solves.
    """
    _same_length(base, tuned)
    gained = sum(1 for b, t in zip(base, tuned, strict=True) if t and not b)
    lost = sum(1 for b, t in zip(base, tuned, strict=True) if b and not t)
    changed = gained + lost
    tail = sum(math.comb(changed, i) for i in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * tail / 2**changed))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979); the order of the input is kept."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def minimum_detectable(standard_error: float) -> float:
    """The true difference found with 80 % power at the 5 % level, 2.8 standard errors.

    Smaller ones are found less often, not never: what was observed is significant from 2 standard
    errors on.
    """
    return DETECTION_FACTOR * standard_error


def needed_problems(difference: Estimate) -> int | None:
    """Problems at which a true difference as large as the observed one would be detectable.

    None where there is no difference, or no spread to judge it by.
    """
    if difference.mean == 0 or difference.standard_error is None:
        return None
    ratio = minimum_detectable(difference.standard_error) / abs(difference.mean)
    return math.ceil(difference.count * ratio**2 - ROUNDING)


def needed_samples(
    difference: Estimate, base: Sequence[tuple[int, int]], tuned: Sequence[tuple[int, int]]
) -> int | None:
    """Samples per problem at which the observed pass@1 difference would be detectable.

    `base` and `tuned` are (samples, passed) per problem. The variance of the differences is
    split into what sampling adds (it shrinks with the number of samples) and what lies in the
    problems (it does not; Miller 2024, section 3). None when no number of samples is enough,
    when a problem has fewer than two samples, or when there is no difference.
    """
    if difference.mean == 0 or difference.standard_error is None:
        return None
    if any(n < 2 for n, _ in (*base, *tuned)):
        return None
    count = difference.count
    single = math.fsum(_sample_variance(n, c) for n, c in (*base, *tuned)) / count
    present = math.fsum(_sample_variance(n, c) / n for n, c in (*base, *tuned)) / count
    total = difference.standard_error**2 * count
    between = max(0.0, total - present)
    allowed = count * (difference.mean / DETECTION_FACTOR) ** 2
    if allowed <= between:
        return None
    return max(1, math.ceil(single / (allowed - between) - ROUNDING))


def _sample_variance(n: int, c: int) -> float:
    """Unbiased variance of one pass/fail sample, from c passes in n samples."""
    return c * (n - c) / (n * (n - 1))


def _differences(base: Sequence[float], tuned: Sequence[float]) -> list[float]:
    _same_length(base, tuned)
    return [t - b for b, t in zip(base, tuned, strict=True)]


def _same_length(base: Sequence[object], tuned: Sequence[object]) -> None:
    if len(base) != len(tuned):
        raise ValueError(f"{len(base)} problems for base, {len(tuned)} for tuned")


def _all_equal(values: Sequence[float]) -> bool:
    return max(values) - min(values) < ROUNDING


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _t_quantile(p: float, degrees: int) -> float:
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    return float(stdtrit(degrees, p))
