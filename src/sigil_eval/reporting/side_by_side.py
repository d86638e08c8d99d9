"""Several runs side by side, when they were judged alike; a refusal that says why when not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.console import console, say
from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ModelMetrics
from sigil_eval.errors import UsageError
from sigil_eval.reporting.blocks import Table
from sigil_eval.reporting.comparison import estimate_row
from sigil_eval.reporting.markdown import cell, render
from sigil_eval.reporting.notices import status
from sigil_eval.reporting.pairing import paired
from sigil_eval.reporting.run import Run, load_run
from sigil_eval.reporting.terminal import print_table
from sigil_eval.reporting.wording import (
    MODE_TITLES,
    difference_text,
    model_title,
    p_text,
    rate_text,
    score_text,
)
from sigil_eval.run_folder import MODES, Mode
from sigil_eval.statistics import Estimate, holm

# What must be equal for scores to mean the same, and what it is called.
_PROBLEMS = {
    "name": "problem set",
    "sha256": "problem set's sha256",
    "errata_sha256": "errata's sha256",
    "plus_sha256": "plus cases' sha256",
}
_JUDGE = {
    "rustc": "rustc",
    "sandbox": "sandbox",
    "compile_seconds": "seconds to compile",
    "run_seconds": "seconds to run",
    "compile_memory": "memory to compile",
    "run_memory": "memory to run",
    "crates": "crates",
    "clippy_required": "clippy required to pass",
    "code_sha256": "code of the judge",
}


@dataclass(frozen=True)
class Entry:
    """One model of one run in one mode."""

    run: Run
    name: str
    label: str
    metrics: Metrics

    @property
    def model(self) -> ModelMetrics:
        """What the results say of it."""
        return self.metrics["models"][self.label]

    @property
    def part(self) -> str:
        """Of which part of the problems its samples are, in brackets; empty for all."""
        covered, whole = self.model["problems"]["covered"], self.metrics["problem_set"]["problems"]
        return "" if covered == whole else f" ({covered} of {whole} problems)"


@dataclass(frozen=True)
class SideBySide:
    """Runs that can be compared; in each mode, the first entry is what the others differ from."""

    runs: list[tuple[str, Run]]
    entries: dict[Mode, list[Entry]]

    def warnings(self) -> list[str]:
        """What keeps runs from being clean ones, and what they differ in besides their models."""
        flawed = [f"{name}: {', '.join(status(run))}" for name, run in self.runs if status(run)]
        return [*flawed, *_other_settings(self.runs)]

    def tables(self) -> Iterator[tuple[str, Table]]:
        """A title and a table for each mode."""
        for mode, entries in self.entries.items():
            yield MODE_TITLES[mode], _table(entries)

    def document(self) -> dict[str, object]:
        """The comparison for programs; differences are those of the lowest k in common."""
        return {
            "warnings": self.warnings(),
            "modes": {mode: list(_documents(entries)) for mode, entries in self.entries.items()},
        }

    def markdown(self) -> str:
        """The comparison as a Markdown document."""
        parts = ["# Runs side by side", *(f"> {cell(line)}" for line in self.warnings())]
        for title, table in self.tables():
            parts += [f"## {title}", render(table)]
        return "\n\n".join(parts) + "\n"


def compare_runs(folders: Sequence[Path]) -> SideBySide:
    """Load runs to be put side by side.

    Raises UsageError with every reason when they cannot be compared: another problem set, other
    errata, limits, compiler, sandbox or judge, other problems, or no mode or k in common.
    """
    if len(set(folders)) < len(folders):
        raise UsageError("the same folder was given twice")
    runs = [(str(folder), load_run(folder)) for folder in folders]
    modes = [mode for mode in MODES if all(mode in run.metrics for _, run in runs)]
    reasons = list(dict.fromkeys(_reasons(runs, modes)))  # both modes mostly say the same
    if reasons:
        listed = "\n  ".join(reasons)
        raise UsageError(
            f"these runs cannot be compared:\n  {listed}\n"
            "Score the samples of both again, with the same version, machine and options"
        )
    entries = {
        mode: [
            Entry(run, name, label, run.metrics[mode])
            for name, run in runs
            for label in run.labels
            if label in run.metrics[mode]["models"]
        ]
        for mode in modes
    }
    return SideBySide(runs, entries)


def _reasons(runs: Sequence[tuple[str, Run]], modes: Sequence[Mode]) -> Iterator[str]:
    if not modes:
        yield "they have no policy mode in common"
        return
    first_name, first = runs[0]
    for name, run in runs:
        conditions = run.metrics[modes[0]]["judge"]
        if conditions is None:
            yield f"{name}: does not say under which limits it was judged"
    for name, run in runs[1:]:
        for mode in modes:
            ours, theirs = first.metrics[mode], run.metrics[mode]
            before, now = _conditions(ours), _conditions(theirs)
            for title in before:
                if before[title] != now[title]:
                    yield (
                        f"{title}: {_shown(before[title])} in {first_name}, "
                        f"{_shown(now[title])} in {name}"
                    )
            if _problems(ours) != _problems(theirs):
                yield f"{name} has scored other problems than {first_name}"
            if not set(ours["k_values"]) & set(theirs["k_values"]):
                yield f"{name} has no k in common with {first_name}"


def _conditions(metrics: Metrics) -> dict[str, object]:
    """What must be equal for scores to mean the same, by what it is called."""
    problem_set: Mapping[str, object] = metrics["problem_set"]
    judge: Mapping[str, object] = metrics["judge"] or {}
    return {
        "headline": metrics["headline"],
        **{title: problem_set.get(key) for key, title in _PROBLEMS.items()},
        **{title: judge.get(key) for key, title in _JUDGE.items()},
    }


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _problems(metrics: Metrics) -> set[str]:
    """The problems that every model of a run has a verdict for."""
    scored = [
        {task for task, problem in model["per_problem"].items() if problem["scored"]}
        for model in metrics["models"].values()
    ]
    return set.intersection(*scored) if scored else set()


def _other_settings(runs: Sequence[tuple[str, Run]]) -> Iterator[str]:
    """Sampling settings that differ: they may be what is to be compared, and must be seen."""
    for name in ("temperature", "top_p", "top_k", "max_new_tokens", "prompt_mode", "seed"):
        values = {folder: run.arguments.get(name) for folder, run in runs}
        if len({_shown(value) for value in values.values()}) > 1:
            told = ", ".join(f"{_shown(value)} in {folder}" for folder, value in values.items())
            yield f"{name} differs: {told}"


def _ks(entries: Sequence[Entry]) -> list[int]:
    """The k that all have a score for, ascending."""
    return sorted(set.intersection(*(set(entry.metrics["k_values"]) for entry in entries)))


def _differences(entries: Sequence[Entry]) -> list[tuple[Estimate, float] | None]:
    """How each differs from the first at the lowest k, with the adjusted p; None for the first, and
    without shared problems."""
    against = [_against(entries[0], entry, _ks(entries)[0]) for entry in entries[1:]]
    adjusted = iter(holm([p for _, p in filter(None, against)]))
    return [None, *((found[0], next(adjusted)) if found else None for found in against)]


def _documents(entries: Sequence[Entry]) -> Iterator[dict[str, object]]:
    for entry, found in zip(entries, _differences(entries), strict=True):
        yield {
            "run": entry.name,
            "model": entry.label,
            "pass_at_k": {k: entry.model["pass_at_k"][str(k)] for k in _ks(entries)},
            "difference": None if found is None else estimate_row(found[0]),
            "p_adjusted": None if found is None else found[1],
        }


def _table(entries: Sequence[Entry]) -> Table:
    ks = _ks(entries)
    rows = []
    for entry, found in zip(entries, _differences(entries), strict=True):
        model = entry.model
        rows.append(
            [
                f"{entry.name}: {model_title(entry.label)}{entry.part}",
                entry.run.model_name(entry.label),
                str(model["samples"]["fewest_per_problem"]),
                *(score_text(model["pass_at_k"][str(k)]) for k in ks),
                rate_text(entry.run.first_metrics["models"][entry.label]["rates"]["compile"]),
                difference_text(estimate_row(found[0])) if found else "",
                p_text(found[1]).removeprefix("= ") if found else "",
            ]
        )
    head = ["Run", "Model", "Samples", *(f"pass@{k}" for k in ks), "Compiles"]
    head += [f"pass@{ks[0]} against the first, points", "p, adjusted"]
    note = (
        "In square brackets: 95 % intervals over problems. Differences are paired over problems; "
        "p by sign-flip permutation, adjusted for the number of comparisons (Holm)."
    )
    return Table(head, rows, 2, note)


def _against(first: Entry, other: Entry, k: int) -> tuple[Estimate, float] | None:
    """The paired difference of `other` minus `first`, and its p; None without shared problems."""
    before, after = first.model["per_problem"], other.model["per_problem"]
    return paired(before, after, k, first.metrics["seed"])


def print_comparison(compared: SideBySide) -> None:
    """Show the comparison in the terminal."""
    for line in compared.warnings():
        console.print(line, style="yellow", markup=False)
    for title, table in compared.tables():
        say("")
        console.print(title, style="bold", markup=False)
        print_table(console, table)
        say(table.note)
