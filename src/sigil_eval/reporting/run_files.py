"""The files of a finished run, found and read back for the reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.reporting.metrics import SCHEMA_VERSION
from sigil_eval.reporting.wording import score_text
from sigil_eval.run_folder import (
    BASE,
    METADATA_FILE,
    MODES,
    TUNED,
    Mode,
    RunFolder,
    result_stem,
)

MODE_TITLES: dict[Mode, str] = {"no-policy": "Pure HumanEval", "policy": "Policy enforced"}
MODEL_TITLES = {BASE: "Base", TUNED: "Fine-tuned"}
DEMO_NOTICE = (
    "These models know the answers by heart; the numbers mean nothing but that the machinery works."
)
NO_METADATA = "No metadata"


@dataclass(frozen=True)
class Notice:
    """Something a reader must know before the numbers."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Run:
    """One run's folder with what was read from it; `metrics` is by mode, in MODES order.

    `changed` names the files that are not those of the run, by the hashes in its metadata.
    """

    folder: Path
    metrics: dict[Mode, dict[str, Any]]
    metadata: dict[str, Any] | None
    reproduction: dict[str, Any] | None = None
    changed: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """Models in the results: base, fine-tuned, then any others by name."""
        found = {label for metrics in self.metrics.values() for label in metrics["models"]}
        return sorted(found, key=lambda label: (label != BASE, label != TUNED, label))

    @property
    def deviations(self) -> list[dict[str, Any]]:
        return list((self.metadata or {}).get("deviations") or [])

    @property
    def accepted(self) -> int:
        """How many of the deviations were on the list of what a strict run lets pass."""
        return sum(deviation.get("accepted") is True for deviation in self.deviations)

    def results_path(self, mode: Mode, label: str) -> Path:
        """Where the results rows of one model are, whether or not the file exists."""
        return RunFolder(self.folder).results(mode, result_stem(label))

    def model_name(self, label: str) -> str:
        """The model's own name with its adapter, as far as the metadata knows it."""
        model = ((self.metadata or {}).get("models") or {}).get(label) or {}
        parts = [model.get("name"), model.get("adapter")]
        return " + ".join(str(part) for part in parts if part) or model_title(label)


def model_title(label: str) -> str:
    """`Base`, `Fine-tuned`, or the label itself."""
    return MODEL_TITLES.get(label, label)


def report_title(run: Run) -> str:
    """What was compared, on what."""
    names = " and ".join(model_title(label) for label in run.labels)
    if run.labels == [BASE, TUNED]:
        names = "Fine-tuned against base"
    problem_set = next(iter(run.metrics.values()))["problem_set"]["name"]
    return f"{names} on {problem_set}"


def verdict_sentence(metrics: dict[str, Any]) -> str:
    """The verdict of one mode, or the scores where there is nothing to compare."""
    if metrics["comparison"] is not None:
        return str(metrics["comparison"]["verdict"]["sentence"])
    k = str(metrics["k_values"][0])
    sentences = []
    for label, model in metrics["models"].items():
        score = model["pass_at_k"][k]
        told = "has no verdicts" if score is None else f"scores {score_text(score)} in pass@{k}"
        sentences.append(f"{model_title(label)} {told}.")
    return " ".join([*sentences, "There is no second model to compare with."])


def load_run(folder: Path) -> Run:
    """Read what the reports need.

    Raises UsageError when no mode has a metrics.json, or when a file is not what it should be.
    """
    files = RunFolder(folder)
    metrics = {
        mode: read_json(files.metrics(mode)) for mode in MODES if files.metrics(mode).is_file()
    }
    if not metrics:
        raise UsageError(
            f"{folder}: no results here (neither no-policy/metrics.json nor policy/metrics.json); "
            "give the output folder of a finished run"
        )
    for mode, document in metrics.items():
        if document.get("schema_version") != SCHEMA_VERSION:
            raise UsageError(
                f"{files.metrics(mode)}: schema version "
                f"{document.get('schema_version')} is not {SCHEMA_VERSION}, the one this "
                "version of sigil-eval writes; `sigil-eval report` makes it anew from the results"
            )
    metadata = read_json(files.metadata) if files.metadata.is_file() else None
    return Run(
        folder,
        metrics,
        metadata,
        read_json(files.reproduction) if files.reproduction.is_file() else None,
        tuple(_changed_files(folder, metadata)),
    )


def _changed_files(folder: Path, metadata: dict[str, Any] | None) -> Iterator[str]:
    for name, digest in ((metadata or {}).get("files") or {}).items():
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


def notices(run: Run) -> list[Notice]:
    """What stands at the head of every report, gravest first; empty for a clean run."""
    return [*_dangers(run), *_cautions(run)]


def status(run: Run) -> list[str]:
    """In a few words each, what keeps the run from being a clean one; empty for a clean run."""
    words = [notice.title.lower() for notice in notices(run)]
    for count, kind in (
        (len(run.deviations) - run.accepted, "deviation"),
        (run.accepted, "accepted deviation"),
    ):
        if count:
            words.append(f"{count} {kind}{'s' if count > 1 else ''}")
    return words


def deviations_title(run: Run) -> str:
    """How many deviations there are, and how many of them were accepted beforehand."""
    accepted = f", {run.accepted} of them accepted" if run.accepted else ""
    return f"Deviations from the pinned environment: {len(run.deviations)}{accepted}"


def _dangers(run: Run) -> Iterator[Notice]:
    metadata = run.metadata or {}
    if metadata.get("demo"):
        yield Notice("demo", "Demonstration", DEMO_NOTICE)
    if (metadata.get("sandbox") or {}).get("mode") == "none":
        yield Notice(
            "danger",
            "NO SANDBOX",
            "Model-written programs ran without a sandbox. Trust neither these verdicts nor "
            "the machine they ran on.",
        )
    yield from _incomplete(run)
    proof = metadata.get("proof")
    if proof is not None and not proof.get("ok"):
        yield Notice(
            "danger", "JUDGE NOT PROVED", "The judge did not pass its proof; trust no verdict."
        )
    if run.changed:
        yield Notice(
            "danger",
            "FILES CHANGED",
            f"Not as the run left them: {', '.join(run.changed)}. The figures below are not "
            "those of the run.",
        )
    yield from _unstable(run)


def _unstable(run: Run) -> Iterator[Notice]:
    for source in (run.metadata, run.reproduction):
        rescored = (source or {}).get("rescored")
        if rescored and rescored["agree"] < rescored["samples"]:
            wrong = rescored["samples"] - rescored["agree"]
            yield Notice(
                "danger",
                "VERDICTS NOT STABLE",
                f"{wrong} of {rescored['samples']} results got another verdict when they were "
                f"judged again: {'; '.join(rescored['disagreements'][:3])}.",
            )


def _cautions(run: Run) -> Iterator[Notice]:
    if run.metadata is None:
        yield Notice(
            "warning",
            NO_METADATA,
            f"{METADATA_FILE} is missing: machine, versions, deviations and the command are "
            "unknown.",
        )
    elif run.metadata.get("proof") is None:
        yield Notice(
            "warning", "Judge not proved", "No proof of the judge was recorded for this run."
        )


def _incomplete(run: Run) -> Iterator[Notice]:
    counts = [
        (mode, label, model["samples"]["infrastructure"], model["samples"]["total"])
        for mode, metrics in run.metrics.items()
        for label, model in metrics["models"].items()
        if model["samples"]["infrastructure"]
    ]
    if not counts:
        return
    listed = "; ".join(
        f"{model_title(label)}, {MODE_TITLES[mode]}: {failed} of {total} samples"
        for mode, label, failed, total in counts
    )
    yield Notice(
        "danger",
        "INCOMPLETE",
        f"Some samples have no verdict because the infrastructure failed ({listed}). They "
        "are left out of every score. Run the evaluation again to score them.",
    )
