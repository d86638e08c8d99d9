"""A random part of a run's results, judged again from the samples."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sigil_eval.console import mention
from sigil_eval.documents.metadata import Rescored
from sigil_eval.documents.rows import ResultRow
from sigil_eval.documents.shape import read_results
from sigil_eval.files import Row, write_jsonl
from sigil_eval.judging.many import ManyJudge
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.wording import agreement_text
from sigil_eval.run_folder import MODES, RESULTS_SUFFIX, Mode, RunFolder
from sigil_eval.scoring.score import score_files
from sigil_eval.settings import RESCORED
from sigil_eval.statistics import proportion_interval

# What a row says of its sample, and must say again.
_VERDICT = (
    "code",
    "program_sha256",
    "outcome",
    "passed",
    "passed_in",
    "error_type",
    "compile_ok",
    "test_ok",
    "error_codes",
    "uses_unsafe",
    "one_process",
)
_LISTED_DISAGREEMENTS = 20


def rescore(
    folder: Path,
    problem_set: ProblemSet,
    judge: ManyJudge,
    *,
    seed: int,
    count: int = RESCORED.default,
) -> Rescored:
    """Judge `count` samples that chance picks once more, and compare every mode's rows.

    The samples are those of all models in `folder`, as far as they have a verdict. Nothing in
    `folder` is changed.
    """
    modes = [mode for mode in MODES if RunFolder(folder).all_results(mode)]
    chosen = _draw(folder, modes, random.Random(seed), count)
    drawn = sum(map(len, chosen.values()))
    mention(f"judging {drawn} results again, drawn at random with seed {seed}")
    with tempfile.TemporaryDirectory(prefix="sigil-eval-rescore-") as temporary:
        again = Path(temporary)
        samples = {name.removesuffix(RESULTS_SUFFIX): again / name for name in chosen}
        for name, numbers in chosen.items():
            write_jsonl(again / name, _picked(folder / modes[0] / name, numbers))
        summary = score_files(samples, problem_set, again / "scored", judge, modes)
        told = [
            line
            for name, numbers in chosen.items()
            for line in _compare_rows(folder, again / "scored", modes, name, numbers)
        ]
    return _agreement(seed, summary.programs, told)


def _draw(
    folder: Path, modes: Sequence[Mode], chance: random.Random, count: int
) -> dict[str, set[int]]:
    """Line numbers by file name, of `count` result rows with a verdict or of all there are."""
    places = [
        (path.name, number)
        for path in (RunFolder(folder).all_results(modes[0]) if modes else ())
        for number, row in read_results(path)
        if row["outcome"] in ("passed", "failed")
    ]
    chosen: dict[str, set[int]] = {}
    for name, number in chance.sample(places, min(count, len(places))):
        chosen.setdefault(name, set()).add(number)
    return chosen


def _agreement(seed: int, programs: int, told: Sequence[str | None]) -> Rescored:
    """From what differs in each sample; see `_compare_rows`."""
    decided = [line for line in told if line is not None]
    disagreements = [line for line in decided if line]
    agree = len(decided) - len(disagreements)
    low, high = proportion_interval(agree, len(decided)) if decided else (None, None)
    return {
        "seed": seed,
        "samples": len(decided),
        "programs": programs,
        "agree": agree,
        "undecided": len(told) - len(decided),
        "low": None if low is None else round(low, 6),
        "high": None if high is None else round(high, 6),
        "disagreements": disagreements[:_LISTED_DISAGREEMENTS],
    }


def _picked(path: Path, numbers: set[int]) -> Iterator[ResultRow]:
    return (row for number, row in read_results(path) if number in numbers)


def _compare_rows(
    folder: Path, again: Path, modes: Sequence[Mode], name: str, numbers: set[int]
) -> list[str | None]:
    """For each picked sample: what differs, empty for nothing, None without a verdict."""
    told: list[str | None] = [""] * len(numbers)
    for mode in modes:
        pairs = zip(
            _picked(folder / mode / name, numbers),
            (row for _, row in read_results(again / mode / name)),
            strict=True,
        )
        for index, (before, now) in enumerate(pairs):
            old: Row = {**before}
            new: Row = {**now}
            if "infrastructure" in (before["outcome"], now["outcome"]):
                told[index] = None
                continue
            different = [key for key in _VERDICT if key in old and old[key] != new.get(key)]
            if different and told[index] == "":
                told[index] = (
                    f"{mode}/{name}, {before['task_id']}, sample {before['completion_id']}: "
                    f"{before['result']} → {now['result']} ({', '.join(different)})"
                )
    return told


def agreement_sentence(rescored: Rescored | None) -> str:
    """What came of judging again, in one sentence."""
    if rescored is None:
        return "Nothing was judged again."
    if not rescored["samples"]:
        return "Nothing could be judged again."
    of_all = agreement_text(rescored["low"], rescored["high"])
    left = f"; {rescored['undecided']} got no verdict" if rescored["undecided"] else ""
    return (
        f"{rescored['agree']} of {rescored['samples']} results drawn at random (seed "
        f"{rescored['seed']}, {rescored['programs']} distinct programs) got the same verdict when "
        f"judged again{left}; of all results do {of_all}."
    )
