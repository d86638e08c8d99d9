#!/usr/bin/env python3
"""Does a run that is killed and stopped all over come to the verdicts of one left in peace?

Judges a mixed corpus undisturbed. Then judges it again and again while random processes of it,
the harness included, get SIGKILL, SIGTERM, or SIGSTOP; a harness that died is started anew. No
verdict may differ; what could not be judged must say infrastructure; and when the last harness is
done, nothing may be left running or on disk. Signals go to descendants of this process, only.

    python benchmarks/scoring/disturbed.py --programs 200 --seconds 600
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from corpus import mixed_programs

from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import load_problem_set

# A harness is hit as often as one process in so many.
_SPARED = 25
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
# Programs that keep the machinery busy for a while, so that it is hit there, too.
_SLOW = (
    "fn strlen(strings: String) -> i32 {{ loop {{ std::hint::black_box({n}); }} }}",
    "fn strlen(strings: String) -> i32 {{ {pause}(std::time::Duration::from_millis({n}00)); {n} }}",
    "fn strlen(strings: String) -> i32 {{ dbg!({n}); strings.len() as i32 }}",
    "fn strlen(strings: String) -> i32 {{ let x = ; {n} }}",
)


def programs_of(count: int) -> list[Program]:
    """The corpus: ordinary programs, and slow ones among them."""
    problems = load_problem_set("humaneval-rust")
    slow = [
        Program(problems.by_id["HumanEval/23"], text.format(n=n, pause="std::thread::sleep"))
        for text in _SLOW
        for n in range(1, 5)
    ]
    programs = [*mixed_programs(problems, count), *slow]
    random.Random("disturbed").shuffle(programs)
    return programs


def judge_into(journal: Path, count: int) -> None:
    """Be a harness: judge what the journal lacks, and add each verdict to it as it comes."""
    programs = programs_of(count)
    known = {key for key, row in rows_of(journal) if row["outcome"] != "infrastructure"}
    with Judge(JudgeSettings(Limits(run_seconds=2))) as judge, journal.open("a") as file:
        for program, verdict in judge.judge(programs, known):
            if program.sha256 not in known:
                file.write(json.dumps([program.sha256, verdict.to_row()]) + "\n")
                file.flush()


def rows_of(journal: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The verdicts in a journal; the line that a killed harness was writing is passed over."""
    for line in journal.read_text().split("\n") if journal.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            key, row = json.loads(line)
            yield key, row


def start(journal: Path, count: int, place: Path) -> subprocess.Popen[bytes]:
    """Start a harness that works in `place`."""
    command = [sys.executable, __file__, "--programs", str(count), "--journal", str(journal)]
    with (place.parent / "said.log").open("ab") as said:
        return subprocess.Popen(command, env={**os.environ, "TMPDIR": str(place)}, stderr=said)


def descendants(process: int) -> list[int]:
    """The processes below one, in no order."""
    found = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def left_behind(place: Path) -> list[str]:
    """What still runs of harnesses that worked in `place`, and what lies there."""
    found = [str(path) for path in place.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            if f"{place}/".encode() in line + os.fsencode((process / "exe").readlink()):
                found.append(f"{process.name}: {line[-200:]!r}")
    return found


def disturb(harness: subprocess.Popen[bytes], pick: random.Random, hits: Counter[str]) -> None:
    """Send one process of a run a signal; what was stopped goes on some time later."""
    below = descendants(harness.pid)
    if pick.randrange(_SPARED) == 0:
        below = [harness.pid]
    if not below:
        return
    process, number = pick.choice(below), pick.choice(_SIGNALS)
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{process}/comm").read_text().strip()
        os.kill(process, number)
        hits[f"{number.name} {name if process != harness.pid else 'harness'}"] += 1
        if number == signal.SIGSTOP and pick.randrange(2):
            time.sleep(pick.uniform(0, 2))
            os.kill(process, signal.SIGCONT)


def run_disturbed(journal: Path, count: int, place: Path, seconds: float, seed: str) -> None:
    """Judge under signals for so long, again from the start whenever all is judged; then finish."""
    pick, hits, runs = random.Random(seed), Counter[str](), 0
    end = time.monotonic() + seconds
    harness = start(journal, count, place)
    while time.monotonic() < end:
        time.sleep(pick.uniform(0.05, 1.0))
        if harness.poll() is None:
            disturb(harness, pick, hits)
            continue
        if harness.returncode == 0:
            runs += 1
            journal.rename(journal.with_name(f"{journal.name}.{runs}"))
        harness = start(journal, count, place)
    with contextlib.suppress(OSError):
        os.kill(harness.pid, signal.SIGCONT)
    while harness.wait() != 0:
        harness = start(journal, count, place)
    judge_again = start(journal, count, place)  # what infrastructure had left
    judge_again.wait()
    print(f"{sum(hits.values())} signals, {runs} runs to their end and one more:")
    for what, times in hits.most_common():
        print(f"  {times:4} {what}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--journal", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.journal:
        judge_into(options.journal, options.programs)
        return 0
    with tempfile.TemporaryDirectory(prefix="disturbed-") as name:
        folder, place = Path(name), Path(name) / "tmp"
        folder.chmod(0o755)
        place.mkdir(mode=0o755)
        journal = folder / "disturbed"
        if start(folder / "peace", options.programs, place).wait() != 0:
            print((folder / "said.log").read_text(), file=sys.stderr)
            return 2
        peace = dict(rows_of(folder / "peace"))
        run_disturbed(journal, options.programs, place, options.seconds, options.seed)
        return report(peace, folder, place)


def report(peace: dict[str, dict[str, Any]], folder: Path, place: Path) -> int:
    """Compare every verdict that was ever given; 1 where one differs or something is left."""
    unjudged, different = Counter[str](), []
    for journal in sorted(folder.glob("disturbed*")):
        for key, row in rows_of(journal):
            if row["outcome"] == "infrastructure":
                unjudged[journal.name] += 1
            elif row != peace[key]:
                different.append(f"{journal.name} {row}\n  {peace[key]}")
    missing = peace.keys() - {key for key, _ in rows_of(folder / "disturbed")}
    left = left_behind(place)
    print(f"{len(peace)} programs; infrastructure: {dict(unjudged) or 'none'}")
    print(f"{len(different)} verdicts differ, {len(missing)} are missing")
    print("\n".join([*different, *(f"left behind: {what}" for what in left)]))
    return 1 if different or missing or left else 0


if __name__ == "__main__":
    sys.exit(main())
