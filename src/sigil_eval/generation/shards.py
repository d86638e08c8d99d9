"""Work in parts: a shard of a request, and the parts that several devices draw at once.

A part has a journal of its own beside the samples file. Whoever completes the whole takes over
what the parts have finished; since a sample depends on its own request alone, the whole is the
same byte for byte however it was divided.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sigil_eval.errors import UsageError
from sigil_eval.generation.journal import JOURNAL_SUFFIX, SampleJournal


@dataclass(frozen=True)
class Shard:
    """Part `number`, from 1, of `count` parts of a request."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `2/3`. Raises UsageError for what is no part."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--shard '{text}' is not a part like 2/3")
        return cls(int(match[1]), int(match[2]))

    def of(self, pairs: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """This part of the samples that are wanted: one block of them, so that each prompt is read
        for one part, or for two neighbours."""
        places = self.places(len(pairs))
        return pairs[places.start : places.stop]

    def places(self, wanted: int) -> range:
        """Of this part's samples among all that are wanted."""
        return range(*(wanted * number // self.count for number in (self.number - 1, self.number)))

    def output(self, whole: Path) -> Path:
        """Where this part of a samples file goes."""
        return whole.with_name(f"{whole.stem}.shard-{self.number}-of-{self.count}{whole.suffix}")


def take_over(whole: SampleJournal, output: Path) -> list[Path]:
    """Add what parts of `output` have finished to its journal; the parts' journals.

    Raises UsageError when a part was made with other settings, or is still being made.
    """
    found = sorted(output.parent.glob(f".{glob.escape(output.stem)}.shard-*{JOURNAL_SUFFIX}"))
    for path in found:
        part = path.with_name(path.name.removeprefix(".").removesuffix(JOURNAL_SUFFIX))
        with SampleJournal(part.with_name(part.name + output.suffix)) as journal:
            if journal.header is None:
                continue
            whole.agree(journal.header["settings"], journal.header["device"])
            whole.take(row for pair, row in journal.samples.items() if pair not in whole.samples)
    return found
