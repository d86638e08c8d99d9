"""How long a run took, from the first step of the set-up on, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sigil_eval.documents.metadata import Cost, Durations, ProvisioningStep
from sigil_eval.record.provisioning import read_table
from sigil_eval.record.rented import Rented


def read_steps(state: Path | None) -> list[ProvisioningStep]:
    """Provisioning steps with their seconds: `step state seconds finished_at` per line.

    The file is added to on every run; of each step, the last time it was applied counts.
    """
    steps: dict[str, ProvisioningStep] = {}
    for step, outcome, seconds, finished in read_table(state, "steps.tsv", 4):
        if step not in steps or outcome == "applied":
            steps[step] = {
                "step": step,
                "state": outcome,
                "seconds": _number(seconds),
                "finished_at": finished,
            }
    return list(steps.values())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def durations_of(
    phases: Mapping[str, float], invocations: int, provisioning: Sequence[ProvisioningStep] = ()
) -> Durations:
    """Seconds by phase, over all invocations that the run took, and by provisioning step.

    `total_seconds` is what the machine was rented for: provisioning and all phases.
    """
    total = sum(phases.values()) + sum(step["seconds"] for step in provisioning)
    return {
        "phases": dict(phases),
        "invocations": invocations,
        "provisioning": list(provisioning),
        "total_seconds": round(total, 3),
    }


def cost(seconds: float, price_per_hour: float | None, rented: Rented) -> Cost | None:
    """Estimated cost in US dollars, at a price for each GPU, or None without a price."""
    if price_per_hour is None:
        return None
    return {
        "currency": "USD",
        "price_per_hour": price_per_hour,
        "hours": round(seconds / 3600, 4),
        "gpus": rented.gpus,
        "machines": rented.machines,
        "estimate": round(seconds / 3600 * price_per_hour * rented.units, 2),
    }
