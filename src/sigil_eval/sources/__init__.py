"""What a name on the command line stands for: a file, packed or not, or standard input; and the
JSON values in it, each with its place."""

from sigil_eval.sources.opening import STANDARD_INPUT, opened, shown
from sigil_eval.sources.values import values_of

__all__ = ["STANDARD_INPUT", "opened", "shown", "values_of"]
