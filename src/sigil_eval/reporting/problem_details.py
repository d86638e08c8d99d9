"""What an opened problem shows besides its programs: prompt, tests, reference answer, errata, and
the commands that judge its answers again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from sigil_eval.problems import ProblemSet, concerns, pinned_names
from sigil_eval.reporting.problem_map import tasks_of
from sigil_eval.reporting.programs import collect_programs
from sigil_eval.reporting.run import Run
from sigil_eval.run_folder import MODES, RunFolder


def problem_data(run: Run, problem_set: ProblemSet | None) -> dict[str, object]:
    """By task id, what the page's script shows when a problem is opened."""
    programs = collect_programs(run)
    return {
        task: {
            **_details(task, problem_set),
            "again": commands(run, task),
            "models": {label: programs[label].get(task) for label in run.labels},
        }
        for task in tasks_of(run)
    }


def _details(task: str, problem_set: ProblemSet | None) -> dict[str, object]:
    problem = problem_set.by_id.get(task) if problem_set else None
    if problem_set is None or problem is None:
        return {"prompt": "", "tests": "", "reference": "", "errata": [], "errata_of_all": []}
    return {
        "prompt": problem.prompt,
        "tests": "\n".join(filter(None, [problem.test, problem.plus])),
        "reference": problem.canonical_solution,
        "errata": [
            erratum["why"]
            for erratum in problem_set.errata
            if concerns(erratum, task) and erratum.get("task_id") != "*"
        ],
        "errata_of_all": [
            erratum["why"] for erratum in problem_set.errata if erratum.get("task_id") == "*"
        ],
    }


def commands(run: Run, task: str) -> str:
    """Shell lines that show the problem and judge its answers again, for the run's folder."""
    name = run.problem_set["name"]
    which = f"--problem-{'set' if name in pinned_names() else 'file'} {shlex.quote(name)}"
    lines = [f"sigil-eval problems {which} {shlex.quote(task)}"]
    for label, source in _sources(run):
        target = shlex.quote(f"{label}-{task.replace('/', '-')}.jsonl")
        told = shlex.quote(json.dumps(task))
        lines.append(f"grep -F {told} {shlex.quote(source)} > {target}")
        lines.append(f"sigil-eval score {target} {which} --allow-partial")
    return "\n".join(lines)


def _sources(run: Run) -> Iterator[tuple[str, str]]:
    """For each model, the file with its samples; results hold the samples, too."""
    mode = next(mode for mode in MODES if mode in run.metrics)
    for label in run.labels:
        samples = RunFolder(run.folder).samples(label)
        path = samples if samples.is_file() else run.results_path(mode, label)
        yield label, str(path.relative_to(run.folder))
