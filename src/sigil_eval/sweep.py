"""A base and the checkpoints of a training run evaluated: those there are, and those to come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sigil_eval.console import format_duration, mention, warn
from sigil_eval.errors import UsageError
from sigil_eval.evaluation import EvaluationSettings, Sweep, run_evaluation, try_evaluation
from sigil_eval.generation import Trust
from sigil_eval.generation.checkpoints import Found, find_checkpoints

POLL_SECONDS = 10.0


@dataclass(frozen=True)
class SweepSettings:
    """Which checkpoints, and how they are evaluated.

    `settings` makes of the models all that was chosen about their evaluation. `watch_seconds` says
    for how long to wait for another checkpoint after the last; None: not at all.
    """

    sources: Sequence[str]
    base: str
    base_revision: str | None
    checkpoint_revision: str | None
    trust: Trust
    settings: Callable[[Sweep], EvaluationSettings]
    watch_seconds: float | None = None

    def find(self) -> Found:
        """The checkpoints as they are now."""
        return find_checkpoints(
            self.sources,
            self.trust,
            self.checkpoint_revision,
            some_will_come=self.watch_seconds is not None,
        )

    def evaluation(self, found: Found) -> EvaluationSettings:
        """The evaluation of the base and of what was found."""
        return self.settings(
            Sweep(
                self.base,
                self.base_revision,
                found.checkpoints,
                self.checkpoint_revision,
                self.trust,
            )
        )


def run_sweep(wanted: SweepSettings) -> None:
    """Evaluate the base and every checkpoint that is whole, with one report of them all.

    Where others are waited for, that is done again when one is whole: what was drawn and judged is
    there, and the report grows. Between two rounds no model is loaded, so that training has the
    memory. Raises UsageError where there is nothing to evaluate, and what `run_evaluation` raises.
    """
    for found in _rounds(wanted):
        run_evaluation(wanted.evaluation(found))


def try_sweep(wanted: SweepSettings) -> None:
    """Check all that can be checked of the checkpoints that are there, without writing anything."""
    found = wanted.find()
    _tell(wanted, found)
    try_evaluation(wanted.evaluation(found))


def _rounds(wanted: SweepSettings) -> Iterator[Found]:
    """The checkpoints as they are, and again whenever there are others that are whole."""
    found = wanted.find()
    _tell(wanted, found)
    if found.checkpoints:
        yield found
    if wanted.watch_seconds is None:
        return
    patience = format_duration(wanted.watch_seconds)
    mention(f"waiting for checkpoints, until none has come for {patience}")
    last = time.monotonic()
    while time.monotonic() - last < wanted.watch_seconds:
        time.sleep(min(POLL_SECONDS, wanted.watch_seconds))
        now = wanted.find()
        if set(now.checkpoints) - set(found.checkpoints):
            found = now
            _tell(wanted, found)
            yield found
            last = time.monotonic()


def _tell(wanted: SweepSettings, found: Found) -> None:
    """Say what is not whole. Raises UsageError where nothing is, and nothing is waited for."""
    waits = wanted.watch_seconds is not None
    for name, reason in found.left_out.items():
        warn(f"{name}: {reason}; {'waited for' if waits else 'left out'}")
    if not found.checkpoints and not waits:
        raise UsageError("no checkpoint is whole; wait for one with --watch MINUTES")
