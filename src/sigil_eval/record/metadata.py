"""eval_metadata.json: what a run was made of, so that another person can repeat or doubt it.

What looks like a credential is replaced, and the host's name is left out, so the file can be
published as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sigil_eval.documents.metadata import (
    METADATA_VERSION,
    ClusterRecord,
    DeviationRow,
    Durations,
    Metadata,
    ModelRecord,
    ProblemSource,
    ProofRow,
    Rescored,
    ScoringCounts,
    TrainingDataRecord,
)
from sigil_eval.generation.engines.vllm import VLLM
from sigil_eval.problems import ProblemSet
from sigil_eval.record.deviations import Deviation, unique
from sigil_eval.record.durations import cost
from sigil_eval.record.machine import gpus, machine
from sigil_eval.record.rented import Rented, rented_here, rented_nodes
from sigil_eval.record.software import (
    cuda_version,
    firejail_version,
    git_state,
    lock_state,
    packages,
    python_build,
    rustc_version,
    vllm_packages,
)
from sigil_eval.redaction import recorded_environment, scrub
from sigil_eval.settings import DEVICE, SandboxMode


@dataclass(frozen=True)
class Request:
    """What somebody asked for: the command as typed, all of its options by name, the seeds, the ids
    of the deviations that a strict run lets pass, what a GPU costs in US dollars, the device, and
    what a check of the training data has found."""

    command: Sequence[str]
    arguments: Mapping[str, Any]
    seeds: Mapping[str, int]
    demo: bool = False
    accepted_deviations: Sequence[str] = ()
    price_per_hour: float | None = None
    device: str = DEVICE.default
    training_data: TrainingDataRecord | None = None


@dataclass(frozen=True)
class Tools:
    """What the run was done with: the checkout of this project, the compiler, and the sandbox's
    mode, "firejail" or "none"."""

    checkout: Path
    rustc: Path
    sandbox: SandboxMode


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    `models` are by label, `rescored` is what came of judging a random part again, and `files` are
    the sha256 of the run's files by name.
    """

    models: Mapping[str, ModelRecord]
    deviations: Sequence[Deviation] = ()
    proof: ProofRow | None = None
    scoring: ScoringCounts | None = None
    rescored: Rescored | None = None
    files: Mapping[str, str] | None = None
    cluster: ClusterRecord | None = None


def collect_metadata(
    request: Request,
    tools: Tools,
    problem_set: ProblemSet,
    durations: Durations,
    outcome: Outcome,
) -> Metadata:
    """Everything that identifies a run; `durations` are those of `durations_of`."""
    return {
        "schema_version": METADATA_VERSION,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "demo": request.demo,
        "command": scrub(list(request.command)),
        "arguments": scrub(dict(request.arguments)),
        "environment": recorded_environment(),
        "git": git_state(tools.checkout),
        "machine": machine(),
        "gpus": gpus(),
        "cuda": cuda_version(),
        "python": python_build(),
        "packages": packages(),
        "vllm_packages": vllm_packages() if _vllm_drew(outcome.models) else None,
        "lock": lock_state(tools.checkout),
        "rustc": rustc_version(tools.rustc),
        "sandbox": {"mode": tools.sandbox, "firejail": firejail_version()},
        "problem_set": _problem_source(problem_set),
        "models": scrub({label: dict(model) for label, model in outcome.models.items()}),
        "prompt_template_sha256": _first_template(outcome.models),
        "seeds": dict(request.seeds),
        "durations": durations,
        "cost": cost(durations["total_seconds"], request.price_per_hour, _rented(request, outcome)),
        "deviations": _rows(outcome.deviations, request.accepted_deviations),
        "accepted_deviations": scrub(list(request.accepted_deviations)),
        "proof": None if outcome.proof is None else scrub(outcome.proof),
        "scoring": None if outcome.scoring is None else outcome.scoring,
        "rescored": None if outcome.rescored is None else scrub(outcome.rescored),
        "cluster": None if outcome.cluster is None else scrub(outcome.cluster),
        "training_data": request.training_data,
        "files": None if outcome.files is None else dict(outcome.files),
    }


def _rented(request: Request, outcome: Outcome) -> Rented:
    if outcome.cluster:
        return rented_nodes(outcome.cluster["nodes"])
    return rented_here(request.device)


def _vllm_drew(models: Mapping[str, ModelRecord]) -> bool:
    return any(model.get("engine") == VLLM.name for model in models.values())


def _rows(deviations: Sequence[Deviation], accepted: Sequence[str]) -> list[DeviationRow]:
    return [deviation.to_row(accepted) for deviation in unique(deviations)]


def _problem_source(problem_set: ProblemSet) -> ProblemSource:
    return {
        "name": problem_set.name,
        "source": problem_set.source,
        "sha256": problem_set.sha256,
        "errata_sha256": problem_set.errata_sha256,
        "plus_sha256": problem_set.plus_sha256,
        "problems": len(problem_set.problems),
    }


def _first_template(models: Mapping[str, ModelRecord]) -> str | None:
    """How the first model was prompted; where there are two, they are prompted alike."""
    first = next(iter(models.values()), None)
    return None if first is None else first.get("prompt_template_sha256")
