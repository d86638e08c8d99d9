"""Does a finished run hold? Its files against their hashes, its pins against this machine, and a
random part of its results judged again.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sigil_eval.console import say
from sigil_eval.documents.metadata import Rescored
from sigil_eval.documents.reproduction import REPRODUCTION_VERSION, CheckRow, Reproduction
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import write_atomic
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import ProblemSet, load_problem_set, pinned_names
from sigil_eval.reporting.run import Run, load_run
from sigil_eval.reproduce.checks import condition_checks, conditions, file_checks, pin_checks
from sigil_eval.reproduce.rescoring import agreement_sentence, rescore
from sigil_eval.run_folder import RunFolder
from sigil_eval.settings import RESCORED


def reproduce(
    folder: Path,
    *,
    samples: int = RESCORED.default,
    seed: int | None = None,
    workers: int | None = None,
    problem_set: ProblemSet | None = None,
) -> Reproduction:
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
    problem_set = (problem_set or _problem_set(run)).headed_by(run.first_metrics["headline"])
    rescored: Rescored | None = None
    compiler: list[CheckRow] = []
    if samples:
        with Judge(_recorded_settings(run, workers)) as judge:
            compiler = list(condition_checks(run, judge))
            seed = secrets.randbelow(2**31) if seed is None else seed
            rescored = rescore(folder, problem_set, judge, seed=seed, count=samples)
    found: Reproduction = {
        "schema_version": REPRODUCTION_VERSION,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "files": list(file_checks(run, problem_set)),
        "pins": [*compiler, *pin_checks(run, problem_set)],
        "rescored": rescored,
    }
    write_atomic(
        RunFolder(folder).reproduction, json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    )
    return found


def faults(found: Reproduction) -> list[str]:
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
    if named not in pinned_names():
        raise UsageError(
            f"{run.folder}: its problems are those of {named}, a file of somebody's own; name it "
            "with --problem-file"
        )
    return load_problem_set(named)


def _recorded_settings(run: Run, workers: int | None) -> JudgeSettings:
    recorded = conditions(run)
    if recorded["sandbox"] == "none":
        raise PreflightError(
            f"{run.folder}: its programs ran without a sandbox, and are not run again that way. "
            "Check the rest with --num-samples 0, or score the samples again in Firejail"
        )
    settings = JudgeSettings(
        limits=Limits(
            compile_seconds=recorded["compile_seconds"],
            run_seconds=recorded["run_seconds"],
            compile_memory=recorded["compile_memory"],
            run_memory=recorded["run_memory"],
        ),
        clippy="required" if recorded["clippy_required"] else "off",
    )
    return settings if workers is None else replace(settings, workers=workers)


def print_reproduction(found: Reproduction) -> None:
    """Say what held and list what did not."""
    for title, checks in (("Files", found["files"]), ("Pins", found["pins"])):
        states = [check["state"] for check in checks]
        say(
            f"{title}: {states.count('same')} as recorded, {states.count('differs')} differ, "
            f"{states.count('unknown')} cannot be checked here"
        )
        for check in checks:
            if check["state"] != "same":
                mark = "differs" if check["state"] == "differs" else "not checked"
                say(f"  {mark}: {check['what']}")
                say(f"    recorded {check['recorded']}")
                say(f"    here     {check['here']}")
    say(agreement_sentence(found["rescored"]))
    if found["rescored"] is not None:
        for line in found["rescored"]["disagreements"]:
            say(f"  {line}")
