"""What became of a model on its way through training: its checkpoints against the base, and against
the best of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from sigil_eval.documents.metrics import ModelMetrics, ProblemCounts
from sigil_eval.documents.sweep import Against, Sweep, SweepPoint
from sigil_eval.reporting.comparison import estimate_row
from sigil_eval.reporting.pairing import paired
from sigil_eval.reporting.wording import difference_text, p_text, score_text
from sigil_eval.run_folder import BASE
from sigil_eval.statistics import CONFIDENCE, holm


def sweep_of(
    models: Mapping[str, ModelMetrics], steps: Mapping[str, int | None], k: int, seed: int
) -> Sweep:
    """The sweep part of metrics.json, of a base and of the checkpoints that `steps` names in their
    order; p-values are adjusted among the checkpoints (Holm), for each of the two comparisons."""
    best = _best(models, steps, k)
    against_base = _against(models, BASE, steps, k, seed)
    others = [label for label in steps if label != best]
    against_best = _against(models, best, others, k, seed) if best else {}
    points: list[SweepPoint] = []
    for before, label in pairwise([BASE, *steps]):
        old, new = (_solved(models[name]["per_problem"]) for name in (before, label))
        shared = models[before]["per_problem"].keys() & models[label]["per_problem"].keys()
        points.append(
            {
                "label": label,
                "step": steps[label],
                "against_base": against_base[label],
                "against_best": against_best.get(label),
                "gained": [task for task in new if task in shared and task not in old],
                "lost": [task for task in old if task in shared and task not in new],
            }
        )
    found: Sweep = {"k": k, "base": BASE, "best": best, "points": points, "sentence": ""}
    return {**found, "sentence": _sentence(found, models)}


def change_of(point: SweepPoint) -> Literal["better", "worse", "same", "unknown"]:
    """How a checkpoint compares with the base, as far as that is shown: the adjusted p below 5 %,
    and zero outside the interval."""
    found = point["against_base"]
    if found is None:
        return "unknown"
    d = found["difference"]
    if found["p_adjusted"] >= 1 - CONFIDENCE or d["low"] <= 0 <= d["high"]:
        return "same"
    return "better" if d["mean"] > 0 else "worse"


def _sentence(sweep: Sweep, models: Mapping[str, ModelMetrics]) -> str:
    """What the sweep comes to, in words."""
    points, best, k = sweep["points"], sweep["best"], sweep["k"]
    among = f"{len(points)} checkpoint{'s' if len(points) != 1 else ''}"
    if best is None:
        return f"None of {among} has a score."
    score = score_text(models[best]["pass_at_k"][str(k)])
    told = f"Of {among}, {best} scores highest: {score} in pass@{k}"
    found = next(point["against_base"] for point in points if point["label"] == best)
    if found is not None:
        told += (
            f", {difference_text(found['difference'])} points against the base "
            f"(p {p_text(found['p_adjusted'])}, adjusted for {among})"
        )
    changes = Counter(map(change_of, points))
    return (
        f"{told}. Shown to be better than the base: {changes['better']} of {len(points)}; worse: "
        f"{changes['worse']}; no difference shown: {changes['same']}."
    )


def _best(
    models: Mapping[str, ModelMetrics], steps: Mapping[str, int | None], k: int
) -> str | None:
    scores = {label: models[label]["pass_at_k"][str(k)] for label in steps}
    means = {label: score["mean"] for label, score in scores.items() if score is not None}
    return max(means, key=lambda label: means[label], default=None)


def _against(
    models: Mapping[str, ModelMetrics], other: str, labels: Sequence[str] | Mapping[str, object],
    k: int, seed: int,
) -> dict[str, Against | None]:  # fmt: skip
    """Each of `labels` against `other`."""
    before = models[other]["per_problem"]
    found = {label: paired(before, models[label]["per_problem"], k, seed) for label in labels}
    adjusted = iter(holm([pair[1] for pair in found.values() if pair is not None]))
    return {
        label: None
        if pair is None
        else {"difference": estimate_row(pair[0]), "p": pair[1], "p_adjusted": next(adjusted)}
        for label, pair in found.items()
    }


def _solved(problems: Mapping[str, ProblemCounts]) -> dict[str, None]:
    """Problems of which more than half of the scored samples pass, in their order."""
    return {task: None for task, p in problems.items() if 2 * p["passed"] > p["scored"] > 0}
