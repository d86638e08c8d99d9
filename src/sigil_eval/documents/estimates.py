"""Means and differences with their intervals, as metrics.json has them."""

from __future__ import annotations

from typing import Literal, TypedDict

from sigil_eval.documents.constraints import AtLeastOne, Difference, NotNegative


class Interval(TypedDict):
    """The 95 % interval of a difference."""

    low: Difference
    """Its lower end."""
    high: Difference
    """Its upper end."""


class MeanInterval(Interval):
    """A mean with its 95 % interval."""

    mean: Difference
    """The mean."""


class EstimateRow(MeanInterval):
    """A mean over problems with its 95 % interval."""

    standard_error: NotNegative | None
    """Of the mean; null where the spread is unknown."""
    problems: AtLeastOne
    """How many problems it is over."""
    method: Literal["wilson", "t", "bound"]
    """wilson of a score, t of a difference, bound of one that is the same in all problems; the
    spread is then unknown."""
