"""Coordinates of a sweep's drawings: scores over training steps, and problems over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ScoreRow
from sigil_eval.documents.sweep import Sweep
from sigil_eval.reporting.wording import model_title, score_text

WIDTH, HEIGHT = 720, 300
_ROOM_FOR_TICK = 52


@dataclass(frozen=True)
class Dot:
    """One checkpoint: its place, the ends of its 95 % interval, and what it is called."""

    x: float
    y: float
    high: float
    low: float
    best: bool
    text: str


@dataclass(frozen=True)
class LearningCurve:
    """Scores over training steps; `base` has the y of the base's score and of its interval's ends.

    `ticks` are steps with their x, `levels` percentages with their y, `axis` says what x is.
    """

    dots: list[Dot]
    base: tuple[float, float, float] | None
    ticks: list[tuple[str, float]]
    levels: list[tuple[str, float]]
    axis: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def line(self) -> str:
        """Through the dots, as SVG has points."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)

    @property
    def band(self) -> str:
        """Around the intervals, likewise."""
        upper = [f"{dot.x},{dot.high}" for dot in self.dots]
        return " ".join([*upper, *(f"{dot.x},{dot.low}" for dot in reversed(self.dots))])


def learning_curve(metrics: Metrics, sweep: Sweep) -> LearningCurve | None:
    """The curve of one mode; None without a scored checkpoint.

    x is the training step, from 0, and the place in the list where a checkpoint has no step.
    """
    k = str(sweep["k"])
    scores = {label: model["pass_at_k"][k] for label, model in metrics["models"].items()}
    points = [(p, s) for p in sweep["points"] if (s := scores[p["label"]]) is not None]
    if not points:
        return None
    base = scores[sweep["base"]]
    highest = max(score["high"] for score in [*(s for _, s in points), *([base] if base else [])])
    top = math.ceil(10 * highest) / 10 or 1
    places, axis = _places([point["step"] for point, _ in points])

    def x(place: int) -> float:
        return round(WIDTH * place / max(*places, 1), 1)

    def y(share: float) -> float:
        return round(HEIGHT * (1 - share / top), 1)

    dots = [
        Dot(
            x(place), *_ends(score, y), point["label"] == sweep["best"],
            f"{point['label']}: {score_text(score)}",
        )
        for place, (point, score) in zip(places, points, strict=True)
    ]  # fmt: skip
    return LearningCurve(
        dots,
        base=_ends(base, y) if base else None,
        ticks=_ticks([(f"{place}", x(place)) for place in places]),
        levels=_levels(top, y),
        axis=axis,
    )


def _places(steps: Sequence[int | None]) -> tuple[Sequence[int], str]:
    """Where on the axis the checkpoints stand, and what the axis is."""
    known = [step for step in steps if step is not None]
    if len(known) == len(steps):
        return known, "training step"
    return range(1, len(steps) + 1), "checkpoint, in the order given"


def _ends(score: ScoreRow, y: Callable[[float], float]) -> tuple[float, float, float]:
    return y(score["mean"]), y(score["high"]), y(score["low"])


def _ticks(every: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The last one, and those before it that do not stand in each other's way."""
    shown: list[tuple[str, float]] = []
    for text, place in reversed(every):
        if not shown or shown[-1][1] - place > _ROOM_FOR_TICK:
            shown.append((text, place))
    return shown[::-1]


def _levels(top: float, y: Callable[[float], float]) -> list[tuple[str, float]]:
    step = 10 if top <= 0.6 else 20
    return [(str(percent), y(percent / 100)) for percent in range(0, round(100 * top) + 1, step)]


@dataclass(frozen=True)
class Square:
    """One problem at one model: the share of its samples that pass; None where none is scored."""

    share: float | None
    text: str


@dataclass(frozen=True)
class HeatMap:
    """Problems whose share of passing samples changes on the way, each with its squares in the
    order of `columns`; how many never pass, and how many always do."""

    columns: list[str]
    rows: list[tuple[str, list[Square]]]
    never: int
    always: int


def heat_map(metrics: Metrics, sweep: Sweep) -> HeatMap:
    """The map of one mode: first what is solved at the end and was not at the beginning."""
    labels = [sweep["base"], *(point["label"] for point in sweep["points"])]
    tasks = dict.fromkeys(t for label in labels for t in metrics["models"][label]["per_problem"])
    rows = {task: [_square(metrics, label, task) for label in labels] for task in tasks}
    shares = {task: [square.share for square in row] for task, row in rows.items()}
    varied = [task for task, row in shares.items() if len(set(row)) > 1]
    varied.sort(key=lambda task: -((shares[task][-1] or 0) - (shares[task][0] or 0)))
    return HeatMap(
        columns=[
            model_title(sweep["base"]),
            *(p["label"] if p["step"] is None else str(p["step"]) for p in sweep["points"]),
        ],
        rows=[(task, rows[task]) for task in varied],
        never=sum(set(row) == {0} for row in shares.values()),
        always=sum(set(row) == {1} for row in shares.values()),
    )


def _square(metrics: Metrics, label: str, task: str) -> Square:
    found = metrics["models"][label]["per_problem"].get(task)
    if found is None or not found["scored"]:
        return Square(None, "–")
    return Square(found["passed"] / found["scored"], f"{found['passed']}/{found['scored']}")
