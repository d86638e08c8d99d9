"""Training data: is a problem of the benchmark in it, and is it well formed?

`check_dataset` looks; ADR-013 says by what, and what it cannot see.
"""

from sigil_eval.dataset.check import check_dataset
from sigil_eval.dataset.report import is_clean, report

__all__ = ["check_dataset", "is_clean", "report"]
