"""metrics.json: what the results of one policy mode say about one or two models.

Results are streamed; only counts are kept. The document depends on the verdicts alone, never
on times or dates, so an interrupted run that was resumed gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sigil_eval.documents.metrics import (
    METRICS_VERSION,
    ColumnScores,
    Comparison,
    Conditions,
    Metrics,
    ModelMetrics,
    PinnedProblems,
    Rate,
    ScoreRow,
    Scores,
)
from sigil_eval.errors import UsageError
from sigil_eval.files import write_atomic
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.comparison import compare, estimate_row
from sigil_eval.reporting.sweep import sweep_of
from sigil_eval.reporting.tally import (
    RATES,
    ModelTally,
    Results,
    tally_results,
)
from sigil_eval.reporting.wording import coverage
from sigil_eval.run_folder import BASE, TUNED, Mode
from sigil_eval.settings import Column, checked_k_values, k_above
from sigil_eval.statistics import CONFIDENCE, pass_at_k, ratio_values, share_interval


def build_metrics(
    mode: Mode,
    results: Mapping[str, Results],
    problem_set: ProblemSet,
    k_values: Sequence[int],
    *,
    correct_but_rejected: Mapping[str, int | None] | None = None,
    seed: int = 0,
    judge: Conditions | None = None,
    steps: Mapping[str, int | None] | None = None,
) -> Metrics:
    """The metrics document of one mode ("no-policy" or "policy").

    `results` maps a label (base, finetuned or, for samples of unknown origin, any other name) to a
    results file or its rows; base and finetuned together are compared. `correct_but_rejected`
    says of each label how many samples pass without the policy and are rejected by it; `steps` has
    the training steps of checkpoints, in their order, where the models are such.

    Raises UsageError for an unknown task id, a sample that appears twice, and too large a k.
    """
    ks = list(checked_k_values(k_values))
    tallies = {label: _tally(label, rows, problem_set, ks) for label, rows in results.items()}
    models = {label: _model_metrics(tally, ks) for label, tally in tallies.items()}
    if mode == "policy":
        _say_what_was_correct(models, correct_but_rejected or {})
    incomplete = any(tally.total("infrastructure") for tally in tallies.values())
    document: Metrics = {
        "schema_version": METRICS_VERSION,
        "mode": mode,
        "problem_set": _pinned(problem_set),
        "headline": problem_set.headline,
        "judge": judge,
        "k_values": ks,
        "confidence": CONFIDENCE,
        "seed": seed,
        "incomplete": incomplete,
        "models": models,
        "comparison": _compared(tallies, ks, seed, incomplete),
    }
    return cast(Metrics, _rounded(_completed(document, steps)))


def _compared(
    tallies: Mapping[str, ModelTally], ks: list[int], seed: int, incomplete: bool
) -> Comparison | None:
    """The fine-tuned model against the base; None unless both are there."""
    base, tuned = tallies.get(BASE), tallies.get(TUNED)
    return compare(base, tuned, ks, seed, incomplete) if base and tuned else None


def _completed(metrics: Metrics, steps: Mapping[str, int | None] | None) -> Metrics:
    """The metrics, which say how checkpoints compare where the models are such, and of how many
    problems the samples are where these are not all."""
    if steps is not None:
        k, seed = metrics["k_values"][0], metrics["seed"]
        metrics["sweep"] = sweep_of(metrics["models"], steps, k, seed)
    if part := coverage(metrics):
        metrics["coverage"] = part
    return metrics


def _tally(label: str, results: Results, problem_set: ProblemSet, ks: list[int]) -> ModelTally:
    tally = tally_results(label, results, problem_set)
    check_k_values({task: p.samples for task, p in tally.problems.items()}, ks, label)
    return tally


def _say_what_was_correct(
    models: Mapping[str, ModelMetrics], correct: Mapping[str, int | None]
) -> None:
    """What policy mode's own results cannot say: a rejected sample is not tested in it."""
    for label, model in models.items():
        model["policy_rejects"]["correct_but_rejected"] = correct.get(label)


def _pinned(problem_set: ProblemSet) -> PinnedProblems:
    return {
        "name": problem_set.name,
        "sha256": problem_set.sha256,
        "errata_sha256": problem_set.errata_sha256,
        "plus_sha256": problem_set.plus_sha256,
        "problems": len(problem_set.problems),
        "flagged": problem_set.flagged,
    }


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics.json atomically; equal metrics give equal bytes."""
    write_atomic(path, json.dumps(metrics, indent=1, ensure_ascii=False) + "\n")


def check_k_values(samples: Mapping[str, int], k_values: Iterable[int], label: str) -> None:
    """Refuse a k above the number of samples of any problem that has some.

    Raises UsageError naming the problem with the fewest samples.
    """
    present = {task: count for task, count in samples.items() if count}
    if not present:
        return
    poorest = min(present, key=lambda task: present[task])
    k = k_above(k_values, present[poorest])
    if k is not None:
        raise UsageError(
            f"k = {k} is more than the {present[poorest]} samples that {label} has for "
            f"{poorest}; ask for k values up to {present[poorest]}, or for more samples"
        )


def _model_metrics(tally: ModelTally, ks: list[int]) -> ModelMetrics:
    covered = {task: p for task, p in tally.problems.items() if p.samples}
    counts = [p.scored for p in covered.values() if p.scored]
    scored = tally.total("scored")
    return {
        "problems": {
            "covered": len(covered),
            "scored": len(counts),
            "uncovered": [task for task in tally.problems if task not in covered],
            "unscorable": tally.unscorable,
        },
        "samples": {
            "total": tally.total("samples"),
            "scored": scored,
            "passed": tally.total("passed"),
            "infrastructure": tally.total("infrastructure"),
            "unscorable": tally.total("unscorable"),
            "fewest_per_problem": min(counts, default=0),
            "most_per_problem": max(counts, default=0),
        },
        "pass_at_k": {str(k): _score(tally, k) for k in ks},
        "columns": _columns(tally, ks),
        "without_flagged": _without_flagged(tally, ks),
        "rates": {name: _rate(tally, *RATES[name]) for name in RATES},
        "policy_rejects": {
            "total": tally.total("rejected"),
            "by_category": _ranked(tally.categories),
            "correct_but_rejected": tally.correct_but_rejected,
        },
        "error_types": _ranked(tally.error_types),
        "error_codes": _ranked(tally.error_codes),
        "infrastructure_types": _ranked(tally.infrastructure_types),
        "per_problem": {task: p.to_row(tally.beside) for task, p in covered.items()},
    }


def _score(tally: ModelTally, k: int) -> ScoreRow | None:
    """pass@k over the problems with at least k scored samples; None when there are none."""
    enough = {task: p for task, p in tally.problems.items() if p.scored >= k}
    if not enough:
        return None
    scores = [pass_at_k(p.scored, p.passed, k) for p in enough.values()]
    left_out = [task for task, p in tally.problems.items() if p.samples and task not in enough]
    return {**estimate_row(share_interval(scores)), "left_out": left_out}


def _columns(tally: ModelTally, ks: list[int]) -> dict[Column, ColumnScores]:
    """The scores in those columns beside the headline that are known of every scored sample."""
    found = {column: tally.by_column(column) for column in tally.beside}
    return {
        column: {
            "passed": seen.total("passed"),
            "pass_at_k": {str(k): _score(seen, k) for k in ks},
        }
        for column, seen in found.items()
        if seen is not None
    }


def _without_flagged(tally: ModelTally, ks: list[int]) -> Scores | None:
    """The scores without the flagged problems; None where there are none."""
    if not tally.flagged:
        return None
    left = {task: p for task, p in tally.problems.items() if task not in tally.flagged}
    return {str(k): _score(ModelTally(left), k) for k in ks}


def _rate(tally: ModelTally, part: str, whole: str) -> Rate:
    """A share of samples with its interval clustered on problems; nulls where there are none."""
    counts = tally.counts(part, whole)
    if not counts:
        return {"count": 0, "of": 0, "rate": None, "low": None, "high": None}
    count, of = (sum(side) for side in zip(*counts.values(), strict=True))
    estimate = share_interval(ratio_values(list(counts.values())))
    return {
        "count": count,
        "of": of,
        "rate": count / of,
        "low": estimate.low,
        "high": estimate.high,
    }


def _ranked(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _rounded(value: Any) -> Any:
    """Floats to 12 decimals, which hides the last bits that differ between processors."""
    if isinstance(value, float):
        return round(value, 12)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
