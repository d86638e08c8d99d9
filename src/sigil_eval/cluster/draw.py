"""Samples drawn on a cluster, by nodes of which each has shown that its models are the run's."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.draw_worker import Block, Drawn, DrawOrder, DrawWorker
from sigil_eval.cluster.order import Cluster, Done, Order
from sigil_eval.errors import IncompleteError, UsageError
from sigil_eval.generation.drawing import Agree
from sigil_eval.generation.plan import Job, SampleId, plan_for
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
def drawing_on(cluster: Cluster | None, jobs: Sequence[Job]) -> Iterator[ClusterDrawers | None]:
    """Who draws on the nodes of a cluster; None without one, and for engines
    that have no model's files.

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
    what = pickle.dumps(DrawOrder(jobs, [plan_for(job).settings() for job in jobs]))
    order = Order(
        cluster.address,
        DrawWorker,
        what,
        a_worker_for_each="node" if device == "cpu" else "GPU",
        late_seconds=_LATE_SECONDS,
    )
    with Crew(order) as crew:
        yield ClusterDrawers(jobs, crew)
