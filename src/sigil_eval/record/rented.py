"""What a run is done on as far as it is paid for: a price is that of a GPU for an hour, or, where a
machine has none, of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sigil_eval.documents.metadata import NodeRow
from sigil_eval.record.machine import gpus


@dataclass(frozen=True)
class Rented:
    """GPUs, and machines that have none."""

    gpus: int = 0
    machines: int = 1

    @property
    def units(self) -> int:
        """How many times the price is paid."""
        return self.gpus + self.machines


def rented_here(device: str) -> Rented:
    """This machine, of whose GPUs a run has those of `device`: `auto` or `cuda` are all that it may
    see."""
    if device in ("auto", "cuda"):
        named = os.environ.get("CUDA_VISIBLE_DEVICES")
        found = len(gpus())
        count = found if named is None else min(found, len([x for x in named.split(",") if x]))
    else:
        count = sum(part.strip().startswith("cuda") for part in device.split(","))
    return Rented(count, int(count == 0))


def rented_nodes(nodes: Iterable[NodeRow]) -> Rented:
    """Those nodes of a cluster that work, with all of their GPUs; one that is lost is not paid for
    any more, or has come back as another."""
    counts = [node["gpus"] for node in nodes if node["state"] == "working"]
    return Rented(sum(counts), counts.count(0))
