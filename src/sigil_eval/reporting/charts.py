"""Coordinates of the report's drawings; the template turns them into SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sigil_eval.reporting.run_files import model_title
from sigil_eval.reporting.wording import points, score_text
from sigil_eval.statistics import mean_interval, pass_at_k

FEWEST_FOR_CURVE = 5
CURVE_POINTS = 24


@dataclass(frozen=True)
class Whisker:
    """One score with its interval as percentages of the drawing's width."""

    label: str
    title: str
    mean: float
    low: float
    high: float
    text: str


def whiskers(metrics: dict[str, Any]) -> list[tuple[str, list[Whisker]]]:
    """For each k, a whisker per model."""
    rows = []
    for k in map(str, metrics["k_values"]):
        found = []
        for label, model in metrics["models"].items():
            score = model["pass_at_k"][k]
            if score is not None:
                low, mean, high = (100 * score[name] for name in ("low", "mean", "high"))
                found.append(Whisker(label, model_title(label), mean, low, high, score_text(score)))
        rows.append((f"pass@{k}", found))
    return rows


def difference_whisker(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """The primary difference on a symmetric axis around zero, in percent of its width."""
    comparison = metrics["comparison"]
    paired = comparison and comparison["pass_at_k"][str(comparison["primary"])]
    if not paired:
        return None
    d = paired["difference"]
    reach: float = max(abs(d["low"]), abs(d["high"]), 0.05)
    scale = math.ceil(reach * 20) / 20  # up to the next 5 points

    def at(value: float) -> float:
        return 50 + 50 * value / scale

    return {
        "k": comparison["primary"],
        "mean": at(d["mean"]),
        "low": at(d["low"]),
        "high": at(d["high"]),
        "reach": points(scale),
        "text": f"{points(d['mean'], sign=True)}",
        "interval": f"{points(d['low'], sign=True)} to {points(d['high'], sign=True)}",
    }


@dataclass(frozen=True)
class Curve:
    """pass@k of one model against log k: a line and the outline of its 95 % band."""

    label: str
    title: str
    line: str
    band: str


def curves(metrics: dict[str, Any], width: int, height: int) -> dict[str, Any] | None:
    """Curves over all k that every scored problem has samples for; None for too few samples."""
    counts = {
        label: [(p["scored"], p["passed"]) for p in model["per_problem"].values() if p["scored"]]
        for label, model in metrics["models"].items()
    }
    counts = {label: pairs for label, pairs in counts.items() if pairs}
    most = min((n for pairs in counts.values() for n, _ in pairs), default=0)
    if most < FEWEST_FOR_CURVE:
        return None
    ks = sorted({round(most ** (i / (CURVE_POINTS - 1))) for i in range(CURVE_POINTS)})

    def x(k: int) -> float:
        return width * math.log(k) / math.log(most)

    estimates = {
        label: {k: mean_interval([pass_at_k(n, c, k) for n, c in pairs]) for k in ks}
        for label, pairs in counts.items()
    }
    # The axis begins at 0 and ends at the next tenth above all bands.
    top = math.ceil(10 * max(e.high for scores in estimates.values() for e in scores.values())) / 10

    def path(shares: list[tuple[int, float]]) -> str:
        return " ".join(f"{x(k):.1f},{height * (1 - share / top):.1f}" for k, share in shares)

    drawn = []
    for label, scores in estimates.items():
        upper = [(k, scores[k].high) for k in ks]
        lower = [(k, scores[k].low) for k in reversed(ks)]
        line = path([(k, scores[k].mean) for k in ks])
        drawn.append(Curve(label, model_title(label), line, path([*upper, *lower])))
    round_ks = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
    candidates = sorted({k for k in round_ks if k < most} | {most})
    ticks = [(k, x(k)) for k in candidates if k == most or x(most) - x(k) > 40]
    steps = max(1, round(10 * top)) if top <= 0.5 else 5 if top == 1 else round(10 * top)
    levels = [(f"{100 * top * i / steps:g}", height * (1 - i / steps)) for i in range(steps + 1)]
    return {"curves": drawn, "ticks": ticks, "levels": levels, "width": width, "height": height}
