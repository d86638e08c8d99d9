"""Two models' scores, paired on the problems that both have verdicts for."""

from __future__ import annotations

from collections.abc import Mapping

from sigil_eval.documents.metrics import ProblemCounts
from sigil_eval.statistics import Estimate, paired_difference, pass_at_k, sign_flip_test


def paired(
    before: Mapping[str, ProblemCounts], after: Mapping[str, ProblemCounts], k: int, seed: int
) -> tuple[Estimate, float] | None:
    """The difference of pass@k, `after` minus `before`, and its p by sign-flip permutation; None
    without a problem that both have k scored samples of."""
    pairs = [
        (before[task], after[task])
        for task in before
        if task in after and min(before[task]["scored"], after[task]["scored"]) >= k
    ]
    if not pairs:
        return None
    old, new = (
        [pass_at_k(pair[side]["scored"], pair[side]["passed"], k) for pair in pairs]
        for side in (0, 1)
    )
    return paired_difference(old, new), sign_flip_test(old, new, seed).p
