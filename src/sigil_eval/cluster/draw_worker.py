"""Drawing on a node of a cluster, with models that are the run's by their hashes."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sigil_eval import console
from sigil_eval.errors import PreflightError
from sigil_eval.generation.drawing import draw, hardware_settings
from sigil_eval.generation.journal import Settings
from sigil_eval.generation.plan import Job, Plan, SampleId, plan_for
from sigil_eval.generation.protocol import Sample

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool


@dataclass(frozen=True)
class DrawOrder:
    """What a worker is made of: what may be drawn, and the settings of each job as the run has
    them, the revisions of its models among them."""

    jobs: Sequence[Job]
    settings: Sequence[Settings]


@dataclass(frozen=True)
class Block:
    """Samples to draw, of the job of this number."""

    job: int
    wanted: Sequence[SampleId]


@dataclass(frozen=True)
class Drawn:
    """Samples, and with which settings and on what they were drawn."""

    settings: Settings
    device: str
    samples: Sequence[Sample]


def in_words(settings: Settings) -> str:
    """What differs from one kind of device to another, as people are told it."""
    return " and ".join(f"{name} {settings.get(name)}" for name in ("dtype", "attention"))


class DrawWorker:
    """Draws blocks, one after the other, on one device. See `order.Worker`."""

    def __init__(self, what: bytes) -> None:
        console.speak(quiet=True)  # nobody reads what is printed here
        self._order: DrawOrder = pickle.loads(what)  # noqa: S301 - it is our own

    @cached_property
    def _pool(self) -> ModelPool | None:
        jobs = self._order.jobs
        return jobs[0].options.kind.model_pool(keep_base=len(jobs) > 2)

    @cached_property
    def _plans(self) -> list[Plan]:
        return [plan_for(job) for job in self._order.jobs]

    def prove(self, workers: int) -> str:
        """Find every model, and compare what decides a sample's text; in which precision and with
        which attention it is drawn. Raises PreflightError where something is not the run's."""
        options = self._order.jobs[0].options
        info = options.kind.describe(options)  # or what this machine does not have
        for plan, wanted in zip(self._plans, self._order.settings, strict=True):
            found = plan.settings()
            for name, value in wanted.items():
                if found[name] != value:
                    raise PreflightError(
                        f"{plan.prepared.name}: {name} is {found[name]}, the run's is {value}"
                    )
        return in_words(hardware_settings(info))

    def start(self) -> None:
        """Models are loaded when they are first drawn from."""

    def work(self, task: bytes) -> Iterator[bytes]:
        """A `Drawn` for samples as they are finished."""
        block: Block = pickle.loads(task)  # noqa: S301 - it is our own
        done: queue.SimpleQueue[Sample | BaseException | None] = queue.SimpleQueue()
        agreed: list[tuple[Settings, str]] = []

        def run() -> None:
            try:
                draw(
                    self._plans[block.job],
                    block.wanted,
                    self._pool,
                    lambda settings, device: agreed.append((settings, device)),
                    done.put,
                )
                done.put(None)
            except BaseException as error:  # noqa: BLE001 - raised below
                done.put(error)

        threading.Thread(target=run, daemon=True).start()
        while (item := done.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            settings, device = agreed[0]
            yield pickle.dumps(Drawn(settings, device, [item]))

    def close(self) -> None:
        """Nothing of it is left on a disk."""
