"""The judge of a run, with the nodes of a cluster to judge its programs."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from sigil_eval.answers.program import Program
from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.judge_worker import Batch, Judged, JudgeOrder, JudgeWorker, Standard
from sigil_eval.cluster.order import Cluster, Done, Order
from sigil_eval.documents.metadata import ClusterRecord
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.judging.batching import plan_batches
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.lint import Lints, plan_lint_batches
from sigil_eval.judging.many import ManyJudge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet

# Programs of a task: how many workers there will be is not known, and each is to have several.
_BATCH = 128


class ClusterJudge:
    """Judges many programs, as `Judge` does, on the nodes of a cluster.

    What the nodes leave without a verdict, this machine's judge tries at the end.
    """

    def __init__(self, own: Judge, crew: Crew) -> None:
        self._own = own
        self._crew = crew
        self._retries = 0

    @property
    def settings(self) -> JudgeSettings:
        """This machine's."""
        return self._own.settings

    @property
    def retries(self) -> int:
        """How many programs were tried again, here or there."""
        return self._own.retries + self._retries

    def fingerprint(self) -> Fingerprint:
        """This machine's, which is that of all nodes that work."""
        return self._own.fingerprint()

    def judge(
        self, programs: Sequence[Program], known: Collection[str] = ()
    ) -> Generator[tuple[Program, Verdict]]:
        """As `Judge.judge`."""
        size = min(_BATCH, self.settings.batch_size)
        batches = [
            batch.programs
            for batch in plan_batches(list(dict.fromkeys(programs)), size, workers=1)
            if not all(program.sha256 in known for program in batch.programs)
        ]
        left = dict.fromkeys(program for batch in batches for program in batch)
        for batch, judged in self._come_of("judge", batches):
            self._retries += judged.retries
            for place, verdict in judged.verdicts:
                program = batch[place]
                if program in left and verdict.outcome != "infrastructure":
                    del left[program]
                    yield program, verdict
        self._retries += len(left)
        yield from self._own.judge(list(left))

    def lint(self, programs: Sequence[Program]) -> Generator[tuple[Program, Lints]]:
        """As `Judge.lint`, in the order in which they are finished."""
        batches = list(plan_lint_batches(programs, min(_BATCH, self.settings.batch_size)))
        left = dict.fromkeys(programs)
        for batch, judged in self._come_of("lint", batches):
            for place, lints in judged.lints:
                if batch[place] in left and lints is not None:
                    del left[batch[place]]
                    yield batch[place], lints
        yield from self._own.lint(list(left))

    def _come_of(
        self, what: str, batches: Sequence[Sequence[Program]]
    ) -> Iterator[tuple[Sequence[Program], Judged]]:
        tasks = (pickle.dumps(Batch(what, batch)) for batch in batches)  # type: ignore[arg-type]
        for message in self._crew.work(tasks):
            if not isinstance(message, Done):
                yield batches[message.number], pickle.loads(message.data)  # noqa: S301


@dataclass
class Judging:
    """Who judges. The record of a cluster is whole when it is done."""

    judge: ManyJudge
    record: ClusterRecord | None = None


@contextmanager
def judging_on(cluster: Cluster | None, own: Judge, problem_set: ProblemSet) -> Iterator[Judging]:
    """The nodes of a cluster, each of which has proved to be the same judge as this machine's, or
    that alone.

    Raises PreflightError when no node proves itself.
    """
    if cluster is None:
        yield Judging(own)
        return
    what = pickle.dumps(JudgeOrder(own.settings, problem_set, Standard.of(own)))
    order = Order(cluster.address, JudgeWorker, what, most_per_node=cluster.most_per_node)
    with Crew(order) as crew:
        judging = Judging(ClusterJudge(own, crew))
        yield judging
    judging.record = {"ray": version("ray"), "nodes": [n.to_row() for n in crew.nodes.values()]}
