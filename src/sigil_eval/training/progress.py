"""How a training goes, for a progress line: loss, tokens a second, and what it will have cost."""

from __future__ import annotations

import time
from collections.abc import Callable

from sigil_eval.console import STEADY_SECONDS, ProgressLine


class TrainingProgress:
    """Shows on a line what a trainer reports; `price_per_hour` is in dollars.

    Tokens a second, and the cost of what is left, count from the first step on, since until then
    a model is loaded and memory is found.
    """

    def __init__(
        self,
        line: ProgressLine,
        price_per_hour: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line, self._price, self._clock = line, price_per_hour, clock
        self._loss: float | None = None
        self._held_out: float | None = None
        self._first: tuple[float, int, int] | None = None

    def loss(self, loss: float) -> None:
        """The loss to show from now on."""
        self._loss = loss

    def held_out(self, loss: float) -> None:
        """The loss of held-out rows, to show from now on."""
        self._held_out = loss

    def step(self, step: int, tokens: int) -> None:
        """Steps and tokens so far."""
        now = self._clock()
        if self._first is None:
            self._first = now, step, tokens
        self._line.update(step, self._detail(now, step, tokens))

    def _detail(self, now: float, step: int, tokens: int) -> str:
        assert self._first is not None
        began, first, before = self._first
        seconds = now - began
        parts = [] if self._loss is None else [f"loss {self._loss:.3f}"]
        if self._held_out is not None:
            parts.append(f"held out {self._held_out:.3f}")
        if seconds >= STEADY_SECONDS and step > first:
            parts.append(f"{(tokens - before) / seconds:.0f} tokens/s")
            if self._price is not None:
                left = seconds / (step - first) * (self._line.total - step)
                parts.append(f"${left / 3600 * self._price:.2f} left")
        return ", ".join(parts)
