"""Rows that hold the benchmark, break a rule of format or stand there twice are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sigil_eval.dataset.repeated import Repeated
from sigil_eval.dataset.rows import Examined, examine
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

    repeated = Repeated()
    sound = [digest for digest in found.digests if digest[0] not in reasons]
    repeated.add(0, "", Examined(len(sound), digests=sound))
    equal = {number for (_, number), _ in repeated.duplicates()}
    alike = {number for (_, number), _ in repeated.near_duplicates()} - equal
    left_out["duplicate"], left_out["near duplicate"] = len(equal), len(alike)
    gone = reasons.keys() | equal | alike
    return [row for number, row in enumerate(rows) if number not in gone], +left_out
