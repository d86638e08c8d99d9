"""eval_metadata.json: what a run was made of, so that another person can repeat or doubt it.

What looks like a credential is replaced, and the host's name is left out, so the file can be
published as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sigil_eval.problems import ProblemSet
from sigil_eval.record.deviations import Deviation, unique
from sigil_eval.record.durations import cost
from sigil_eval.record.machine import gpus, machine
from sigil_eval.record.redaction import recorded_environment, scrub
from sigil_eval.record.software import (
    cuda_version,
    firejail_version,
    git_state,
    lock_state,
    packages,
    python_build,
    rustc_version,
)

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class Request:
    """What somebody asked for: the command as typed, all of its options by name, the seeds, the ids
    of the deviations that a strict run lets pass, and what the machine costs in US dollars."""

    command: Sequence[str]
    arguments: Mapping[str, Any]
    seeds: Mapping[str, int]
    demo: bool = False
    accepted_deviations: Sequence[str] = ()
    price_per_hour: float | None = None


@dataclass(frozen=True)
class Tools:
    """What the run was done with: the checkout of this project, the compiler, and the sandbox's
    mode, "firejail" or "none"."""

    checkout: Path
    rustc: Path
    sandbox: str


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    `models` maps "base" and "finetuned" to what is known of each: name, revision, adapter,
    adapter_revision, dtype, attention, device, samples, tokens and so on. `scoring` counts what
    scoring did, `rescored` is what came of judging a random part again (reproduce.rescore), and
    `files` are the sha256 of the run's files by name.
    """

    models: Mapping[str, Mapping[str, Any]]
    deviations: Sequence[Deviation] = ()
    proof: Mapping[str, Any] | None = None
    scoring: Mapping[str, int] | None = None
    rescored: Mapping[str, Any] | None = None
    files: Mapping[str, str] | None = None


def collect_metadata(
    request: Request,
    tools: Tools,
    problem_set: ProblemSet,
    durations: Mapping[str, Any],
    outcome: Outcome,
) -> dict[str, Any]:
    """Everything that identifies a run, in the shape of schema/eval_metadata.schema.json.

    `durations` are those of `durations_of`.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "demo": request.demo,
        "command": scrub(list(request.command)),
        "arguments": scrub(dict(request.arguments)),
        **_what_is_here(tools),
        "problem_set": {
            "name": problem_set.name,
            "source": problem_set.source,
            "sha256": problem_set.sha256,
            "errata_sha256": problem_set.errata_sha256,
            "problems": len(problem_set.problems),
        },
        "models": scrub({label: dict(model) for label, model in outcome.models.items()}),
        "prompt_template_sha256": _first_template(outcome.models),
        "seeds": dict(request.seeds),
        "durations": dict(durations),
        "cost": cost(durations["total_seconds"], request.price_per_hour),
        "deviations": [
            asdict(deviation) | {"accepted": deviation.id in request.accepted_deviations}
            for deviation in unique(outcome.deviations)
        ],
        "accepted_deviations": scrub(list(request.accepted_deviations)),
        "proof": None if outcome.proof is None else scrub(dict(outcome.proof)),
        "scoring": None if outcome.scoring is None else dict(outcome.scoring),
        "rescored": None if outcome.rescored is None else scrub(dict(outcome.rescored)),
        "files": None if outcome.files is None else dict(outcome.files),
    }


def _what_is_here(tools: Tools) -> dict[str, Any]:
    """Variables, code, machine and software."""
    return {
        "environment": recorded_environment(),
        "git": git_state(tools.checkout),
        "machine": machine(),
        "gpus": gpus(),
        "cuda": cuda_version(),
        "python": python_build(),
        "packages": packages(),
        "lock": lock_state(tools.checkout),
        "rustc": rustc_version(tools.rustc),
        "sandbox": {"mode": tools.sandbox, "firejail": firejail_version()},
    }


def _first_template(models: Mapping[str, Mapping[str, Any]]) -> str | None:
    """How the first model was prompted; where there are two, they are prompted alike."""
    first: Mapping[str, Any] = next(iter(models.values()), {})
    return first.get("prompt_template_sha256")
