"""Coordinates of the report's drawings; the template turns them into SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sigil_eval.documents import Metrics
from sigil_eval.reporting.wording import model_title, points, score_text
from sigil_eval.statistics import Estimate, pass_at_k, share_interval

FEWEST_FOR_CURVE = 5
CURVE_POINTS = 24
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
ROOM_FOR_TICK = 40


@dataclass(frozen=True)
class Whisker:
    """One score with its interval as percentages of the drawing's width."""

    label: str
    title: str
    mean: float
    low: float
    high: float
    text: str


def whiskers(metrics: Metrics) -> list[tuple[str, list[Whisker]]]:
    """For each k, a whisker per model."""
    rows = []
    for k in map(str, metrics["k_values"]):
        found = []
        for label, model in metrics["models"].items():
            score = model["pass_at_k"][k]
            if score is not None:
                low, mean, high = (100 * x for x in (score["low"], score["mean"], score["high"]))
                found.append(Whisker(label, model_title(label), mean, low, high, score_text(score)))
        rows.append((f"pass@{k}", found))
    return rows


@dataclass(frozen=True)
class DifferenceWhisker:
    """A difference with its interval on a symmetric axis around zero, in percent of its width.

    `reach` is what the axis reaches to, `text` and `interval` are the figures, all in points.
    """

    k: int
    mean: float
    low: float
    high: float
    reach: str
    text: str
    interval: str


def difference_whisker(metrics: Metrics) -> DifferenceWhisker | None:
    """The primary difference; None where there is none."""
    comparison = metrics["comparison"]
    paired = comparison["pass_at_k"][str(comparison["primary"])] if comparison else None
    if not comparison or not paired:
        return None
    d = paired["difference"]
    reach: float = max(abs(d["low"]), abs(d["high"]), 0.05)
    scale = math.ceil(reach * 20) / 20  # up to the next 5 points

    def at(value: float) -> float:
        return 50 + 50 * value / scale

    return DifferenceWhisker(
        k=comparison["primary"],
        mean=at(d["mean"]),
        low=at(d["low"]),
        high=at(d["high"]),
        reach=points(scale),
        text=points(d["mean"], sign=True),
        interval=f"{points(d['low'], sign=True)} to {points(d['high'], sign=True)}",
    )


@dataclass(frozen=True)
class Curve:
    """pass@k of one model against log k: a line and the outline of its 95 % band."""

    label: str
    title: str
    line: str
    band: str


@dataclass(frozen=True)
class CurveChart:
    """The curves, with what stands at their axes: k with its x, a share in percent with its y."""

    curves: list[Curve]
    ticks: list[tuple[int, float]]
    levels: list[tuple[str, float]]
    width: int
    height: int


def curve_chart(metrics: Metrics, width: int, height: int) -> CurveChart | None:
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
    estimates = {
        label: {k: share_interval([pass_at_k(n, c, k) for n, c in pairs]) for k in ks}
        for label, pairs in counts.items()
    }
    # The axis begins at 0 and ends at the next tenth above all bands.
    top = math.ceil(10 * max(e.high for scores in estimates.values() for e in scores.values())) / 10

    def x(k: int) -> float:
        return width * math.log(k) / math.log(most)

    def path(shares: Iterable[tuple[int, float]]) -> str:
        return " ".join(f"{x(k):.1f},{height * (1 - share / top):.1f}" for k, share in shares)

    curves = [_curve(label, scores, ks, path) for label, scores in estimates.items()]
    return CurveChart(curves, _ticks(most, x), _levels(top, height), width, height)


def _curve(
    label: str,
    scores: dict[int, Estimate],
    ks: Sequence[int],
    path: Callable[[Iterable[tuple[int, float]]], str],
) -> Curve:
    upper = [(k, scores[k].high) for k in ks]
    lower = [(k, scores[k].low) for k in reversed(ks)]
    line = path((k, scores[k].mean) for k in ks)
    return Curve(label, model_title(label), line, path([*upper, *lower]))


def _ticks(most: int, x: Callable[[int], float]) -> list[tuple[int, float]]:
    """Round k and the last one, where they do not stand in each other's way."""
    shown = [k for k in TICKS if k < most and x(most) - x(k) > ROOM_FOR_TICK]
    return [(k, x(k)) for k in (*shown, most)]


def _levels(top: float, height: int) -> list[tuple[str, float]]:
    steps = max(1, round(10 * top)) if top <= 0.5 else 5 if top == 1 else round(10 * top)
    return [(f"{100 * top * i / steps:g}", height * (1 - i / steps)) for i in range(steps + 1)]
