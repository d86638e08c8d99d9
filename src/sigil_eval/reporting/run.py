"""A finished run, read back for the reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sigil_eval.documents import Metadata, Metrics, Reproduction
from sigil_eval.documents.metadata import METADATA_VERSION, DeviationRow, TrainingDataRecord
from sigil_eval.documents.metrics import METRICS_VERSION, PinnedProblems
from sigil_eval.documents.shape import check, read_document
from sigil_eval.errors import UsageError
from sigil_eval.files import read_json, sha256_file
from sigil_eval.reporting.wording import model_title, report_title
from sigil_eval.run_folder import BASE, MODES, TUNED, Mode, RunFolder


@dataclass(frozen=True)
class Run:
    """One run's folder with what was read from it; `metrics` is by mode, in MODES order.

    `changed` names the files that are not those of the run, by the hashes in its metadata.
    """

    folder: Path
    metrics: dict[Mode, Metrics]
    metadata: Metadata | None
    reproduction: Reproduction | None = None
    changed: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """Models in the results: base, fine-tuned, then any others in their order."""
        found = dict.fromkeys(label for m in self.metrics.values() for label in m["models"])
        return sorted(found, key=lambda label: (label != BASE, label != TUNED))

    @property
    def title(self) -> str:
        """What was compared, on what."""
        problem_set, sweep = self.problem_set["name"], self.first_metrics.get("sweep")
        if sweep is None:
            return report_title(self.labels, problem_set)
        number = len(sweep["points"])
        return f"{number} checkpoint{'s' if number != 1 else ''} against the base on {problem_set}"

    @property
    def first_metrics(self) -> Metrics:
        """The metrics of the first mode there is, for what all modes have in common."""
        return next(iter(self.metrics.values()))

    @property
    def problem_set(self) -> PinnedProblems:
        """The problems that the results belong to."""
        return self.first_metrics["problem_set"]

    @property
    def deviations(self) -> list[DeviationRow]:
        """What departs from the pinned environment, as far as it was recorded."""
        return list(self.metadata.get("deviations") or []) if self.metadata else []

    @property
    def training_data(self) -> TrainingDataRecord | None:
        """What a check of the training data has found, where one was named."""
        return self.metadata.get("training_data") if self.metadata else None

    @property
    def seen_in_training(self) -> frozenset[str]:
        """The problems that stand in the training data."""
        return frozenset(self.training_data["tasks"] if self.training_data else ())

    @property
    def arguments(self) -> dict[str, Any]:
        """The options that the run was started with, as far as they were recorded."""
        return (self.metadata.get("arguments") if self.metadata else None) or {}

    @property
    def accepted(self) -> int:
        """How many of the deviations were on the list of what a strict run lets pass."""
        return sum(deviation.get("accepted") is True for deviation in self.deviations)

    def results_path(self, mode: Mode, label: str) -> Path:
        """Where the results rows of one model are, whether or not the file exists."""
        return RunFolder(self.folder).results_of(mode, label)

    def model_name(self, label: str) -> str:
        """The model's own name with its adapter, as far as the metadata knows it."""
        models = self.metadata.get("models") if self.metadata else None
        model = models.get(label) if models else None
        parts = [model.get("name"), model.get("adapter")] if model else []
        return " + ".join(part for part in parts if part) or model_title(label)


def load_run(folder: Path) -> Run:
    """Read what the reports need.

    Raises UsageError when no mode has a metrics.json, or when a file is not what it should be.
    """
    files = RunFolder(folder)
    metrics = {
        mode: _metrics(files.metrics(mode)) for mode in MODES if files.metrics(mode).exists()
    }
    if not metrics:
        raise UsageError(
            f"{folder}: no results here (neither no-policy/metrics.json nor policy/metrics.json); "
            "give the output folder of a finished run"
        )
    metadata = _metadata(files.metadata) if files.metadata.exists() else None
    found = files.reproduction
    reproduction = read_document(found, Reproduction) if found.exists() else None
    return Run(folder, metrics, metadata, reproduction, tuple(_changed_files(folder, metadata)))


def _metrics(path: Path) -> Metrics:
    document = read_json(path)
    version = document.get("schema_version")
    if version != METRICS_VERSION:
        raise UsageError(
            f"{path}: schema version {version} is not {METRICS_VERSION}, the one this "
            "version of sigil-eval writes; `sigil-eval report` makes it anew from the results"
        )
    return check(document, Metrics, str(path))


def _metadata(path: Path) -> Metadata:
    """Version 2 is read as well: it kept no list of accepted deviations."""
    document = read_json(path)
    version = document.get("schema_version")
    current = document | {"schema_version": METADATA_VERSION if version == 2 else version}
    check(current, Metadata, str(path), lacking=("accepted", "accepted_deviations"))
    return cast(Metadata, document)


def _changed_files(folder: Path, metadata: Metadata | None) -> Iterator[str]:
    for name, digest in ((metadata.get("files") if metadata else None) or {}).items():
        if (folder / name).is_file() and sha256_file(folder / name) != digest:
            yield name
