"""Windows of tokens or words: which share of a known text's stands in another text."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from sigil_eval.dataset.forms import UNKNOWN

# What more tasks than these have in common belongs to none.
_MOST_TASKS = 2


class Part(NamedTuple):
    """How much of a known form a text has: the share of its windows, and how many they are."""

    share: float
    number: int


class Windows:
    """All windows of a width of some known forms, each form of a task.

    A window of fewer than `least_kinds` different tokens says nothing (`0, 0, 0, 0`).
    """

    def __init__(self, width: int, least_kinds: int) -> None:
        self.width, self.least_kinds = width, least_kinds
        self._owners: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._totals: Counter[tuple[str, str]] = Counter()

    def add(self, task: str, form: str) -> None:
        """A form that is looked for, in full or in part."""
        for at in range(len(form) - self.width + 1):
            window = form[at : at + self.width]
            if len(set(window)) >= self.least_kinds:
                self._owners[window].add((task, form))

    def settle(self) -> None:
        """To be called once, when all forms are there: leaves out what many tasks have."""
        self._owners = {
            window: owners
            for window, owners in self._owners.items()
            if len({task for task, _ in owners}) <= _MOST_TASKS
        }
        for owners in self._owners.values():
            self._totals.update(owners)

    def parts(self, form: str) -> dict[str, Part]:
        """What a text has of each task; where a task has several forms, of the one of which it has
        most."""
        found: Counter[tuple[str, str]] = Counter()
        for window in self._known(form):
            found.update(self._owners[window])
        best: dict[str, Part] = {}
        for owner, count in found.items():
            part = Part(count / self._totals[owner], count)
            best[owner[0]] = max(best.get(owner[0], part), part)
        return best

    def _known(self, form: str) -> set[str]:
        width, owners = self.width, self._owners
        return {
            window
            for run in form.split(UNKNOWN)
            for at in range(len(run) - width + 1)
            if (window := run[at : at + width]) in owners
        }
