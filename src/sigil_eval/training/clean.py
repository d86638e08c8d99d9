"""Whether the benchmark is in the data that an adapter is to be trained on."""

from __future__ import annotations

from collections.abc import Sequence

from sigil_eval.console import mention, warn
from sigil_eval.dataset import check_dataset
from sigil_eval.documents.dataset_check import DatasetCheck
from sigil_eval.errors import UsageError
from sigil_eval.training.rows import Source

_LISTED = 5


def check_sources(sources: Sequence[Source], *, allow_contaminated: bool) -> DatasetCheck | None:
    """What was found in the files, if any source is one.

    Raises UsageError where problems of the benchmark were found, unless they are allowed.
    """
    files = [source.path for source in sources if source.path is not None]
    for source in sources:
        if source.path is None:
            warn(f"{source.name}: data of the hub are not searched for the benchmark's problems")
    if not files:
        return None
    found = check_dataset(files)
    faults = [f"{name} {r['count']}" for name, r in found["formats"].items() if r["count"]]
    if faults:
        mention(f"rows that break rules of format (docs/dataset.md): {', '.join(faults)}")
    if found["contaminated_rows"]:
        tasks = [task["task_id"] for task in found["tasks"]]
        listed = ", ".join(tasks[:_LISTED]) + (" …" if len(tasks) > _LISTED else "")
        said = (
            f"{found['contaminated_rows']} rows hold {len(tasks)} of the benchmark's problems "
            f"({listed})"
        )
        if not allow_contaminated:
            names = " ".join(map(str, files))
            raise UsageError(
                f"{said}: an evaluation would measure memory. `sigil-eval dataset check {names}` "
                "names the rows; to train on them all the same: --allow-contaminated"
            )
        warn(f"{said}; the record says so")
    return found
