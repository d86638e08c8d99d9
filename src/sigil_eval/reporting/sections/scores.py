"""Scores: pass@k of each model, the difference of the two, and what a comparison can see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import PairedComparison
from sigil_eval.reporting.blocks import Block, Heading, Paragraph, Table, linked, narrow, there
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections import answers
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import (
    COLUMN_TITLES,
    MEANING_OF_ERRATA,
    MEANING_OF_PLUS,
    MEANING_OF_SCORES,
    MODE_TITLES,
    coverage,
    difference_text,
    figure_name,
    listed,
    model_title,
    p_text,
    points,
    score_text,
)
from sigil_eval.run_folder import Mode
from sigil_eval.settings import Column


def subject_table(run: Run, metrics: Metrics) -> Table:
    """Which models, and how much of them was scored."""
    rows = []
    for label, model in metrics["models"].items():
        samples = model["samples"]
        low, high = samples["fewest_per_problem"], samples["most_per_problem"]
        rows.append(
            [
                model_title(label),
                run.model_name(label),
                f"{model['problems']['scored']} of {metrics['problem_set']['problems']}",
                f"{samples['scored']} of {samples['total']}",
                str(low) if low == high else f"{low} to {high}",
            ]
        )
    return Table(["", "Model", "Problems scored", "Samples scored", "Per problem"], rows, 2)


def score_table(metrics: Metrics) -> Table:
    """pass@k of each model with its interval, and the paired difference."""
    labels, comparison = list(metrics["models"]), metrics["comparison"]
    head = ["", *(model_title(label) for label in labels)]
    if comparison is not None:
        head += ["Difference, points", "p", "p, adjusted"]
    rows = []
    for k in map(str, metrics["k_values"]):
        row = [f"pass@{k}"]
        row += [_score_cell(metrics, label, k) for label in labels]
        if comparison is not None:
            row += _difference_cells(metrics["mode"], k, comparison["pass_at_k"][k])
        rows.append(row)
    note = f"{MEANING_OF_SCORES} In square brackets: 95 % intervals over problems."
    return narrow(Table(head, rows, 1, note))


def _score_cell(metrics: Metrics, label: str, k: str) -> str:
    """A score, with the problems that it comes from."""
    mode, text = metrics["mode"], score_text(metrics["models"][label]["pass_at_k"][k])
    return linked(text, figure_name(mode, k, label), mode=mode, model=label, verdict="passed")


def _difference_cells(mode: Mode, k: str, paired: PairedComparison | None) -> list[str]:
    if paired is None:
        return ["none", "", ""]
    text = difference_text(paired["difference"])
    return [
        linked(text, figure_name(mode, k), mode=mode, sort="gain"),
        p_text(paired["p"]).removeprefix("= "),
        p_text(paired["p_adjusted"]).removeprefix("= "),
    ]


def statistics_table(metrics: Metrics) -> Table | None:
    """The cross-check of the interval, and what a comparison of this size can see."""
    comparison = metrics["comparison"]
    if comparison is None:
        return None
    rows = []
    single = min(m["samples"]["fewest_per_problem"] for m in metrics["models"].values()) < 2
    for k, paired in comparison["pass_at_k"].items():
        if paired is not None:
            seen, boot = paired["minimum_detectable"], paired["bootstrap"]
            rows.append(
                [
                    f"pass@{k}",
                    f"{points(boot['low'])} to {points(boot['high'])}",
                    "unknown" if seen is None else points(seen),
                    str(paired["needed_problems"] or "none"),
                    _needed_samples(paired, k, single),
                ]
            )
    head = [
        "",
        "Bootstrap interval, points",
        "True difference found four times out of five, points",
        "Problems needed",
        "Samples per problem needed",
    ]
    note = (
        f"pass@{comparison['primary']} decides; the others are adjusted among themselves (Holm). "
        "The p is that of a sign-flip permutation test over problems. “Needed” is what would make "
        "a true difference as large as the observed one be found four times out of five (80 % "
        "power, 5 % level); smaller true differences are found too, only less often. "
        "“none” means that no number would."
    )
    return Table(head, rows, 1, note) if rows else None


def _needed_samples(paired: PairedComparison, k: str, single: bool) -> str:
    if paired["needed_samples"] is not None:
        return str(paired["needed_samples"])
    if k != "1":
        return ""
    return "unknown (one sample)" if single else "none"


def columns_of(metrics: Metrics) -> list[Column]:
    """The columns that are known of every model, the headline first."""
    beside = [model["columns"].keys() for model in metrics["models"].values()]
    known = [column for column in COLUMN_TITLES if all(column in found for found in beside)]
    return [metrics["headline"], *known]


def _lacking(metrics: Metrics) -> list[Column]:
    """The columns that the problem set has and the results do not tell of."""
    named = metrics["problem_set"]
    has = {"published": True, "errata": named["errata_sha256"], "plus": named["plus_sha256"]}
    known = columns_of(metrics)
    return [column for column in COLUMN_TITLES if has[column] and column not in known]


def headline_sentence(metrics: Metrics) -> str:
    """Which of the columns of a benchmark is at the head, and which stand beside it."""
    head, *beside = (COLUMN_TITLES[column].lower() for column in columns_of(metrics))
    lacking = ", ".join(COLUMN_TITLES[column].lower() for column in _lacking(metrics))
    if not beside and not lacking:
        return "The problems are used as published; there are no errata."
    told = f"The headline scores are those {head}"
    told += f"; those {' and those '.join(beside)} stand beside them." if beside else "."
    if lacking:
        told += f" Not available, as the results do not tell of them: those {lacking}."
    return told


def columns_sentence(metrics: Metrics) -> str:
    """The primary difference in the columns beside the headline; empty where none is known."""
    comparison = metrics["comparison"]
    if comparison is None or not comparison["columns"]:
        return ""
    primary, part = comparison["primary"], coverage(metrics)
    ending = f", {part}" if part else ""
    told = [f"This headline is {COLUMN_TITLES[metrics['headline']].lower()}."]
    for column, by_k in comparison["columns"].items():
        paired = by_k[str(primary)]
        if paired is not None:
            found = paired["difference"]
            interval = f"95 % interval {points(found['low'])} to {points(found['high'])}"
            told.append(
                f"{COLUMN_TITLES[column]}: {points(found['mean'], sign=True)} points of "
                f"pass@{primary} ({interval}, p {p_text(paired['p'])}{ending})."
            )
    return " ".join(told)


def columns_table(metrics: Metrics, k_values: Sequence[int] | None = None) -> Table | None:
    """The scores by column, the headline first; None where there is no other column."""
    models, comparison = metrics["models"], metrics["comparison"]
    head, *beside = columns_of(metrics)
    if not beside:
        return None
    rows = []
    for k in map(str, k_values or metrics["k_values"]):
        for label, model in models.items():
            scores = [model["pass_at_k"][k]]
            scores += [model["columns"][column]["pass_at_k"][k] for column in beside]
            rows.append([model_title(label), f"pass@{k}", *map(score_text, scores)])
        if comparison is not None:
            pairs = [comparison["pass_at_k"][k]]
            pairs += [comparison["columns"][column][k] for column in beside]
            differences = (difference_text(pair and pair["difference"]) for pair in pairs)
            rows.append(["Difference, points", f"pass@{k}", *differences])
            rows.append(["p, adjusted", f"pass@{k}", *map(_p_cell, pairs)])
    titles = [f"{COLUMN_TITLES[head]} (headline)", *(COLUMN_TITLES[column] for column in beside)]
    meaning = MEANING_OF_ERRATA
    if "plus" in (head, *beside):
        meaning = f"{meaning} {MEANING_OF_PLUS}"
    return Table(["", "", *titles], rows, 2, meaning)


def _p_cell(paired: PairedComparison | None) -> str:
    return "" if paired is None else p_text(paired["p_adjusted"]).removeprefix("= ")


def flagged_table(metrics: Metrics) -> Table | None:
    """The headline beside the scores without the flagged problems; None where there are none."""
    models, comparison = metrics["models"], metrics["comparison"]
    rows = []
    for k in map(str, metrics["k_values"]):
        for label, model in models.items():
            if model["without_flagged"] is None:
                return None
            scores = model["pass_at_k"][k], model["without_flagged"][k]
            rows.append([model_title(label), f"pass@{k}", *map(score_text, scores)])
        if comparison is not None and comparison["without_flagged"] is not None:
            paired = comparison["pass_at_k"][k]
            both = paired and paired["difference"], comparison["without_flagged"][k]
            rows.append(["Difference, points", f"pass@{k}", *map(difference_text, both)])
    return Table(["", "", "All problems (headline)", "Without flagged ones"], rows, 2)


def flagged_sentence(metrics: Metrics) -> str:
    """Which problems measure little; empty where none is known to."""
    flagged = metrics["problem_set"]["flagged"]
    if not flagged:
        return ""
    return (
        f"Flagged, because they measure little: {listed(flagged)} "
        "(sigil-eval problems TASK says why)."
    )


def flagged_blocks(metrics: Metrics) -> list[Block]:
    """What to say of the flagged problems."""
    return there([Paragraph(flagged_sentence(metrics)), flagged_table(metrics)])


def _in_comparison(run: Run, mode: Mode) -> list[Block]:
    metrics = run.metrics[mode]
    return there(
        [
            Heading("Scores"),
            subject_table(run, metrics),
            None if "sweep" in metrics else score_table(metrics),
            statistics_table(metrics),
            Paragraph(headline_sentence(metrics)),
            columns_table(metrics),
            *flagged_blocks(metrics),
        ]
    )


def _in_summary(run: Run) -> Iterator[Block]:
    for mode, metrics in run.metrics.items():
        yield Heading(f"Scores: {MODE_TITLES[mode]}")
        headline = Paragraph(headline_sentence(metrics))
        if "sweep" in metrics:  # whose table has the scores
            yield from there([headline, columns_table(metrics, metrics["k_values"][:1])])
        else:
            columns, flagged = columns_table(metrics), flagged_blocks(metrics)
            yield from there([score_table(metrics), headline, columns, *flagged])
        yield from answers.left_out_blocks(metrics)


SECTION = Section("scores", _in_comparison, _in_summary)
