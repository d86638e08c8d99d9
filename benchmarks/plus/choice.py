"""Which cases are kept: as few as notice what all notice, and some by chance."""

from __future__ import annotations

import random
from collections.abc import Collection

MORE = 20
"""How many cases are kept besides those that mutants need."""


def chosen(noticed: Collection[set[int]], count: int, chance: random.Random) -> list[int]:
    """The numbers of the cases to keep, of `count`, sorted.

    `noticed` has for each mutant the numbers of the cases that notice it.
    """
    open_ones = [cases for cases in noticed if cases]
    kept: list[int] = []
    while open_ones:
        best = max(range(count), key=lambda case: (sum(case in one for one in open_ones), -case))
        kept.append(best)
        open_ones = [one for one in open_ones if best not in one]
    others = [case for case in range(count) if case not in kept]
    return sorted(kept + chance.sample(others, min(MORE, len(others))))
