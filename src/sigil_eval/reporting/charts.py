"""Coordinates of the report's drawings; the template turns them into SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sigil_eval.documents import Metrics
from sigil_eval.documents.estimates import MeanInterval
from sigil_eval.reporting.blocks import linked
from sigil_eval.reporting.wording import (
    difference_text,
    model_title,
    percent,
    points,
    score_text,
)
from sigil_eval.statistics import Estimate, pass_at_k, share_interval

FEWEST_FOR_CURVE = 10
CURVE_POINTS = 24
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
ROOM_FOR_TICK = 40


@dataclass(frozen=True)
class Whisker:
    """One score, or the difference, with its interval as percentages of the axis's width."""

    label: str
    title: str
    mean: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Forest:
    """Scores and paired differences on one axis.

    `rows` are the whiskers of each k by its name, `ticks` what stands at the axis with its place
    in percent of the width, and `zero` where nothing is.
    """

    rows: list[tuple[str, list[Whisker]]]
    ticks: list[tuple[str, float]]
    zero: float


def forest(metrics: Metrics) -> Forest:
    """The axis goes from 0, or the ten below a difference's interval, to the next ten above."""
    found = {f"pass@{k}": list(_estimates(metrics, k)) for k in map(str, metrics["k_values"])}
    return forest_of(found)


def forest_of(found: Mapping[str, Sequence[tuple[str, str, str, MeanInterval]]]) -> Forest:
    """Whiskers by name: of each, its label, title, text and figures."""
    ends = [100 * end for row in found.values() for *_, e in row for end in (e["low"], e["high"])]
    bottom = 10 * math.floor(min([0.0, *ends]) / 10)
    top = min(100, 10 * math.floor(max([0.0, *ends]) / 10) + 10)

    def at(percentage: float) -> float:
        return 100 * (percentage - bottom) / (top - bottom)

    def whisker(label: str, title: str, text: str, estimate: MeanInterval) -> Whisker:
        mean, low, high = (at(100 * estimate[end]) for end in _ENDS)
        return Whisker(label, title, mean, low, high, text)

    rows = [(name, [whisker(*estimate) for estimate in row]) for name, row in found.items()]
    step = 10 if top - bottom <= 60 else 20
    first = step * math.ceil(bottom / step)
    ticks = [(f"{tick}".replace("-", "−"), at(tick)) for tick in range(first, top + 1, step)]
    return Forest(rows, ticks, at(0))


_ENDS: tuple[Literal["mean", "low", "high"], ...] = ("mean", "low", "high")


def _estimates(metrics: Metrics, k: str) -> Iterator[tuple[str, str, str, MeanInterval]]:
    """Label, title, text and figures of what a k has in the forest plot."""
    for label, model in metrics["models"].items():
        score = model["pass_at_k"][k]
        if score is not None:
            yield label, model_title(label), score_text(score), score
    comparison = metrics["comparison"]
    paired = comparison["pass_at_k"][k] if comparison else None
    if paired is not None:
        difference = paired["difference"]
        yield "paired", "Difference", difference_text(difference), difference


@dataclass(frozen=True)
class Segment:
    """What a share of a model's samples came to; `target` leads to them."""

    outcome: str
    share: float
    text: str
    target: str


def outcome_bars(metrics: Metrics) -> list[tuple[str, list[Segment]]]:
    """For each model, a bar of what its samples came to: passed, then failures as in the table."""
    models = metrics["models"]
    names = {name for model in models.values() for name in model["error_types"]}

    def weight(name: str) -> int:
        return sum(model["error_types"].get(name, 0) for model in models.values())

    order = sorted(names, key=lambda name: (-weight(name), name))
    return [
        (model_title(label), list(_segments(metrics, label, order)))
        for label, model in models.items()
        if model["samples"]["scored"]
    ]


def _segments(metrics: Metrics, label: str, order: Sequence[str]) -> Iterator[Segment]:
    model = metrics["models"][label]
    scored = model["samples"]["scored"]
    for outcome in ("passed", *order):
        passed = outcome == "passed"
        count = model["samples"]["passed"] if passed else model["error_types"].get(outcome, 0)
        if count:
            text = f"{outcome} {count} of {scored} ({percent(count / scored)})"
            behind = linked(text, mode=metrics["mode"], model=label, verdict=outcome)
            yield Segment(outcome, 100 * count / scored, text, behind.target)


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
