"""What a check of the training data found of the problems that a run is about."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.documents import DatasetCheck
from sigil_eval.documents.metadata import TrainingDataRecord
from sigil_eval.documents.shape import read_document
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.problems import ProblemSet
from sigil_eval.record.deviations import Deviation

CHECK_FILE = "dataset_check.json"


def found_check(checkpoint: str) -> Path | None:
    """The check of the data that a local checkpoint was trained on: it lies in the checkpoint's
    folder, or beside the checkpoints."""
    folder = Path(checkpoint)
    places = (folder / CHECK_FILE, folder.absolute().parent / CHECK_FILE)
    return next((place for place in places if folder.is_dir() and place.is_file()), None)


def training_data(path: Path, problem_set: ProblemSet) -> TrainingDataRecord:
    """What `sigil-eval dataset check` has written, as far as it is about these problems.

    Raises UsageError for what is no such file, and where it was of other problems.
    """
    check = read_document(path, DatasetCheck)
    ours = problem_set.sha256, problem_set.errata_sha256
    same = {
        one["name"]
        for one in check["problem_sets"]
        if (one["sha256"], one["errata_sha256"]) == ours
    }
    if not same:
        raise UsageError(
            f"{path}: these problems ({problem_set.name}) were not looked for; check the data "
            "again with this version: sigil-eval dataset check"
        )
    return {
        "check": path.name,
        "check_sha256": sha256_file(path),
        "files": [Path(file["name"]).name for file in check["files"]],
        "rows": sum(file["rows"] for file in check["files"]),
        "tasks": [task["task_id"] for task in check["tasks"] if same & {*task["problem_sets"]}],
    }


def deviations_of_data(record: TrainingDataRecord | None) -> list[Deviation]:
    """Training data that hold problems of the run."""
    if record is None or not record["tasks"]:
        return []
    return [
        Deviation(
            "training-data",
            "none of the problems in the training data",
            f"{len(record['tasks'])} of them, by {record['check']}",
            "on these problems a score may show memory; the others are given apart",
        )
    ]
