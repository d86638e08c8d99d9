"""What departs from the pinned environment, as a run finds it, and what a strict run refuses.

A deviation is known by its id. Those on the list of accepted ones stay on record and are shown as
accepted; a strict run begins with no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.documents.metadata import DeviationRow, ModelRecord
from sigil_eval.errors import PreflightError
from sigil_eval.judging.crates import find_crates
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.problems import ProblemSet
from sigil_eval.record.provisioning import read_table


@dataclass(frozen=True)
class Deviation:
    """One departure from the pinned environment, and what it means for the result."""

    id: str
    expected: str
    actual: str
    consequence: str

    def to_row(self, accepted: Sequence[str]) -> DeviationRow:
        """For the metadata; `accepted` are the ids that a strict run lets pass."""
        return {
            "id": self.id,
            "expected": self.expected,
            "actual": self.actual,
            "consequence": self.consequence,
            "accepted": self.id in accepted,
        }


def read_deviations(state: Path | None) -> list[Deviation]:
    """Deviations that the provisioning recorded: `id expected actual consequence` per line."""
    return [Deviation(*fields) for fields in read_table(state, "deviations.tsv", 4)]


def unique(deviations: Iterable[Deviation]) -> list[Deviation]:
    """One deviation per id, the later one, in order of first appearance."""
    return list({item.id: item for item in deviations}.values())


def deviations_of_machine(
    provision_state: Path | None, sandbox_mode: str, problem_set: ProblemSet
) -> list[Deviation]:
    """What the provisioning recorded, and what shows before anything is done."""
    found = read_deviations(provision_state)
    if sandbox_mode == "none":
        found.append(
            Deviation("sandbox", "Firejail", "none", "programs written by a model run unconfined")
        )
    crates = find_crates(find_toolchain())
    left_out = [p.task_id for p in problem_set.problems if not crates.has(p.crates)]
    if left_out:
        found.append(
            Deviation(
                "rust.crates",
                "rand, regex and md5",
                f"{', '.join(sorted(crates.rlibs)) or 'none'}: {crates.fault}",
                f"left out for every model: {', '.join(left_out)}",
            )
        )
    return unique(found)


def deviations_of_generation(
    where: Iterable[tuple[str, str]], known: Iterable[Deviation]
) -> list[Deviation]:
    """What departs of the devices and the attention, as pairs, that samples are drawn with, as far
    as it does not follow from what is known."""
    drawn, ids = sorted(set(where)), {deviation.id for deviation in known}
    found = []
    devices = sorted({device for device, _ in drawn})
    if "platform.gpu" not in ids and not all(map(_on_gpus, devices)):
        found.append(Deviation("device", "cuda", ", ".join(devices), "generation is slower"))
    plain = any(_on_gpus(device) and attention == "sdpa" for device, attention in drawn)
    if plain and "pytorch.flash-attn" not in ids:
        found.append(
            Deviation(
                "pytorch.flash-attn",
                "flash attention",
                "sdpa",
                "attention is computed by PyTorch itself: slower, and numbers may differ in the "
                "last bits",
            )
        )
    return found


def _on_gpus(devices: str) -> bool:
    return all(part.startswith("cuda") for part in devices.split(","))


def generation_of_models(models: Mapping[str, ModelRecord]) -> list[tuple[str, str]]:
    """Device and attention of each model's samples, which may have been drawn elsewhere."""
    return [(str(model.get("device")), str(model.get("attention"))) for model in models.values()]


def refuse_deviations(found: Sequence[Deviation], accepted: Sequence[str]) -> None:
    """Raises PreflightError listing the deviations that are not accepted."""
    refused = [deviation for deviation in found if deviation.id not in accepted]
    if refused:
        listed = "\n  ".join(f"{d.id}: expected {d.expected}, found {d.actual}" for d in refused)
        raise PreflightError(
            f"a strict run refuses an environment that departs from the pins:\n  {listed}\n"
            "Mend it with `bash eval_setup.sh`; or accept it, on record in every report, with "
            f'--accepted-deviations "{" ".join([*accepted, *(d.id for d in refused)])}"; or run '
            "with --no-strict"
        )
