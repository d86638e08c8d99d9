"""Files of training data against the problem sets and the rules of format, by several processes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import batched
from pathlib import Path

from sigil_eval.console import ProgressLine
from sigil_eval.dataset.files import count_rows, rows_of
from sigil_eval.dataset.found import Collected
from sigil_eval.dataset.rows import Examined, Numbered, examine
from sigil_eval.documents.dataset_check import CheckedFile, DatasetCheck, FieldsName
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.processes import Processes
from sigil_eval.sources import STANDARD_INPUT, shown

_ROWS_OF_A_BATCH = 200
# Fewer rows are looked into sooner than another process is ready.
_ROWS_OF_A_PROCESS = 4000

type Batch = Sequence[Numbered]
type Examine = Callable[[Iterable[Batch]], Iterator[Examined]]


def check_dataset(sources: Sequence[Path], workers: int | None = None) -> DatasetCheck:
    """What is in training data that should not be; the same for any number of `workers`.

    Raises UsageError for what cannot be read, and for files without rows.
    """
    counts = [count_rows(source) for source in sources]
    total = sum(count or 0 for count in counts)
    wanted = workers or os.cpu_count() or 1
    useful = wanted if None in counts else min(wanted, 1 + total // _ROWS_OF_A_PROCESS)
    collected = Collected([shown(source) for source in sources])
    with ExitStack() as stack:
        look: Examine = _here
        if useful > 1:
            look = partial(stack.enter_context(Processes(useful)).map, examine)
        progress = stack.enter_context(ProgressLine("checking", total, unit="rows"))
        files = [
            _check_file(number, source, look, collected, progress)
            for number, source in enumerate(sources)
        ]
    return collected.document(files)


def _check_file(
    number: int, source: Path, look: Examine, collected: Collected, progress: ProgressLine
) -> CheckedFile:
    rows, fields = 0, Counter[FieldsName]()
    for examined in look(batched(rows_of(source), _ROWS_OF_A_BATCH)):
        _refuse_unknown(source, examined)
        collected.add(number, examined)
        rows += examined.count
        fields.update(examined.fields)
        progress.update(progress.done + examined.count)
    if not rows:
        raise UsageError(f"{shown(source)}: holds no rows")
    sha256 = None if source == STANDARD_INPUT else sha256_file(source)
    read = dict(sorted(fields.items()))
    return {"name": str(source), "sha256": sha256, "rows": rows, "fields": read}


def _refuse_unknown(source: Path, examined: Examined) -> None:
    for number, has in examined.unknown[:1]:
        raise UsageError(
            f"{shown(source)}:{number}: has none of the fields that are read, `prompt` and `gen`, "
            f"`messages`, or `conversations`; its fields are {has}"
        )


def _here(batches: Iterable[Batch]) -> Iterator[Examined]:
    return map(examine, batches)
