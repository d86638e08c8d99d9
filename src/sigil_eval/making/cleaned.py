"""Rows that hold the benchmark, break a rule of format or stand there twice are left out."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import batched

from sigil_eval.dataset.repeated import Repeated
from sigil_eval.dataset.rows import Examined, examine
from sigil_eval.documents.dataset_made import BareRow

_ROWS_AT_A_TIME = 200


class Verdicts:
    """Which rows stay, by their places in the order of all; a byte is kept of each.

    Those stay in which `sigil-eval dataset check` finds nothing; of rows that are alike, the first.
    """

    def __init__(self, rows: Iterable[BareRow]) -> None:
        """`rows` are looked into once, a few at a time."""
        self._reasons = [""]
        self._reason_of = array("B")
        repeated = Repeated()
        for some in batched(rows, _ROWS_AT_A_TIME):
            self._look(some, repeated)
        for name, pairs in (
            ("duplicate", repeated.duplicates()),
            ("near duplicate", repeated.near_duplicates()),
        ):
            for (_, number), _ in pairs:
                self._leave_out(number, name)

    def _look(self, rows: tuple[BareRow, ...], repeated: Repeated) -> None:
        begin = len(self._reason_of)
        self._reason_of.extend([0] * len(rows))
        found = examine([(begin + number, {**row}) for number, row in enumerate(rows)])
        for number, _, _ in found.tasks:
            self._leave_out(number, "benchmark")
        for number, name, _ in found.faults:
            self._leave_out(number, name)
        sound = [digest for digest in found.digests if self.stays(digest[0])]
        repeated.add(0, "", Examined(len(sound), digests=sound))

    def _leave_out(self, number: int, reason: str) -> None:
        if self.stays(number):  # the first reason counts
            if reason not in self._reasons:
                self._reasons.append(reason)
            self._reason_of[number] = self._reasons.index(reason)

    def stays(self, number: int) -> bool:
        """Whether the row at a place stays."""
        return not self._reason_of[number]

    def left_out(self) -> Counter[str]:
        """How many rows do not, by reason."""
        counts = Counter(self._reason_of)
        return +Counter({self._reasons[one]: count for one, count in counts.items() if one})
