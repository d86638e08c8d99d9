"""A sweep: every checkpoint of a training run against the base, and what changed on the way."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.sweep import Against, SweepPoint
from sigil_eval.reporting.blocks import Block, Commands, Heading, Paragraph, Table
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.sweep import change_of
from sigil_eval.reporting.wording import (
    MODE_TITLES,
    difference_text,
    model_title,
    p_text,
    score_text,
)
from sigil_eval.run_folder import Mode

TITLE = "Checkpoints"
TOO_HIGH = (
    "The best of several was chosen by its score, and that score is too high on average: the more "
    "checkpoints, the more. Before you rely on it, measure it anew, with another seed:"
)
_CHANGES = {"better": "▲ better", "worse": "▼ worse", "same": "no difference shown", "unknown": ""}
_LISTED = 8


def sweep_table(metrics: Metrics, *, brief: bool = False) -> Table | None:
    """A row for the base and for each checkpoint; None of what is no sweep. A `brief` one has the
    first k alone, and no comparison with the best."""
    sweep = metrics.get("sweep")
    if sweep is None:
        return None
    ks = list(map(str, metrics["k_values"][:1] if brief else metrics["k_values"]))
    base = metrics["models"][sweep["base"]]
    blank = ["", "", "", ""]
    rows = [
        [model_title(sweep["base"]), *(score_text(base["pass_at_k"][k]) for k in ks), *blank],
        *(_row(metrics, ks, point, sweep["best"]) for point in sweep["points"]),
    ]
    head = ["", *(f"pass@{k}" for k in ks)]
    head += ["Against the base, points", "p, adjusted", "", "Against the best, points"]
    note = (
        f"In square brackets: 95 % intervals over problems. Differences are of pass@{sweep['k']}, "
        "paired over problems; p by sign-flip permutation, adjusted for the number of checkpoints "
        "(Holm)."
    )
    if brief:
        head, rows = head[:-1], [row[:-1] for row in rows]
    return Table(head, rows, 1, note)


def _row(metrics: Metrics, ks: Sequence[str], point: SweepPoint, best: str | None) -> list[str]:
    label, base = point["label"], point["against_base"]
    return [
        f"{label} (best)" if label == best else label,
        *(score_text(metrics["models"][label]["pass_at_k"][k]) for k in ks),
        _difference(base),
        p_text(base["p_adjusted"]).removeprefix("= ") if base else "",
        _CHANGES[change_of(point)],
        _difference(point["against_best"]),
    ]


def _difference(found: Against | None) -> str:
    return difference_text(found["difference"]) if found else ""


def change_table(metrics: Metrics) -> Table | None:
    """What each checkpoint solves that the one before did not, and the other way round."""
    sweep = metrics.get("sweep")
    if sweep is None:
        return None
    rows = [
        [
            point["label"],
            _tasks(point["gained"]),
            _tasks(point["lost"]),
            str(len(point["gained"])),
            str(len(point["lost"])),
        ]
        for point in sweep["points"]
    ]
    note = (
        "Against the checkpoint before, the first against the base. A problem is solved when more "
        "than half of its samples pass. All of them are in metrics.json."
    )
    return Table(["", "Solved anew", "No longer solved", "Gained", "Lost"], rows, 3, note)


def _tasks(tasks: Sequence[str]) -> str:
    more = len(tasks) - _LISTED
    return ", ".join(tasks[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def confirm_command(run: Run, metrics: Metrics) -> str:
    """The line that measures the best checkpoint anew with a seed of its own; empty where it is not
    known how the samples were drawn."""
    sweep, models = metrics.get("sweep"), run.metadata and run.metadata.get("models")
    if not sweep or not sweep["best"] or not models:
        return ""
    base, best = models[sweep["base"]], models[sweep["best"]]
    told, seed = run.arguments, run.arguments.get("seed")
    if not isinstance(seed, int):
        return ""
    words = ["sigil-eval", "run", "--base-model", base["name"]]
    words += ["--checkpoint-path", best.get("adapter") or best["name"], "--seed", str(seed + 1)]
    for name in ("num_samples", "temperature", "top_p", "top_k", "max_new_tokens", "problem_set"):
        if told.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", str(told[name])]
    words += ["--k-values", ",".join(map(str, metrics["k_values"]))]
    words += ["--output-dir", f"{run.folder.name or 'sweep'}_confirmed"]
    return shlex.join(words)


def caution(run: Run, metrics: Metrics) -> Iterator[Block]:
    """That the best score is too high, and how to have one that is not."""
    sweep = metrics.get("sweep")
    if sweep is not None and len(sweep["points"]) > 1:
        yield Paragraph(TOO_HIGH, lead="Chosen by its score.")
        if command := confirm_command(run, metrics):
            yield Commands(command)


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    metrics = run.metrics[mode]
    if (table := sweep_table(metrics)) and (changes := change_table(metrics)):
        yield Heading(TITLE)
        yield table
        yield from caution(run, metrics)
        yield Heading("What was gained and lost on the way", level=3)
        yield changes


def _in_summary(run: Run) -> Iterator[Block]:
    for mode, metrics in run.metrics.items():
        if table := sweep_table(metrics):
            yield Heading(f"{TITLE}: {MODE_TITLES[mode]}")
            yield table
    yield from caution(run, run.first_metrics)


SECTION = Section("sweep", _in_comparison, _in_summary)
