"""What was found in all rows, brought together in the order of the data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import get_args

from sigil_eval.dataset.known import RULES, Signals, known_problems, known_sets
from sigil_eval.dataset.repeated import Position, Repeated
from sigil_eval.dataset.rows import Examined
from sigil_eval.documents.dataset_check import (
    DATASET_CHECK_VERSION,
    CheckedFile,
    DatasetCheck,
    FormatFaults,
    FormatName,
    FoundRow,
    FoundTask,
)

_MOST_FOUND = 10_000
_MOST_FAULTS = 1_000

NOT_SEEN = [
    "the same task in other words",
    "an answer written anew, in another order or by other means, under another name",
    "a translation from or into another language, of a task's text or of code",
    "what is packed, encoded or commented out",
    "fewer tokens or words in a row than a window has",
]


class Collected:
    """Counts, and the first of what there is much of."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._repeated = Repeated()
        self._faults: dict[FormatName, FormatFaults] = {
            name: {"count": 0, "first": []} for name in get_args(FormatName)
        }
        self._found: list[FoundRow] = []
        self._rows = 0
        self._rows_of: dict[str, int] = defaultdict(int)
        self._best: dict[str, Signals] = defaultdict(dict)

    def add(self, file: int, examined: Examined) -> None:
        """Rows of a file, in their order."""
        self._repeated.add(file, self._names[file], examined)
        for number, name, reason in examined.faults:
            self._fault(name, (file, number), reason)
        self._rows += len({number for number, _, _ in examined.tasks})
        for number, task, signals in examined.tasks:
            self._rows_of[task] += 1
            best = self._best[task]
            best.update({name: max(share, best.get(name, 0)) for name, share in signals.items()})
            if len(self._found) < _MOST_FOUND:
                place = self._place((file, number))
                self._found.append({"place": place, "task_id": task, "signals": _rounded(signals)})

    def document(self, files: list[CheckedFile]) -> DatasetCheck:
        """All of it, when all rows are there."""
        self._find_repeated()
        return {
            "schema_version": DATASET_CHECK_VERSION,
            "files": files,
            "problem_sets": [
                {
                    "name": one.name,
                    "sha256": one.sha256,
                    "errata_sha256": one.errata_sha256,
                    "problems": len(one.problems),
                }
                for one in known_sets()
            ],
            "rules": RULES,
            "contaminated_rows": self._rows,
            "tasks": self._tasks(),
            "found": self._found,
            "formats": self._faults,
            "not_seen": NOT_SEEN,
        }

    def _find_repeated(self) -> None:
        for row, first in self._repeated.duplicates():
            self._fault("duplicate", row, f"equal to {self._place(first)}")
        for row, first in self._repeated.near_duplicates():
            self._fault("near duplicate", row, f"the code of {self._place(first)}")
        for crate, rows in self._repeated.in_both_splits():
            said = ", ".join(f"{split} ({self._place(row)})" for split, row in rows.items())
            self._fault("both splits", max(rows.values()), f"crate {crate} is in {said}")

    def _tasks(self) -> list[FoundTask]:
        return [
            {
                "task_id": task,
                "problem_sets": sets,
                "rows": self._rows_of[task],
                "signals": _rounded(self._best[task]),
            }
            for task, sets in known_problems().sets_of.items()
            if task in self._rows_of
        ]

    def _fault(self, name: FormatName, position: Position, reason: str) -> None:
        faults = self._faults[name]
        faults["count"] += 1
        if len(faults["first"]) < _MOST_FAULTS:
            faults["first"].append({"place": self._place(position), "reason": reason})

    def _place(self, position: Position) -> str:
        file, number = position
        return f"{self._names[file]}:{number}"


def _rounded(signals: Signals) -> Signals:
    return {name: round(signals[name], 3) for name in RULES if name in signals}
