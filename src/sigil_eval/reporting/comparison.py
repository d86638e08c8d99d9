"""Two models on the same problems: differences, tests, and the verdict in one sentence."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sigil_eval.documents.estimates import EstimateRow
from sigil_eval.documents.metrics import (
    Comparison,
    ComparisonVerdict,
    Differences,
    Migration,
    PairedComparison,
    VerdictKind,
)
from sigil_eval.reporting.tally import RATES, ModelTally, ProblemTally
from sigil_eval.reporting.wording import p_text, points
from sigil_eval.settings import Column
from sigil_eval.statistics import (
    CONFIDENCE,
    Estimate,
    bootstrap_interval,
    holm,
    mcnemar_exact,
    minimum_detectable,
    needed_problems,
    needed_samples,
    paired_difference,
    pass_at_k,
    ratio_values,
    sign_flip_test,
)

type Pair = tuple[ProblemTally, ProblemTally]

# Below these the comparison is called too little data, whatever it came to.
FEWEST_PROBLEMS = 10
COARSEST_DETECTABLE = 0.20


def compare(
    base: ModelTally, tuned: ModelTally, ks: list[int], seed: int, incomplete: bool
) -> Comparison:
    """The comparison part of metrics.json; `ks` ascend, and the first is the primary metric."""
    shared = [t for t, p in base.problems.items() if p.scored and tuned.problems[t].scored]
    touched = [t for t, p in base.problems.items() if p.samples or tuned.problems[t].samples]
    pairs = {t: (base.problems[t], tuned.problems[t]) for t in shared}
    rows, primary = _compare_by_k(pairs, ks, seed), ks[0]
    gain = {t: _advance(b, f) for t, (b, f) in pairs.items()}
    return {
        "problems": len(shared),
        "left_out": [task for task in touched if task not in pairs],
        "primary": primary,
        "pass_at_k": rows,
        "wins": [task for task in shared if gain[task] > 0],
        "ties": sum(1 for task in shared if gain[task] == 0),
        "losses": [task for task in shared if gain[task] < 0],
        "columns": {
            column: _compare_by_k(_by_column(pairs, column), ks, seed)
            for column in base.beside
            if base.by_column(column) and tuned.by_column(column)
        },
        "without_flagged": _without_flagged(base.flagged, pairs, ks),
        "rates": {name: _rate_difference(base, tuned, *RATES[name]) for name in RATES},
        "migration": _migration(pairs.values()),
        "verdict": verdict(rows[str(primary)], primary, len(base.problems), provisional=incomplete),
    }


def _advance(base: ProblemTally, tuned: ProblemTally) -> int:
    """Sign of the fine-tuned share of passes minus the base's, without rounding."""
    return tuned.passed * base.scored - base.passed * tuned.scored


def _by_column(pairs: Mapping[str, Pair], column: Column) -> dict[str, Pair]:
    return {t: (b.by_column(column), f.by_column(column)) for t, (b, f) in pairs.items()}


def _compare_by_k(
    pairs: Mapping[str, Pair], ks: list[int], seed: int
) -> dict[str, PairedComparison | None]:
    rows = {k: _compare_at(pairs, k, seed) for k in ks}
    _adjust(rows, ks[0])
    return {str(k): row for k, row in rows.items()}


def _without_flagged(
    flagged: frozenset[str], pairs: Mapping[str, Pair], ks: list[int]
) -> Differences | None:
    """The differences without the flagged problems; None where there are none."""
    left = [pair for task, pair in pairs.items() if task not in flagged]
    if not flagged:
        return None
    found: Differences = {}
    for k in ks:
        usable = [pair for pair in left if min(p.scored for p in pair) >= k]
        before, after = (
            [pass_at_k(pair[side].scored, pair[side].passed, k) for pair in usable]
            for side in (0, 1)
        )
        found[str(k)] = estimate_row(paired_difference(before, after)) if usable else None
    return found


def _rate_difference(
    base: ModelTally, tuned: ModelTally, part: str, whole: str
) -> EstimateRow | None:
    """The difference of a share of samples, paired on the problems that both models have."""
    before, after = base.counts(part, whole), tuned.counts(part, whole)
    shared = [task for task in before if task in after]
    if not shared:
        return None
    old, new = (ratio_values([side[task] for task in shared]) for side in (before, after))
    return estimate_row(paired_difference(old, new))


def _migration(pairs: Iterable[tuple[ProblemTally, ProblemTally]]) -> list[Migration]:
    """Where the outcomes went from base to fine-tuned, in problems.

    Of each problem, every base sample is set against every fine-tuned one, and the shares of
    the pairs are added up over the problems: a row's sum is the base's expected number of
    problems in that state, and the sum of all is the number of problems.
    """
    flows: defaultdict[tuple[str, str], float] = defaultdict(float)
    for base, tuned in pairs:
        for before, count in base.states.items():
            for after, other in tuned.states.items():
                share = count * other / (base.scored * tuned.scored)
                flows[before, after] += share
    ranked = sorted(flows.items(), key=lambda item: (-round(item[1], 9), item[0]))
    return [
        {"base": before, "finetuned": after, "problems": problems}
        for (before, after), problems in ranked
    ]


def _compare_at(
    pairs: Mapping[str, tuple[ProblemTally, ProblemTally]], k: int, seed: int
) -> PairedComparison | None:
    usable = [(b, f) for b, f in pairs.values() if min(b.scored, f.scored) >= k]
    if not usable:
        return None
    before = [pass_at_k(b.scored, b.passed, k) for b, _ in usable]
    after = [pass_at_k(f.scored, f.passed, k) for _, f in usable]
    difference = paired_difference(before, after)
    test = sign_flip_test(before, after, seed)
    low, high = bootstrap_interval(before, after, seed)
    error = difference.standard_error
    single = all(b.scored == f.scored == 1 for b, f in usable)
    counts = [[(p.scored, p.passed) for p in side] for side in zip(*usable, strict=True)]
    return {
        "base": math.fsum(before) / len(before),
        "finetuned": math.fsum(after) / len(after),
        "difference": estimate_row(difference),
        "bootstrap": {"low": low, "high": high},
        "p": test.p,
        "p_method": test.method,
        "p_adjusted": test.p,
        "p_mcnemar": mcnemar_exact([x == 1 for x in before], [x == 1 for x in after])
        if single
        else None,
        "minimum_detectable": None if error is None else minimum_detectable(error),
        "needed_problems": needed_problems(difference),
        "needed_samples": needed_samples(difference, *counts) if k == 1 else None,
    }


def _adjust(rows: Mapping[int, PairedComparison | None], primary: int) -> None:
    """Holm's adjustment among the k that are not the primary one, which needs none."""
    others = [row for k, row in rows.items() if k != primary and row is not None]
    for row, p in zip(others, holm([row["p"] for row in others]), strict=True):
        row["p_adjusted"] = p


def estimate_row(estimate: Estimate) -> EstimateRow:
    """An estimate for metrics.json."""
    return {
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "standard_error": estimate.standard_error,
        "problems": estimate.count,
        "method": estimate.method,
    }


def verdict(
    row: PairedComparison | None, k: int, whole: int, *, provisional: bool
) -> ComparisonVerdict:
    """The comparison in one plain sentence, of `whole` problems that there are.

    `kind` is better, worse, no_evidence or too_little_data. Better and worse ask that the
    interval leaves out zero and that the sign-flip test agrees (p below 5 %).
    """
    kind, sentence = _verdict(row, k, whole)
    if provisional:
        sentence = f"Provisional, as some samples have no verdict: {sentence}"
    return {"kind": kind, "sentence": sentence, "provisional": provisional}


def _verdict(row: PairedComparison | None, k: int, whole: int) -> tuple[VerdictKind, str]:
    if row is None:
        return "too_little_data", "Too little data: no problem was scored for both models."
    d = row["difference"]
    count = d["problems"]
    on = f"{count} problem{'s' if count != 1 else ''}"
    if count < whole:
        on = f"{count} of {whole} problems"
    interval = f"95 % interval {points(d['low'])} to {points(d['high'])}"
    if count < FEWEST_PROBLEMS:
        return "too_little_data", (
            f"Too little data: only {on} scored for both models, at least {FEWEST_PROBLEMS} "
            "are needed to say anything."
        )
    size = f"{points(abs(d['mean']))} points of pass@{k}"
    if row["p"] < 1 - CONFIDENCE and not d["low"] <= 0 <= d["high"]:
        kind: VerdictKind = "better" if d["mean"] > 0 else "worse"
        if kind == "worse":
            interval = f"95 % interval {points(-d['high'])} to {points(-d['low'])}"
        return kind, (
            f"The fine-tuned model is {kind} than the base by {size} "
            f"({interval}, p {p_text(row['p'])}, {on})."
        )
    observed = (
        f"{points(d['mean'], sign=True)} points of pass@{k} "
        f"({interval}, p {p_text(row['p'])}, {on})."
    )
    return _undecided(row, observed, on)


def _undecided(row: PairedComparison, observed: str, on: str) -> tuple[VerdictKind, str]:
    """What is said where neither model is shown to be better: what is excluded, and the power."""
    d, power = row["difference"], row["minimum_detectable"]
    size = "" if power is None else points(power)
    found = f"a true difference of {size} would be found four times out of five" if size else ""
    if power is not None and power > COARSEST_DETECTABLE:
        return "too_little_data", (
            f"Too little data to tell the two models apart: {observed} Only {found}."
        )
    widest = points(max(-d["low"], d["high"]))
    excluded = f"Differences of more than {widest} points are excluded"
    if power is None and d["mean"] == 0:
        observed = f"the two models score the same on each of the {on}."
    elif not d["low"] <= 0 <= d["high"]:
        observed += " The interval leaves out zero, but the permutation test does not agree."
    ending = f"{excluded}; {found}." if found else f"{excluded}."
    return "no_evidence", f"No evidence of a difference: {observed} {ending}"
