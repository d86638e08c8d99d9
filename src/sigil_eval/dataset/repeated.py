"""Rows that stand in the data twice, and crates that stand in two splits."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sigil_eval.dataset.rows import Examined

# Where a row stands: the number of its file, and its own.
type Position = tuple[int, int]

_ROW_BITS = 40


class Repeated:
    """What is kept of each row to find its like: 24 bytes."""

    def __init__(self) -> None:
        self._positions, self._equal, self._alike = array("Q"), array("Q"), array("Q")
        self._crates: dict[str, dict[str, Position]] = {}

    def add(self, file: int, split: str, examined: Examined) -> None:
        """The rows of a file; `split` is theirs where they name none."""
        for number, equal, alike in examined.digests:
            self._positions.append(file << _ROW_BITS | number)
            self._equal.append(equal)
            self._alike.append(alike)
        for (crate, named), number in examined.crates.items():
            self._crates.setdefault(crate, {}).setdefault(named or split, (file, number))

    def duplicates(self) -> Iterator[tuple[Position, Position]]:
        """Rows with the first row that is equal, in the order of the data."""
        yield from self._pairs(_first_of_each(self._equal))

    def near_duplicates(self) -> Iterator[tuple[Position, Position]]:
        """Rows with the first row whose code differs in comments, spaces and names at most; those
        that are equal to an earlier row are left out."""
        first = _first_of_each(self._alike)
        here = np.arange(len(first))
        no_news = (np.asarray(self._alike) == 0) | (_first_of_each(self._equal) < here)
        yield from self._pairs(np.where(no_news, here, first))

    def in_both_splits(self) -> Iterator[tuple[str, dict[str, Position]]]:
        """Crates in more than one split, with a row of each."""
        yield from ((crate, rows) for crate, rows in sorted(self._crates.items()) if len(rows) > 1)

    def _pairs(self, first: npt.NDArray[np.intp]) -> Iterator[tuple[Position, Position]]:
        for row in np.flatnonzero(first < np.arange(len(first))):
            yield self._position(int(row)), self._position(int(first[row]))

    def _position(self, row: int) -> Position:
        packed = self._positions[row]
        return packed >> _ROW_BITS, packed & ((1 << _ROW_BITS) - 1)


def _first_of_each(digests: array[int]) -> npt.NDArray[np.intp]:
    """For each digest, the index of the first that is equal."""
    values = np.asarray(digests, dtype=np.uint64)
    order = np.argsort(values, kind="stable")
    begins = np.flatnonzero(np.diff(values[order], prepend=~values[order[:1]]))
    first = np.empty(len(values), dtype=np.intp)
    first[order] = np.repeat(order[begins], np.diff(begins, append=len(values)))
    return first
