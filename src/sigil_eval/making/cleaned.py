"""Rows that hold the benchmark, break a rule of format or stand there twice are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sigil_eval.dataset.repeated import Repeated
from sigil_eval.dataset.rows import examine
from sigil_eval.documents.dataset_made import MadeRow


def cleaned(rows: Sequence[MadeRow]) -> tuple[list[MadeRow], Counter[str]]:
    """Rows in which `sigil-eval dataset check` finds nothing, and how many others there were, by
    reason; of those that are alike, the first stays."""
    left_out: Counter[str] = Counter()
    found = examine([(number, {**row}) for number, row in enumerate(rows)])
    reasons: dict[int, str] = {}
    for number, _, _ in found.tasks:
        reasons[number] = "benchmark"
    for number, name, _ in found.faults:
        reasons.setdefault(number, name)
    left_out.update(reasons.values())
    sound = [row for number, row in enumerate(rows) if number not in reasons]

    repeated = Repeated()
    repeated.add(0, "", examine([(number, {**row}) for number, row in enumerate(sound)]))
    equal = {number for (_, number), _ in repeated.duplicates()}
    alike = {number for (_, number), _ in repeated.near_duplicates()} - equal
    left_out["duplicate"], left_out["near duplicate"] = len(equal), len(alike)
    kept = [row for number, row in enumerate(sound) if number not in equal | alike]
    return kept, +left_out
