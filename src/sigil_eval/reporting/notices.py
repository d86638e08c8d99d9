"""What a reader must know before the numbers: whatever keeps a run from being a clean one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sigil_eval.documents.metadata import DeviationRow
from sigil_eval.reporting.blocks import Table
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.seen import seen_table
from sigil_eval.reporting.wording import MODE_TITLES, coverage, model_title
from sigil_eval.run_folder import METADATA_FILE

DEMO_NOTICE = (
    "These models know the answers by heart; the numbers mean nothing but that the machinery works."
)
NO_METADATA = "No metadata"


@dataclass(frozen=True)
class Notice:
    """One thing to know; `kind` says how grave it is, `table` has its figures."""

    kind: Literal["demo", "danger", "warning"]
    title: str
    text: str
    table: Table | None = None


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


def flaws(run: Run) -> str:
    """The status in brackets, to follow a name or a title; empty for a clean run."""
    return f" ({', '.join(status(run))})" if status(run) else ""


def deviations_title(run: Run) -> str:
    """How many deviations there are, and how many of them were accepted beforehand."""
    accepted = f", {run.accepted} of them accepted" if run.accepted else ""
    return f"Deviations from the pinned environment: {len(run.deviations)}{accepted}"


def may_change_numbers(deviation: DeviationRow) -> bool:
    """Whether scores could come out otherwise for it. What is only for training, or for other data
    than these, cannot change them."""
    return not deviation["id"].startswith("sigilderg.")


def _dangers(run: Run) -> Iterator[Notice]:
    metadata = run.metadata
    if metadata and metadata.get("demo"):
        yield Notice("demo", "Demonstration", DEMO_NOTICE)
    sandbox = metadata.get("sandbox") if metadata else None
    if sandbox and sandbox["mode"] == "none":
        yield Notice(
            "danger",
            "NO SANDBOX",
            "Model-written programs ran without a sandbox. Trust neither these verdicts nor "
            "the machine they ran on.",
        )
    yield from _incomplete(run)
    proof = metadata.get("proof") if metadata else None
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
    yield from _contaminated(run)


def _contaminated(run: Run) -> Iterator[Notice]:
    seen, metrics = run.seen_in_training, run.first_metrics
    if not seen:
        return
    yield Notice(
        "danger",
        "BENCHMARK IN THE TRAINING DATA",
        f"{len(seen)} of {run.problem_set['problems']} problems stand in the training data. Scores "
        "on them may show memory; only the others show what was learned.",
        seen_table(run, metrics, metrics["k_values"][:1]),
    )


def _unstable(run: Run) -> Iterator[Notice]:
    for source in (run.metadata, run.reproduction):
        rescored = source.get("rescored") if source else None
        if rescored and rescored["agree"] < rescored["samples"]:
            wrong = rescored["samples"] - rescored["agree"]
            yield Notice(
                "danger",
                "VERDICTS NOT STABLE",
                f"{wrong} of {rescored['samples']} results got another verdict when they were "
                f"judged again: {'; '.join(rescored['disagreements'][:3])}.",
            )


def _cautions(run: Run) -> Iterator[Notice]:
    part = coverage(run.first_metrics)
    if part:
        yield Notice(
            "warning",
            part,
            "The samples are of a part of the problems, and so are all scores here: they are not "
            "scores of the benchmark, and cannot be set against such.",
        )
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
