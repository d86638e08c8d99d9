"""Inputs for a function: made of what its tests try, of the words in its answers, and of chance.

Everything follows from the `random.Random` that is handed in.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kinds import TEXTS, Kind

_LONGEST = 12
# Letters at the ends of what code asks for; changed texts in answers have a tilde.
_LETTERS = "AZaz09~"
_LARGEST = 1_000_000


class Inputs:
    """Makes arguments for `kinds` out of `seeds` (lists of arguments) and of `sources` in Rust."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        seeds: Sequence[list[Any]],
        sources: Iterable[str],
        chance: random.Random,
    ) -> None:
        self._kinds = kinds
        self._seeds = seeds
        self._chance = chance
        self._integers: list[int] = [*range(-3, 12)]
        self._texts: list[str] = []
        for seed in seeds:
            for value in seed:
                self._collect(value)
        for source in sources:
            self._read(source)
        self._integers = sorted({n for n in self._integers if abs(n) <= _LARGEST})
        self._texts = sorted({*self._texts})
        self._letters = "".join(sorted({*_LETTERS, *"".join(self._texts)}))

    def _collect(self, value: Any) -> None:
        if isinstance(value, str):
            self._texts += [value, *value.split()]
        elif isinstance(value, int | float):
            self._integers += [int(value) - 1, int(value), int(value) + 1]
        elif isinstance(value, list):
            for item in value:
                self._collect(item)
        elif isinstance(value, dict):
            for pair in value.items():
                self._collect(list(pair))

    def _read(self, source: str) -> None:
        """The numbers, letters and texts that a source names."""
        code = re.sub(r"//.*", "", source)
        self._texts += re.findall(r"'([ -~])'", code)
        self._texts += [text for text in re.findall(r'"([ -~]*?)"', code) if "\\" not in text]
        for word in re.findall(r"(?<![\w.])\d{1,7}(?![\w.])", code):
            self._collect(int(word))

    def fresh(self) -> list[Any]:
        """Arguments by chance."""
        scale = self._chance.choice([2, 10, 100, 1000])
        return [self._of(kind, scale) for kind in self._kinds]

    def changed(self, values: list[Any]) -> list[Any]:
        """Arguments near others: one to three changes in one of them, or in some."""
        values = list(values)
        for _ in range(self._chance.choice([1, 1, 2, 3])):
            at = self._chance.randrange(len(values))
            alike = [i for i, kind in enumerate(self._kinds) if kind == self._kinds[at] and i != at]
            if alike and self._chance.random() < 0.15:
                values[at] = values[self._chance.choice(alike)]
            elif self._chance.random() < 0.1:
                values[at] = self._chance.choice(self._seeds)[at] if self._seeds else values[at]
            else:
                values[at] = self._near(values[at], self._kinds[at])
        return values

    def _of(self, kind: Kind, scale: int) -> Any:
        """A value by chance; numbers are mostly below `scale`."""
        chance = self._chance
        if kind.name == "bool":
            return chance.random() < 0.5
        if kind.name == "f32":
            return self._integer(scale) + chance.choice([0, 0, 0.5, 0.25, 0.125])
        if kind.name == "f64":
            return self._integer(scale) + chance.choice([0, 0, 0.5, 0.25, 0.1, 0.7])
        if kind.name in TEXTS:
            return self._text()
        if kind.name == "char":
            return chance.choice(self._letters)
        if kind.name == "any":
            return chance.choice([self._integer(scale), self._integer(scale) + 0.5, self._text()])
        if kind.name == "list":
            length = chance.choice([0, 1, 2, 3, 4, 5, 6, 8, _LONGEST])
            return [self._of(kind.parts[0], scale) for _ in range(length)]
        if kind.name == "map":
            length = chance.choice([0, 1, 2, 3, 4])
            key, held = kind.parts
            return {self._of(key, scale): self._of(held, scale) for _ in range(length)}
        return self._integer(scale)

    def _integer(self, scale: int) -> int:
        if self._chance.random() < 0.4:
            return self._chance.choice(self._integers)
        lowest = -scale // 2 if self._chance.random() < 0.5 else 0
        return self._chance.randint(lowest, scale)

    def _text(self) -> str:
        chance = self._chance
        if self._texts and chance.random() < 0.3:
            joiner = chance.choice(["", " ", "", chance.choice(self._letters)])
            pieces = chance.choices(self._texts, k=chance.choice([1, 1, 2, 3]))
            return joiner.join(pieces)[:60]
        few = "".join(chance.choices(self._letters, k=chance.choice([1, 2, 3, len(self._letters)])))
        return "".join(chance.choices(few, k=chance.choice([0, 1, 2, 3, 4, 5, 7, 10, 14])))

    def _near(self, value: Any, kind: Kind) -> Any:
        chance = self._chance
        if kind.name == "bool":
            return not value
        if isinstance(value, str) and kind.name in (*TEXTS, "any"):
            return self._near_text(value)
        if kind.name == "list":
            return self._near_list(value, kind.parts[0])
        if kind.name == "map":
            pairs = [list(pair) for pair in value.items()]
            if pairs and chance.random() < 0.6:
                at = chance.randrange(len(pairs))
                part = chance.randrange(2)
                pairs[at][part] = self._near(pairs[at][part], kind.parts[part])
            elif pairs and chance.random() < 0.5:
                del pairs[chance.randrange(len(pairs))]
            else:
                pairs.append([self._of(part, 10) for part in kind.parts])
            return dict(pairs)
        if isinstance(value, int | float):
            return self._near_number(value, kind)
        return self._of(kind, 10)

    def _near_number(self, value: float, kind: Kind) -> float:
        chance = self._chance
        step = 0.125 if kind.is_float else 1
        ways = [value + 1, value - 1, value + step, value - step, -value, value * 2, value // 2]
        ways += [value + 10, value * 10 + chance.randrange(10), chance.choice(self._integers)]
        return chance.choice(ways) if abs(value) < _LARGEST else value // 10

    def _near_list(self, items: list[Any], kind: Kind) -> list[Any]:
        chance, items = self._chance, list(items)
        at = chance.randrange(len(items) + 1)
        way = chance.randrange(9)
        if way == 0 or not items:
            items.insert(at, self._of(kind, chance.choice([3, 10, 100])))
        elif way == 1:
            del items[at % len(items)]
        elif way == 2:
            items.insert(at, chance.choice(items))
        elif way == 3:
            chance.shuffle(items)
        elif way == 4:
            items.reverse()
        elif way == 5:
            items = items[:at]
        elif way == 6 and not isinstance(items[0], dict | list):
            items = sorted(items, key=lambda item: (str(type(item)), item))
        else:
            items[at % len(items)] = self._near(items[at % len(items)], kind)
        return items[: 2 * _LONGEST]

    def _near_text(self, text: str) -> str:
        chance = self._chance
        at = chance.randrange(len(text) + 1)
        end = chance.randrange(at, len(text) + 1)
        letter = chance.choice(self._letters)
        word = chance.choice(self._texts) if self._texts else letter
        near = chance.choice(
            [
                text[:at] + letter + text[at:],
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + text[at : at + 1] + text[at:],
                text[:at] + text[at:end].swapcase() + text[end:],
                text[:at] + text[at:end][::-1] + text[end:],
                text[:at] + text[end:],
                text[:at] + word + text[at:],
                text[at:] + text[:at],
                text[at:end],
            ]
        )
        return near[:60]
