"""A finished run, read back for the reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sigil_eval.documents import Metadata, Metrics, Reproduction
from sigil_eval.documents.metadata import DeviationRow
from sigil_eval.documents.metrics import METRICS_VERSION, PinnedProblems
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.reporting.wording import model_title
from sigil_eval.run_folder import BASE, MODES, TUNED, Mode, RunFolder, result_stem


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
        """Models in the results: base, fine-tuned, then any others by name."""
        found = {label for metrics in self.metrics.values() for label in metrics["models"]}
        return sorted(found, key=lambda label: (label != BASE, label != TUNED, label))

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
    def arguments(self) -> dict[str, Any]:
        """The options that the run was started with, as far as they were recorded."""
        return (self.metadata.get("arguments") if self.metadata else None) or {}

    @property
    def accepted(self) -> int:
        """How many of the deviations were on the list of what a strict run lets pass."""
        return sum(deviation.get("accepted") is True for deviation in self.deviations)

    def results_path(self, mode: Mode, label: str) -> Path:
        """Where the results rows of one model are, whether or not the file exists."""
        return RunFolder(self.folder).results(mode, result_stem(label))

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
        mode: cast(Metrics, read_json(files.metrics(mode)))
        for mode in MODES
        if files.metrics(mode).is_file()
    }
    if not metrics:
        raise UsageError(
            f"{folder}: no results here (neither no-policy/metrics.json nor policy/metrics.json); "
            "give the output folder of a finished run"
        )
    for mode, document in metrics.items():
        if document.get("schema_version") != METRICS_VERSION:
            raise UsageError(
                f"{files.metrics(mode)}: schema version "
                f"{document.get('schema_version')} is not {METRICS_VERSION}, the one this "
                "version of sigil-eval writes; `sigil-eval report` makes it anew from the results"
            )
    metadata = read_json(files.metadata) if files.metadata.is_file() else None
    reproduction = read_json(files.reproduction) if files.reproduction.is_file() else None
    return Run(
        folder,
        metrics,
        cast(Metadata | None, metadata),
        cast(Reproduction | None, reproduction),
        tuple(_changed_files(folder, metadata or {})),
    )


def _changed_files(folder: Path, metadata: dict[str, Any]) -> Iterator[str]:
    for name, digest in (metadata.get("files") or {}).items():
        if (folder / name).is_file() and sha256_file(folder / name) != digest:
            yield name


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; UsageError where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path}: expected a JSON object")
    return document
