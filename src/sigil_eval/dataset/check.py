"""Files of training data against the problem sets and the rules of format, by several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import batched
from pathlib import Path

from sigil_eval.console import ProgressLine
from sigil_eval.dataset.files import count_rows, rows_of
from sigil_eval.dataset.found import Collected
from sigil_eval.dataset.rows import Examined, Numbered, examine
from sigil_eval.documents.dataset_check import CheckedFile, DatasetCheck, FieldsName
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.sources import STANDARD_INPUT, shown

_ROWS_OF_A_BATCH = 200
# Fewer rows are looked into sooner than another process is ready.
_ROWS_OF_A_PROCESS = 4000
_BATCHES_AHEAD = 4

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
        look = _in_processes(useful, stack) if useful > 1 else _here
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


def _in_processes(workers: int, stack: ExitStack) -> Examine:
    """Look into batches by processes that live as long as `stack` does; results in order, and few
    batches in memory."""
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),  # whoever started them ends them
    )
    stack.callback(pool.shutdown, cancel_futures=True)

    def look(batches: Iterable[Batch]) -> Iterator[Examined]:
        under_way: deque[Future[Examined]] = deque()
        for batch in batches:
            under_way.append(pool.submit(examine, batch))
            if len(under_way) > _BATCHES_AHEAD * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    return look
