"""How numbers are written for people."""

from __future__ import annotations


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
