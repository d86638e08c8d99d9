"""Many texts are read by several processes: what is read, and what goes wrong, stays the same."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import active_children
from pathlib import Path

import pytest

from sigil_eval import console
from sigil_eval.cluster.judge_worker import JudgeOrder, JudgeWorker, Standard, Texts
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import write_jsonl
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.processes import Processes
from sigil_eval.scoring.controls import controls_of
from sigil_eval.scoring.forms import FORMS, completion_in_form
from sigil_eval.scoring.readers import codes_in, readers_here
from sigil_eval.scoring.reading import FEW, Found, SampleReader, Unread, extract_answer
from sigil_eval.scoring.score import score_files

SOURCES = Path(__file__).resolve().parents[2] / "src"
READ = """
import signal
import sys
from pathlib import Path
from sigil_eval.problems import load_problem_set
from sigil_eval.scoring.readers import readers_here
from sigil_eval.scoring.reading import SampleReader
if __name__ == "__main__":
    # What a shell starts in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    problem_set = load_problem_set("humaneval-rust")
    SampleReader(problem_set).learn([Path(sys.argv[1])], readers_here(problem_set, 2))
"""


def write_talk(path: Path, count: int, *more: dict[str, object]) -> Path:
    """Texts without code, and `more` rows."""
    talk = ({"task_id": "HumanEval/0", "completion": f"I cannot say {n}."} for n in range(count))
    write_jsonl(path, [*talk, *more])
    return path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, humaneval: ProblemSet) -> list[Path]:
    """Known answers of all problems, in two files that share some."""
    rows = [
        {"task_id": problem.task_id, "completion": text}
        for problem in humaneval.problems
        for text in (
            *(completion_in_form(problem, form) for form in FORMS),
            *(control.completion for control in controls_of(problem)),
        )
    ]
    folder = tmp_path_factory.mktemp("known")
    paths = [folder / "one.jsonl", folder / "two.jsonl"]
    write_jsonl(paths[0], rows[:1500])
    write_jsonl(paths[1], [*reversed(rows), *rows])
    return paths


def test_processes_read_what_one_reads(known: list[Path], humaneval: ProblemSet) -> None:
    processes = readers_here(humaneval, 2)
    assert processes is not None
    elsewhere: list[Found] = []

    def noted(pieces: Iterable[Sequence[Unread]]) -> Iterator[Sequence[Found]]:
        for found in processes(pieces):
            elsewhere.extend(found)
            yield found

    alone, many = SampleReader(humaneval), SampleReader(humaneval)
    assert many.learn(known, noted) == alone.learn(known) > 2 * len(elsewhere) > 0
    assert list(many.answers()) == list(alone.answers())
    assert list(many.read(known[1])) == list(alone.read(known[1]))
    assert not active_children()


def test_in_which_order_others_read_changes_no_byte(
    tmp_path: Path, judge: Judge, humaneval: ProblemSet
) -> None:
    right = {"task_id": "HumanEval/1", "completion": humaneval.problems[1].canonical_solution}
    other = {"task_id": "HumanEval/2", "completion": humaneval.problems[2].canonical_solution}
    samples = {"talk": write_talk(tmp_path / "talk.jsonl", FEW + 300, right, other, right)}
    reader = SampleReader(humaneval)

    def backwards(pieces: Iterable[Sequence[Unread]]) -> Iterator[Sequence[Found]]:
        for piece in reversed([*pieces]):
            yield [reader.look_into(text) for text in reversed(piece)]

    in_place, out_of_order = SampleReader(humaneval), SampleReader(humaneval)
    in_place.learn(samples.values())
    out_of_order.learn(samples.values(), backwards)
    assert list(out_of_order.answers()) == list(in_place.answers())
    one = score_files(samples, humaneval, tmp_path / "one", judge)
    two = score_files(samples, humaneval, tmp_path / "two", judge, readers=backwards)
    assert (one.samples, one.programs) == (two.samples, two.programs) == (FEW + 303, 2)
    for mode in ("policy", "no-policy"):
        results = [tmp_path / run / mode / "talk_results.jsonl" for run in ("one", "two")]
        assert results[0].read_bytes() == results[1].read_bytes()


def test_a_row_that_is_no_sample_is_told_as_ever(tmp_path: Path, humaneval: ProblemSet) -> None:
    path = write_talk(tmp_path / "talk.jsonl", FEW + 1000, {"task_id": "HumanEval/0"})
    with pytest.raises(UsageError) as alone:
        SampleReader(humaneval).learn([path])
    with pytest.raises(UsageError) as many:
        SampleReader(humaneval).learn([path], readers_here(humaneval, 2))
    assert str(alone.value) == str(many.value)
    assert f"talk.jsonl:{FEW + 1001}: field 'completion' is missing" in str(many.value)
    assert not active_children()


def test_a_node_reads_what_one_machine_reads(judge: Judge, humaneval: ProblemSet) -> None:
    texts = [
        Unread(problem.task_id, str(number), completion_in_form(problem, "fence"))
        for number, problem in enumerate(humaneval.problems[:20])
    ]
    order = JudgeOrder(judge.settings, humaneval, Standard.of(judge))
    worker = JudgeWorker(pickle.dumps(order))
    console.speak()  # a worker is quiet
    [data] = worker.work(pickle.dumps(Texts(texts)))
    reader = SampleReader(humaneval)
    expected = [reader.look_into(text) for text in texts]
    assert pickle.loads(data) == expected  # noqa: S301 - it is our own


def test_known_answers_are_read_beside_as_alone(humaneval: ProblemSet) -> None:
    answers = [
        (problem, completion_in_form(problem, form))
        for problem in humaneval.problems
        for form in FORMS[:4]
    ]
    alone = [extract_answer(problem, completion).code for problem, completion in answers]
    assert codes_in(answers, workers=4) == codes_in(answers, workers=1) == alone
    assert not active_children()


def test_a_process_that_dies_is_told() -> None:
    with Processes(2) as processes:
        with pytest.raises(PreflightError, match="one of 2 processes was killed"):
            list(processes.map(os._exit, [1]))


def children_of(process: int) -> list[int]:
    """The processes that a process has started and that read for it."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [one for one in map(int, found) if b"spawn_main" in command(one)]


def command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_who_started_them(tmp_path: Path, how: signal.Signals) -> None:
    path = write_talk(tmp_path / "talk.jsonl", 300_000)
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(path)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as reading:
        try:
            while len(started := children_of(reading.pid)) < 2:
                assert reading.poll() is None, "it was over before"
                time.sleep(0.01)
            if how == signal.SIGINT:  # as a terminal does: to all of them
                os.killpg(reading.pid, how)
            else:
                reading.send_signal(how)
            assert reading.wait(60) == -how
            end = time.monotonic() + 20
            while any(b"spawn_main" in command(one) for one in started):
                assert time.monotonic() < end, "a process is left"
                time.sleep(0.05)
            assert reading.stderr is not None
            told = reading.stderr.read()
            assert how == signal.SIGKILL or told.count("Traceback") == 1, told
        finally:
            reading.kill()
