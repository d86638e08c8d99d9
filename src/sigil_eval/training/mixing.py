"""From several sources to the data of an epoch: task weights, shuffling, interleaving."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sigil_eval.errors import UsageError, did_you_mean, quoted
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.tokens import Tokens

MOST_REPEATED = 100
"""How many times as many rows as there are an epoch may have, where sources are drawn by weight."""


def mix(sources: Sequence[Tokens], told: Configuration) -> Any:
    """A `datasets.Dataset` of the rows of an epoch, columns input_ids and completion_mask.

    Every row of weight 1 or more is in it; what is drawn is drawn by the seed. Raises UsageError
    for a task weight whose task no row has, and for a weight so small that its rows would hardly
    ever all be drawn.
    """
    from datasets import concatenate_datasets, interleave_datasets

    data, seed = told.dataset, told.misc.seed
    weights = data.task_weights or {}
    _check_tasks(weights, sources)
    found, names = [], []
    for number, tokens in enumerate(sources):
        if not tokens.rows:
            continue  # all of it is held out
        names.append(data.names[number])
        chosen = _weighted(tokens.tasks, weights, random.Random(f"{seed}/{number}"))
        if not chosen:
            raise UsageError(f"{data.names[number]}: no row is left to train on")
        one = _as_dataset(tokens).select(chosen)
        found.append(one if data.shuffle_seed is None else one.shuffle(seed=data.shuffle_seed))
    if not found:
        raise UsageError(f"{', '.join(data.names)}: no row is left to train on")
    if len(found) == 1 or data.interleave_mode == "sequential":
        return concatenate_datasets(found)
    shares = None
    if data.interleave_mode == "weighted":
        each = [(data.dataset_weights or {}).get(name, 1.0) for name in names]
        shares = [weight / sum(each) for weight in each]
        _check_shares(names, list(map(len, found)), shares)
    # Until each has been seen whole: a smaller one begins again, and nothing is lost.
    return interleave_datasets(found, shares, seed=seed, stopping_strategy="all_exhausted")


def together(sources: Sequence[Tokens]) -> Any:
    """A `datasets.Dataset` of all rows, in their order; None where there are none."""
    from datasets import concatenate_datasets

    found = [_as_dataset(tokens) for tokens in sources if tokens.tasks]
    return concatenate_datasets(found) if found else None


def _check_shares(names: Sequence[str], rows: Sequence[int], shares: Sequence[float]) -> None:
    """An epoch ends when each source has been seen whole: after about rows / share rows of all."""
    for name, count, share in zip(names, rows, shares, strict=True):
        if share * MOST_REPEATED * sum(rows) < count:
            raise UsageError(
                f"dataset.dataset_weights leaves {quoted(name)} {share:.1e} of an epoch: until its "
                f"{count} rows were seen, the {sum(rows)} rows of all would be seen more than "
                f"{MOST_REPEATED} times. Give it more, or take it out of names"
            )


def _check_tasks(weights: Mapping[str, float], sources: Sequence[Tokens]) -> None:
    known = {task for tokens in sources for task in tokens.tasks if task}
    for task in weights:
        if task not in known:
            has = ", ".join(map(quoted, sorted(known))) or "none at all"
            raise UsageError(
                f"dataset.task_weights names {quoted(task)}, and no row's _task_type is that; they "
                f"are {has}.{did_you_mean(task, known)}"
            )


def _weighted(tasks: Sequence[str], weights: Mapping[str, float], draw: random.Random) -> list[int]:
    """Rows in their order, each as often as its task's weight says; of a fraction, a part."""
    chosen = []
    for number, task in enumerate(tasks):
        weight = weights.get(task, 1.0)
        times = int(weight)
        if weight > times:
            times += draw.random() < weight - times
        chosen += [number] * times
    return chosen


def _as_dataset(tokens: Tokens) -> Any:
    import numpy
    import pyarrow
    from datasets import Dataset

    offsets = pyarrow.array(numpy.concatenate([[0], numpy.cumsum(tokens.lengths)]))
    columns = {
        name: pyarrow.LargeListArray.from_arrays(offsets, pyarrow.array(values))
        for name, values in (("input_ids", tokens.ids), ("completion_mask", tokens.learned))
    }
    return Dataset(pyarrow.table(columns))
