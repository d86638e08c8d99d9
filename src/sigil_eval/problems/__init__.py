"""Named problem sets, pinned by hash, with their errata as data.

A problem set is a JSONL file in the format of human-eval; an errata file beside it says, per
problem, what is added or replaced so that the reference answer is given its due, and why. The
published files are kept as they are; both sets are under the MIT license.
"""

from sigil_eval.problems.errata import Erratum, apply_errata, concerns
from sigil_eval.problems.problem import Problem
from sigil_eval.problems.sets import (
    PINNED_SETS,
    PinnedSet,
    ProblemSet,
    known_sets,
    load_problem_file,
    load_problem_set,
    pinned_names,
)

__all__ = [
    "PINNED_SETS",
    "Erratum",
    "PinnedSet",
    "Problem",
    "ProblemSet",
    "apply_errata",
    "concerns",
    "known_sets",
    "load_problem_file",
    "load_problem_set",
    "pinned_names",
]
