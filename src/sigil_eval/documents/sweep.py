"""The part of metrics.json that says what became of a model on its way through training."""

from __future__ import annotations

from typing import TypedDict

from sigil_eval.documents.constraints import AtLeastOne, Count, Name, Share, Tasks
from sigil_eval.documents.estimates import EstimateRow


class Against(TypedDict):
    """A checkpoint against another model, paired over problems."""

    difference: EstimateRow
    """The checkpoint's pass@k minus the other's."""
    p: Share
    """Two-sided sign-flip permutation test."""
    p_adjusted: Share
    """p, adjusted for the number of checkpoints (Holm)."""


class SweepPoint(TypedDict):
    """One checkpoint on the way."""

    label: Name
    """Under which its figures stand in models."""
    step: Count | None
    """Of training; null where its name has none."""
    against_base: Against | None
    """Against the base; null without a problem that both were scored on."""
    against_best: Against | None
    """Against the best checkpoint; null for that one."""
    gained: Tasks
    """Problems that it solves and the checkpoint before, or the base, does not: a problem is solved
    when more than half of its samples pass."""
    lost: Tasks
    """Problems that the checkpoint before, or the base, solves and it does not."""


class Sweep(TypedDict):
    """A base and the checkpoints of a training run, in the order of their steps."""

    k: AtLeastOne
    """Of the pass@k that all here is about."""
    base: Name
    """The base's label."""
    best: Name | None
    """The label of the checkpoint with the highest score, the earliest of several; null where none
    has one. It was chosen by that score, which is therefore too high on average."""
    points: list[SweepPoint]
    """The checkpoints."""
    sentence: Name
    """What it comes to."""
