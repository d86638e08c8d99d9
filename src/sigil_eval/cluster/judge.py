"""The judge of a run, with the nodes of a cluster to judge its programs."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from sigil_eval.answers.program import Program
from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.judge_worker import Batch, Judged, JudgeOrder, JudgeWorker, Standard, Texts
from sigil_eval.cluster.order import Cluster, Done, Order
from sigil_eval.documents.metadata import ClusterRecord
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.judging.batching import plan_batches
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.lint import Lints, plan_lint_batches
from sigil_eval.judging.many import ManyJudge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.reading import Found, Readers, SampleReader, Unread

# Programs of a task: how many workers there will be is not known, and each is to have several.
_BATCH = 128


class ClusterJudge:
    """Judges many programs, as `Judge` does, on the nodes of a cluster.

    What the nodes leave without a verdict, this machine's judge tries at the end.
    """

    def __init__(self, own: Judge, crew: Crew, reader: SampleReader) -> None:
        self._own = own
        self._crew = crew
        self._reader = reader
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
            for batch in plan_batches(list(dict.fromkeys(programs)), size, at_once=1)
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

    def read(self, pieces: Iterable[Sequence[Unread]]) -> Iterator[Sequence[Found]]:
        """What is in texts, a piece at a time, as they are finished."""
        under_way: dict[int, Sequence[Unread]] = {}
        for message in self._crew.work(self._texts(pieces, under_way)):
            if not isinstance(message, Done):
                yield pickle.loads(message.data)  # noqa: S301
            elif message.given_up:
                yield [self._reader.look_into(text) for text in under_way[message.number]]
            if isinstance(message, Done):
                del under_way[message.number]

    def _texts(
        self, pieces: Iterable[Sequence[Unread]], under_way: dict[int, Sequence[Unread]]
    ) -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            under_way[number] = piece
            yield pickle.dumps(Texts(piece))

    def _come_of(
        self, what: str, batches: Sequence[Sequence[Program]]
    ) -> Iterator[tuple[Sequence[Program], Judged]]:
        tasks = (pickle.dumps(Batch(what, batch)) for batch in batches)  # type: ignore[arg-type]
        for message in self._crew.work(tasks):
            if not isinstance(message, Done):
                yield batches[message.number], pickle.loads(message.data)  # noqa: S301


@dataclass
class Judging:
    """Who judges, and who reads, where that are others than this machine. The record of a cluster
    is whole when it is done."""

    judge: ManyJudge
    readers: Readers | None = None
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
        judge = ClusterJudge(own, crew, SampleReader(problem_set))
        judging = Judging(judge, judge.read)
        yield judging
    judging.record = {"ray": version("ray"), "nodes": [n.to_row() for n in crew.nodes.values()]}
