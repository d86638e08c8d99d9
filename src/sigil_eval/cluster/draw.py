"""Samples drawn on a cluster, by nodes of which each has shown that its models are the run's."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.draw_worker import Block, Drawn, DrawOrder, DrawWorker, in_words
from sigil_eval.cluster.order import Cluster, Done, Order
from sigil_eval.errors import IncompleteError, UsageError
from sigil_eval.generation.drawing import Agree, check, hardware_settings
from sigil_eval.generation.journal import SampleJournal, journal_path
from sigil_eval.generation.plan import Job, Plan, SampleId, plan_for
from sigil_eval.generation.protocol import Sample
from sigil_eval.generation.shards import Shard

# So many blocks for each worker: fewer, and they wait for the slowest; more, and a device idles
# more often while the last answers of a block are finished.
_BLOCKS = 2
_LATE_SECONDS = 3600.0
_DEVICES = ("auto", "cuda", "cpu")


class ClusterDrawers:
    """Draws samples of these jobs on a cluster; see `generation.drawing.Elsewhere`."""

    def __init__(self, jobs: Sequence[Job], crew: Crew) -> None:
        self._jobs = list(jobs)
        self._crew = crew

    @property
    def rented(self) -> int:
        """How many GPUs, and nodes without one, are paid for now."""
        return self._crew.rented.units

    def draw(
        self,
        job: Job,
        missing: Sequence[SampleId],
        agree: Agree,
        finished: Callable[[Sample], None],
    ) -> None:
        """Raises IncompleteError for a block that took its workers with it again and again."""
        number = self._jobs.index(job)
        count = min(len(missing), _BLOCKS * max(1, self._crew.workers))
        blocks = [Shard(i + 1, count).of(list(missing)) for i in range(count)]
        for message in self._crew.work(pickle.dumps(Block(number, block)) for block in blocks):
            if isinstance(message, Done):
                if message.given_up:
                    raise IncompleteError(
                        "three workers died while they drew the same samples (out of memory?); "
                        "the same command goes on with what is missing"
                    )
                continue
            drawn: Drawn = pickle.loads(message.data)  # noqa: S301 - it is our own
            agree(drawn.settings, f"{drawn.device} × {self._crew.workers} on a cluster")
            for sample in drawn.samples:
                finished(sample)


@contextmanager
def drawing_on(
    cluster: Cluster | None, jobs: Sequence[Job], outputs: Sequence[Path]
) -> Iterator[ClusterDrawers | None]:
    """Who draws on the nodes of a cluster, for these samples files; None without one, and for
    engines that have no model's files.

    Raises UsageError for a list of devices, and PreflightError when no node has the models.
    """
    if cluster is None or not jobs[0].options.kind.needs_model_files:
        yield None
        return
    device = jobs[0].options.device
    if device not in _DEVICES:
        raise UsageError(
            f"--device {device} names devices of one machine; with --ray it is auto (each GPU of "
            "the cluster) or cpu (each node)"
        )
    plans = [plan_for(job) for job in jobs]
    what = pickle.dumps(DrawOrder(jobs, [plan.settings() for plan in plans]))
    order = Order(
        cluster.address,
        DrawWorker,
        what,
        a_worker_for_each="node" if device == "cpu" else "GPU",
        late_seconds=_LATE_SECONDS,
        kind=_settled_kind(plans, outputs),
    )
    with Crew(order) as crew:
        yield ClusterDrawers(jobs, crew)


def _settled_kind(plans: Sequence[Plan], outputs: Sequence[Path]) -> str | None:
    """In which precision and with which attention nodes must draw, where it is settled: as the
    samples that are there were, or else as this machine does, if it draws on such a device.

    Raises UsageError where those samples were drawn otherwise than is asked for now.
    """
    for plan, output in zip(plans, outputs, strict=True):
        if journal_path(output).exists():
            with SampleJournal(output) as journal:
                check(plan, journal)
                if journal.header is not None:
                    return in_words(journal.header["settings"])
    options = plans[0].job.options
    try:
        info = options.kind.describe(options)
    except UsageError:
        return None  # it has no such device, or not the engine
    if info.device == "cpu" and options.device != "cpu":
        return None
    return in_words(hardware_settings(info))
