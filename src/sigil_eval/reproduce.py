"""Does a finished run hold? Its files against their hashes, its pins against this machine, and a
random part of its results judged again.
"""

from __future__ import annotations

import json
import platform
import random
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sigil_eval.console import say
from sigil_eval.errors import PreflightError, SigilEvalError, UsageError
from sigil_eval.files import Row, read_jsonl, sha256_file, write_atomic, write_jsonl
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import PINNED_SETS, ProblemSet, load_problem_set
from sigil_eval.provisioned import checkout
from sigil_eval.record import machine, software
from sigil_eval.reporting import rebuilt_metrics
from sigil_eval.reporting.run_files import Run, load_run
from sigil_eval.reporting.wording import percent
from sigil_eval.run_folder import METRICS_FILE, MODES, RESULTS_SUFFIX, Mode, RunFolder
from sigil_eval.scoring.score import score_files
from sigil_eval.settings import RESCORED
from sigil_eval.statistics import proportion_interval

SCHEMA_VERSION = 1
# What a row says of its sample, and must say again.
_VERDICT = (
    "code",
    "program_sha256",
    "outcome",
    "passed",
    "passed_as_published",
    "error_type",
    "compile_ok",
    "test_ok",
    "error_codes",
    "uses_unsafe",
)
_LISTED_DISAGREEMENTS = 20


@dataclass(frozen=True)
class Check:
    """One thing that was recorded, as it is here; `state` is same, differs or unknown."""

    what: str
    recorded: str
    here: str
    state: str


def rescore(
    folder: Path, problem_set: ProblemSet, judge: Judge, *, seed: int, count: int = RESCORED.default
) -> dict[str, Any]:
    """Judge `count` samples that chance picks once more, and compare every mode's rows.

    The samples are those of all models in `folder`, as far as they have a verdict. Gives the
    shape of `rescored` in schema/eval_metadata.schema.json. Nothing in `folder` is changed.
    """
    files = RunFolder(folder)
    modes = [mode for mode in MODES if files.all_results(mode)]
    names = [path.name for path in files.all_results(modes[0])] if modes else []
    places = [
        (name, number)
        for name in names
        for number, row in read_jsonl(folder / modes[0] / name)
        if row["outcome"] in ("passed", "failed")
    ]
    count = min(count, len(places))
    say(f"judging {count} results again, drawn at random with seed {seed}")
    chosen: dict[str, set[int]] = {}
    for name, number in random.Random(seed).sample(places, count):
        chosen.setdefault(name, set()).add(number)
    with tempfile.TemporaryDirectory(prefix="sigil-eval-rescore-") as temporary:
        again = Path(temporary)
        samples = {name.removesuffix(RESULTS_SUFFIX): again / name for name in chosen}
        for name, numbers in chosen.items():
            write_jsonl(again / name, _picked(folder / modes[0] / name, numbers))
        summary = score_files(samples, problem_set, again / "scored", judge, modes)
        verdicts = [
            _compare_rows(folder, again / "scored", modes, name, numbers)
            for name, numbers in chosen.items()
        ]
    told = [line for lines in verdicts for line in lines]
    decided = [line for line in told if line is not None]
    complaints = [line for line in decided if line]
    agree = len(decided) - len(complaints)
    low, high = proportion_interval(agree, len(decided)) if decided else (None, None)
    return {
        "seed": seed,
        "samples": len(decided),
        "programs": summary.programs,
        "agree": agree,
        "undecided": len(told) - len(decided),
        "low": None if low is None else round(low, 6),
        "high": None if high is None else round(high, 6),
        "disagreements": complaints[:_LISTED_DISAGREEMENTS],
    }


def _picked(path: Path, numbers: set[int]) -> Iterator[Row]:
    return (row for number, row in read_jsonl(path) if number in numbers)


def _compare_rows(
    folder: Path, again: Path, modes: list[Mode], name: str, numbers: set[int]
) -> list[str | None]:
    """For each picked sample: what differs, empty for nothing, None without a verdict."""
    told: list[str | None] = [""] * len(numbers)
    for mode in modes:
        pairs = zip(
            _picked(folder / mode / name, numbers),
            (row for _, row in read_jsonl(again / mode / name)),
            strict=True,
        )
        for index, (before, now) in enumerate(pairs):
            if "infrastructure" in (before["outcome"], now["outcome"]):
                told[index] = None
                continue
            different = [key for key in _VERDICT if key in before and before[key] != now[key]]
            if different and told[index] == "":
                told[index] = (
                    f"{mode}/{name}, {before['task_id']}, sample {before['completion_id']}: "
                    f"{before['result']} → {now['result']} ({', '.join(different)})"
                )
    return told


def reproduce(
    folder: Path,
    *,
    samples: int = RESCORED.default,
    seed: int | None = None,
    workers: int | None = None,
    problem_set: ProblemSet | None = None,
) -> dict[str, Any]:
    """Check a finished run against itself and this machine; write and return reproduction.json.

    `samples` results are judged again under the recorded limits; 0 leaves that out, and with it
    the need for rustc and Firejail. Without `seed`, chance picks one. Raises UsageError where
    the run does not say what it was made of.
    """
    run = load_run(folder)
    if run.metadata is None:
        raise UsageError(
            f"{folder}: there is no eval_metadata.json, so nothing is recorded that could be "
            "checked. `sigil-eval run` leaves one"
        )
    problem_set = problem_set or _problem_set(run)
    judging: dict[str, Any] | None = None
    conditions: list[Check] = []
    if samples:
        with Judge(_recorded_settings(run, workers)) as judge:
            conditions = list(_condition_checks(run, judge))
            seed = secrets.randbelow(2**31) if seed is None else seed
            judging = rescore(folder, problem_set, judge, seed=seed, count=samples)
    found = {
        "schema_version": SCHEMA_VERSION,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "files": [asdict(check) for check in _file_checks(run, problem_set)],
        "pins": [asdict(check) for check in (*conditions, *_pin_checks(run, problem_set))],
        "rescored": judging,
    }
    write_atomic(
        RunFolder(folder).reproduction, json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    )
    return found


def faults(found: Mapping[str, Any]) -> list[str]:
    """Why the run does not hold; empty when its files and verdicts do. Another machine is none."""
    lines = [
        f"{check['what']}: recorded {check['recorded']}, here {check['here']}"
        for check in found["files"]
        if check["state"] == "differs"
    ]
    rescored = found["rescored"]
    if rescored and rescored["disagreements"]:
        wrong = rescored["samples"] - rescored["agree"]
        lines.append(f"{wrong} of {rescored['samples']} results have another verdict when judged")
        lines += rescored["disagreements"]
    return lines


def _problem_set(run: Run) -> ProblemSet:
    named = next(iter(run.metrics.values()))["problem_set"]["name"]
    if named not in PINNED_SETS:
        raise UsageError(
            f"{run.folder}: its problems are those of {named}, a file of somebody's own; name it "
            "with --problem-file"
        )
    return load_problem_set(named)


def _conditions(run: Run) -> dict[str, Any]:
    conditions = next(iter(run.metrics.values()))["judge"]
    if conditions is None:
        raise UsageError(
            f"{run.folder}: metrics.json does not say under which limits the verdicts were given; "
            "score the samples again"
        )
    return dict(conditions)


def _recorded_settings(run: Run, workers: int | None) -> JudgeSettings:
    recorded = _conditions(run)
    names = ("compile_seconds", "run_seconds", "compile_memory", "run_memory")
    if recorded["sandbox"] == "none":
        raise PreflightError(
            f"{run.folder}: its programs ran without a sandbox, and are not run again that way. "
            "Check the rest with --samples 0, or score the samples again in Firejail"
        )
    settings = JudgeSettings(
        limits=Limits(**{name: recorded[name] for name in names}),
        clippy="required" if recorded["clippy_required"] else "off",
    )
    return settings if workers is None else replace(settings, workers=workers)


def _check(what: str, recorded: object, here: object) -> Check:
    before, now = (_shown(value) for value in (recorded, here))
    return Check(what, before, now, "same" if before == now else "differs")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unknown(what: str, recorded: object, why: str) -> Check:
    return Check(what, _shown(recorded), why, "unknown")


def _condition_checks(run: Run, judge: Judge) -> Iterator[Check]:
    recorded, here = _conditions(run), judge.fingerprint()
    for name in ("rustc", "crates"):
        yield _check(name, recorded[name], here[name])


def _file_checks(run: Run, problem_set: ProblemSet) -> Iterator[Check]:
    assert run.metadata is not None
    recorded: Mapping[str, str] | None = run.metadata.get("files")
    if not recorded:
        yield _unknown("files", "none", "the run recorded no hashes")
    for name, digest in (recorded or {}).items():
        path = run.folder / name
        yield _check(name, digest, sha256_file(path) if path.is_file() else "missing")
    for mode, written in run.metrics.items():
        name = f"{mode}/{METRICS_FILE}"
        again = rebuilt_metrics(run.folder, mode, written, problem_set)
        if again is None:
            yield _unknown(name, "as written", "the results are not all here")
        else:
            follows = again == written
            yield _check(
                name,
                "follows from the results",
                "follows from the results" if follows else "says something else",
            )


def _pin_checks(run: Run, problem_set: ProblemSet) -> Iterator[Check]:
    metadata = run.metadata
    assert metadata is not None
    pinned = next(iter(run.metrics.values()))
    yield _check("problem set, sha256", pinned["problem_set"]["sha256"], problem_set.sha256)
    yield _check(
        "errata, sha256", pinned["problem_set"]["errata_sha256"], problem_set.errata_sha256
    )
    yield _check(
        "code of the judge, sha256", _conditions(run)["code_sha256"], software.judge_code_sha256()
    )
    root = checkout()
    lock = software.lock_state(root)
    if lock is not None:
        yield _check("lock file, sha256", (metadata["lock"] or {}).get("sha256"), lock["sha256"])
    git = software.git_state(root)
    if git is not None:
        yield _check("commit", _commit(metadata["git"]), _commit(git))
    yield _check("Firejail", metadata["sandbox"]["firejail"], software.firejail_version())
    yield _check("Python", metadata["python"]["version"], platform.python_version())
    yield _package_check(metadata["packages"], software.packages())
    yield _check("CUDA", metadata["cuda"], software.cuda_version())
    yield _check("GPU", _gpus(metadata["gpus"]), _gpus(machine.gpus()))
    here = machine.machine()
    for name in ("os", "kernel", "cpu"):
        yield _check(name, metadata["machine"][name], here[name])
    for label, model in metadata["models"].items():
        for kind in ("name", "adapter"):
            if model.get(kind):
                revision = model.get("revision" if kind == "name" else "adapter_revision")
                yield _model_check(f"model, {label}: {model[kind]}", model[kind], revision, root)


def _commit(git: Mapping[str, Any] | None) -> str:
    return "none" if git is None else f"{git['commit']}{' (dirty)' if git['dirty'] else ''}"


def _gpus(found: list[dict[str, str]]) -> str:
    return ", ".join(f"{gpu['name']}, driver {gpu['driver']}" for gpu in found) or "none"


def _package_check(recorded: Mapping[str, str], here: Mapping[str, str]) -> Check:
    changed = [
        f"{name} {recorded.get(name, 'absent')} → {here.get(name, 'absent')}"
        for name in sorted({*recorded, *here})
        if recorded.get(name) != here.get(name)
    ]
    if not changed:
        return _check("packages", f"{len(recorded)} packages", f"{len(here)} packages")
    return Check("packages", f"{len(recorded)} packages", ", ".join(changed), "differs")


def _model_check(what: str, name: str, revision: object, root: Path) -> Check:
    """Local models by their content; one on the hub is named by a commit, which needs no check."""
    from sigil_eval.generation.source import resolve_source

    folder = next((path for path in (root / name, Path(name)) if path.is_dir()), None)
    if folder is None:
        return _unknown(what, revision, "not on this machine")
    try:
        return _check(what, revision, resolve_source(str(folder), None).revision)
    except SigilEvalError as error:
        return _unknown(what, revision, str(error))


def print_reproduction(found: Mapping[str, Any], tell: Callable[[str], None] = say) -> None:
    """Say what held and list what did not."""
    for title, checks in (("Files", found["files"]), ("Pins", found["pins"])):
        states = [check["state"] for check in checks]
        tell(
            f"{title}: {states.count('same')} as recorded, {states.count('differs')} differ, "
            f"{states.count('unknown')} cannot be checked here"
        )
        for check in checks:
            if check["state"] != "same":
                mark = "differs" if check["state"] == "differs" else "not checked"
                tell(f"  {mark}: {check['what']}")
                tell(f"    recorded {check['recorded']}")
                tell(f"    here     {check['here']}")
    tell(agreement_sentence(found["rescored"]))
    for line in (found["rescored"] or {}).get("disagreements", ()):
        tell(f"  {line}")


def agreement_sentence(rescored: Mapping[str, Any] | None) -> str:
    """What came of judging again, in one sentence."""
    if rescored is None:
        return "Nothing was judged again."
    if not rescored["samples"]:
        return "Nothing could be judged again."
    left = f"; {rescored['undecided']} got no verdict" if rescored["undecided"] else ""
    return (
        f"{rescored['agree']} of {rescored['samples']} results drawn at random (seed "
        f"{rescored['seed']}, {rescored['programs']} distinct programs) got the same verdict when "
        f"judged again{left}: with 95 % confidence at least {percent(rescored['low'])} of all do."
    )
