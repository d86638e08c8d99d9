"""The words that problems.toml may use, besides Python's own."""

from __future__ import annotations

import math
import random
import re
import string
from collections.abc import Iterable
from itertools import pairwise


def only(text: str, letters: str) -> bool:
    """Whether a text has no other letters."""
    return {*text} <= {*letters}


def balanced(text: str) -> bool:
    """Whether every parenthesis is closed, and none before it is opened."""
    depth = 0
    for letter in text:
        depth += 1 if letter == "(" else -1
        if depth < 0:
            return False
    return depth == 0


def nested(chance: random.Random, pairs: int, brackets: str) -> str:
    """Balanced brackets, by chance."""
    text, depth, left = "", 0, pairs
    while left or depth:
        opens = bool(left) and (not depth or chance.random() < 0.55)
        text += brackets[0] if opens else brackets[1]
        depth += 1 if opens else -1
        left -= opens
    return text


def prime(number: int) -> bool:
    """Whether a number is prime."""
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))


def whole(numbers: Iterable[float]) -> bool:
    """Whether numbers have no fraction."""
    return all(number == int(number) for number in numbers)


def eighths(*numbers: float) -> bool:
    """Whether numbers are multiples of 1/8, which f32 and f64 hold exactly, and their sums too."""
    return whole(8 * number for number in numbers)


VOCABULARY = {
    **{"math": math, "re": re, "pairwise": pairwise},
    **{"letters": string.ascii_letters, "lower": string.ascii_lowercase, "digits": string.digits},
    **{"only": only, "balanced": balanced, "nested": nested, "prime": prime},
    **{"whole": whole, "eighths": eighths},
}
