"""How numbers are written for people, and what models and modes are called."""

from __future__ import annotations

from collections.abc import Sequence

from sigil_eval.documents import Metrics
from sigil_eval.documents.estimates import MeanInterval
from sigil_eval.documents.metrics import Rate
from sigil_eval.run_folder import BASE, TUNED, Mode
from sigil_eval.settings import Column

MODE_TITLES: dict[Mode, str] = {"no-policy": "Pure HumanEval", "policy": "Policy enforced"}
# What the words mean, to stand beside them.
MODE_MEANINGS: dict[Mode, str] = {
    "no-policy": "Every answer that passes its tests counts.",
    "policy": "Answers that use what the policy forbids (unsafe code, files, network, processes …) "
    "count as failed, whatever their tests say.",
}
MEANING_OF_SCORES = (
    "pass@k: the chance that at least one of k answers to a problem passes its tests, on average "
    "over the problems."
)
MEANING_OF_ERRATA = (
    "Errata: corrections of published problems that right answers fail or wrong ones pass, each "
    "with its reason."
)
MEANING_OF_PLUS = (
    "Plus cases: more inputs for each problem, on whose results independent answers agree; asked "
    "of what passes with errata."
)
MEANING_OF_MAIN_FREE = (
    "An answer is main-free when it is the function asked for, without a program around it; a main "
    "function is left out before an answer is judged."
)
# The columns of scores: by which tests an answer passes.
COLUMN_TITLES: dict[Column, str] = {
    "published": "As published",
    "errata": "With errata",
    "plus": "With plus cases",
}
_MODEL_TITLES = {BASE: "Base", TUNED: "Fine-tuned"}
LISTED_PROBLEMS = 40


def model_title(label: str) -> str:
    """`Base`, `Fine-tuned`, or the label itself."""
    return _MODEL_TITLES.get(label, label)


def listed(tasks: Sequence[str]) -> str:
    """Task ids in a row, the first of many."""
    more = len(tasks) - LISTED_PROBLEMS
    return ", ".join(tasks[:LISTED_PROBLEMS]) + (f" and {more} more" if more > 0 else "")


def points(share: float, sign: bool = False) -> str:
    """A share or difference in percentage points, one decimal, with a real minus sign: `4.2`."""
    text = f"{100 * share:+.1f}"
    if text in ("+0.0", "-0.0"):
        return "0.0"
    text = text.replace("-", "\N{MINUS SIGN}")
    return text if sign else text.removeprefix("+")


def p_text(p: float) -> str:
    """`= 0.03`, `< 0.001`."""
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def percent(share: float | None) -> str:
    """`41.5 %`, or `none` where there is nothing to take a share of."""
    return "none" if share is None else f"{100 * share:.1f} %"


def score_text(estimate: MeanInterval | None) -> str:
    """A score with its interval: `41.5 % [34.0, 49.1]`."""
    if estimate is None:
        return "none"
    return f"{percent(estimate['mean'])} [{points(estimate['low'])}, {points(estimate['high'])}]"


def difference_text(estimate: MeanInterval | None) -> str:
    """A difference in points with its interval: `+4.2 [1.1, 7.3]`."""
    if estimate is None:
        return "none"
    low, high = points(estimate["low"]), points(estimate["high"])
    return f"{points(estimate['mean'], sign=True)} [{low}, {high}]"


def agreement_text(low: float | None, high: float | None) -> str:
    """Of all results, how many would get the same verdict again: `96.4 to 100.0 % (95 % …)`."""
    ends = "unknown" if low is None or high is None else f"{points(low)} to {percent(high)}"
    return f"{ends} (95 % interval)"


def rate_text(rate: Rate) -> str:
    """A rate with its interval and counts: `83.1 % [80.0, 86.2] (13628 of 16400)`."""
    if rate["rate"] is None or rate["low"] is None or rate["high"] is None:
        return "none"
    interval = f"[{points(rate['low'])}, {points(rate['high'])}]"
    return f"{percent(rate['rate'])} {interval} ({rate['count']} of {rate['of']})"


def coverage(metrics: Metrics) -> str:
    """How much of the problem set the samples are of, where that is a part: `12 of 164 problems`.

    Where the models have not the same number, `12 and 30 of 164 problems`.
    """
    whole = metrics["problem_set"]["problems"]
    covered = dict.fromkeys(m["problems"]["covered"] for m in metrics["models"].values())
    if set(covered) <= {whole}:
        return ""
    return f"{' and '.join(map(str, covered))} of {whole} problems"


def verdict_sentence(metrics: Metrics) -> str:
    """The verdict of one mode, or the scores where there is nothing to compare."""
    if "sweep" in metrics:
        return metrics["sweep"]["sentence"]
    if metrics["comparison"] is not None:
        return metrics["comparison"]["verdict"]["sentence"]
    k = str(metrics["k_values"][0])
    part = coverage(metrics)
    on = f", on {part}" if part else ""
    sentences = []
    for label, model in metrics["models"].items():
        score = model["pass_at_k"][k]
        told = "has no verdicts" if score is None else f"scores {score_text(score)} in pass@{k}{on}"
        sentences.append(f"{model_title(label)} {told}.")
    ending = "There is no second model to compare with." if len(sentences) == 1 else ""
    return " ".join([*sentences, ending]).strip()


def absolute_scores(metrics: Metrics, arrow: bool = False) -> str:
    """Both models' primary scores: `Base 12.2 %, fine-tuned 23.5 % (pass@1).`, or as an arrow."""
    comparison = metrics["comparison"]
    paired = comparison["pass_at_k"][str(comparison["primary"])] if comparison else None
    if comparison is None or paired is None:
        return ""
    before, after = percent(paired["base"]), percent(paired["finetuned"])
    part = coverage(metrics)
    if arrow:
        return f"{before} → {after}" + (f" ({part})" if part else "")
    on = f", {part}" if part else ""
    return f"Base {before}, fine-tuned {after} (pass@{comparison['primary']}{on})."


def figure_name(mode: Mode, k: str, label: str = "") -> str:
    """What the page calls a model's score, or the difference, in what it computes anew."""
    return f"{mode} pass@{k} {label or '(difference)'}"


def report_title(labels: Sequence[str], problem_set: str) -> str:
    """What was compared, on what."""
    if list(labels) == [BASE, TUNED]:
        return f"Fine-tuned against base on {problem_set}"
    return f"{' and '.join(map(model_title, labels))} on {problem_set}"
