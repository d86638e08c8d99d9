"""How numbers are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def points(share: float, sign: bool = False) -> str:
    """A share or difference in percentage points, one decimal, with a real minus sign: `4.2`."""
    text = f"{100 * share:+.1f}"
    if text in ("+0.0", "-0.0"):
        return "0.0"
    text = text.replace("-", "\N{MINUS SIGN}")
    return text if sign else text.removeprefix("+")


def p_text(p: float) -> str:
    """`= 0.03`, `< 0.001`."""
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def percent(share: float | None) -> str:
    """`41.5 %`, or `none` where there is nothing to take a share of."""
    return "none" if share is None else f"{100 * share:.1f} %"


def score_text(estimate: Mapping[str, Any] | None) -> str:
    """A score with its interval: `41.5 % [34.0, 49.1]`."""
    if estimate is None:
        return "none"
    return f"{percent(estimate['mean'])} [{points(estimate['low'])}, {points(estimate['high'])}]"


def difference_text(estimate: Mapping[str, Any] | None) -> str:
    """A difference in points with its interval: `+4.2 [1.1, 7.3]`."""
    if estimate is None:
        return "none"
    low, high = points(estimate["low"]), points(estimate["high"])
    return f"{points(estimate['mean'], sign=True)} [{low}, {high}]"


def rate_text(rate: Mapping[str, Any]) -> str:
    """A rate with its interval and counts: `83.1 % [80.0, 86.2] (13628 of 16400)`."""
    if rate["rate"] is None:
        return "none"
    interval = f"[{points(rate['low'])}, {points(rate['high'])}]"
    return f"{percent(rate['rate'])} {interval} ({rate['count']} of {rate['of']})"
