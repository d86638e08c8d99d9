"""How generation goes, for a progress line: tokens a second, and what it has cost so far."""

from __future__ import annotations

import time
from collections.abc import Callable

from sigil_eval.console import STEADY_SECONDS, ProgressLine


class GenerationProgress:
    """Shows on a line what `generate_samples` reports; pass it as `progress`.

    Tokens a second count from the first report on, since until then a model is loaded. The cost
    is that of the time since this was made, at `price_per_hour` in dollars for each GPU, or machine
    without one, of which there are `rented` now.
    """

    def __init__(
        self,
        line: ProgressLine,
        price_per_hour: float | None,
        rented: Callable[[], int] = lambda: 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = line
        self._price = price_per_hour
        self._rented = rented
        self._clock = clock
        self._paid_until, self._dollars = clock(), 0.0
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int, tokens: int) -> None:
        """Samples finished, samples asked for, new tokens so far."""
        now = self._clock()
        if self._first is None:
            self._first = now, tokens
        self._line.update(done, self._detail(now, tokens))

    def _detail(self, now: float, tokens: int) -> str:
        assert self._first is not None
        since, before = self._first
        parts = []
        if now - since >= STEADY_SECONDS:
            parts.append(f"{(tokens - before) / (now - since):.0f} tokens/s")
        if self._price is not None:
            parts.append(self._cost(now, self._price))
        return ", ".join(parts)

    def _cost(self, now: float, price: float) -> str:
        rented = self._rented()
        self._dollars += (now - self._paid_until) / 3600 * price * rented
        self._paid_until = now
        at = f" at {rented} × ${price:.2f} an hour" if rented > 1 else ""
        return f"${self._dollars:.2f} so far{at}"
