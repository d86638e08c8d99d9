"""Hostile answers, judged beside innocent ones: none passes, gets out, or disturbs a neighbour."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hostile_corpus import FOLDER, Hostile, load
from sigil_eval.answers.extraction import extract
from sigil_eval.answers.policy import find_violations
from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet

NAMES = sorted(path.stem for path in FOLDER.glob("*.rs"))
SECRET = "SIGIL_HOSTILE_SECRET"  # noqa: S105 - the name of a variable that must not be seen
MEMORY_GROWTH_LIMIT_KB = 512 << 10


@dataclass(frozen=True)
class Host:
    """What hostile programs reach for: a file to read, a folder to leave marks in, a port."""

    folder: Path
    corpus: dict[str, Hostile]

    @property
    def marks(self) -> list[str]:
        """The programs that got out."""
        return sorted(path.name for path in (self.folder / "marks").iterdir())


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A canary, marks and a port that anyone on this machine may use, and a secret to see."""
    with tempfile.TemporaryDirectory(prefix="host-of-hostile-") as name, socket.socket() as service:
        folder = Path(name)
        folder.chmod(0o755)
        canary, marks = folder / "canary", folder / "marks"
        canary.write_text("// the canary\n")
        marks.mkdir()
        marks.chmod(0o777)
        service.bind(("127.0.0.1", 0))
        service.listen()
        threading.Thread(target=_take_connections, args=(service,), daemon=True).start()
        os.environ[SECRET] = "seen"
        programs = load(canary=canary, marks=marks, port=service.getsockname()[1])
        try:
            yield Host(folder, {program.name: program for program in programs})
        finally:
            del os.environ[SECRET]


def _take_connections(service: socket.socket) -> None:
    try:
        while True:
            service.accept()[0].close()
    except OSError:
        return  # closed: the tests are over


@dataclass(frozen=True)
class Judged:
    """What came of judging the whole corpus beside reference answers."""

    verdicts: dict[str, Verdict]
    innocents: dict[str, Verdict]
    marks: list[str]
    left_running: list[str]
    memory_growth_kb: int


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """A judge with less patience than others: many of these programs take all that there is."""
    with Judge(JudgeSettings(limits=Limits(compile_seconds=2, run_seconds=1))) as started:
        yield started


@pytest.fixture(scope="module")
def judged(judge: Judge, humaneval: ProblemSet, host: Host) -> Judged:
    """One pass over everything; sources go to the judge as they are, past the extraction."""
    assert judge.settings.sandbox_mode == "firejail", "these programs must never run unconfined"
    hostile = {
        Program(humaneval.by_id[one.task_id], one.source).sha256: one.name
        for one in host.corpus.values()
    }
    programs = [Program(humaneval.by_id[one.task_id], one.source) for one in host.corpus.values()]
    neighbours = [p for p in humaneval.problems[::4] if not p.crates]
    innocent = [Program(problem, reference_source(problem)) for problem in neighbours]
    mixed = [*programs]
    for position, program in enumerate(innocent):
        mixed.insert(3 * position, program)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdicts = {program.sha256: verdict for program, verdict in judge.judge(mixed)}
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Judged(
        {name: verdicts[key] for key, name in hostile.items()},
        {program.problem.task_id: verdicts[program.sha256] for program in innocent},
        host.marks,
        _running_below(judge._root),
        growth,
    )


def _running_below(folder: Path) -> list[str]:
    """Processes whose program or command line lies in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = [str((process / "exe").readlink()), (process / "cmdline").read_text()]
        except OSError:
            continue
        if any(str(folder) in text for text in texts):
            found.append(process.name)
    return found


def test_the_corpus_is_large_enough(host: Host) -> None:
    assert len(host.corpus) >= 60
    assert {program.phase for program in host.corpus.values()} == {"compile", "run"}


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_answer_gets_the_verdict_it_deserves(
    judged: Judged, host: Host, name: str
) -> None:
    program, verdict = host.corpus[name], judged.verdicts[name]
    assert not verdict.passed, "a false pass"
    assert verdict.uses_unsafe or not program.flagged
    assert (verdict.error_type or verdict.outcome) in program.verdicts, verdict


def test_innocent_neighbours_pass(judged: Judged) -> None:
    assert len(judged.innocents) >= 35
    assert all(verdict.passed for verdict in judged.innocents.values()), judged.innocents


def test_nothing_gets_out(judged: Judged) -> None:
    assert judged.marks == []
    assert not list(Path("/tmp").glob("sigil-hostile-[0-9]*"))  # noqa: S108
    assert not (Path.home() / ".sigil-hostile").exists()


def test_nothing_is_left_running_or_on_disk(judged: Judged, judge: Judge) -> None:
    assert judged.left_running == []
    assert not list(judge._root.rglob("sigil-hostile*"))


def test_the_harness_stays_small(judged: Judged) -> None:
    assert judged.memory_growth_kb < MEMORY_GROWTH_LIMIT_KB


@pytest.mark.parametrize("name", NAMES)
def test_policy_knows_what_a_hostile_answer_uses(
    host: Host, humaneval: ProblemSet, name: str
) -> None:
    program = host.corpus[name]
    found = {one.category for one in find_violations(program.source)}
    assert (program.policy in found) if program.policy else not found


@pytest.mark.parametrize("name", NAMES)
def test_extraction_finds_the_hostile_answer(host: Host, humaneval: ProblemSet, name: str) -> None:
    program = host.corpus[name]
    problem = humaneval.by_id[program.task_id]
    found = extract(program.source, prompt=problem.prompt, entry_point=problem.entry_point)
    assert found.code is not None and problem.entry_point in found.code


CONTROLS = [name for name in NAMES if "//! control: " in (FOLDER / f"{name}.rs").read_text()]


@pytest.mark.parametrize("name", CONTROLS)
def test_the_attack_is_real_without_a_sandbox(host: Host, tmp_path: Path, name: str) -> None:
    """Negative controls: harmless attacks that do succeed where nothing holds them."""
    program = host.corpus[name]
    source = tmp_path / "control.rs"
    call = "fn main() { let _ = has_close_elements(vec![1.0, 2.0], 0.5); }"
    source.write_text(f"{program.source}\n{call}\n")
    binary = tmp_path / "control"
    rustc = [str(find_toolchain().rustc), "--edition=2021", "-Awarnings", "-o", str(binary)]
    compiled = subprocess.run([*rustc, str(source)], capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    if program.control == "mark":
        mark = program.mark(host.folder / "marks")
        subprocess.run([str(binary)], timeout=60, capture_output=True)
        left_mark = mark.exists()
        mark.unlink(missing_ok=True)
        assert left_mark
