"""Synthetic problem sets, results rows and runs for the tests of the reports."""

from __future__ import annotations

import copy
import hashlib
import html
import json
import random
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from sigil_eval.files import Row, write_jsonl
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.tally import count_correct_but_rejected

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"alert(1)\"><!--"
FILE_NAMES = {"base": "base_model_results.jsonl", "finetuned": "finetuned_model_results.jsonl"}
REPORTS = (
    "no-policy/comparison_report.md",
    "policy/comparison_report.md",
    "combined_summary.md",
    "report.html",
)


def make_problem_set(count: int, flagged: Sequence[int] = ()) -> ProblemSet:
    """`count` problems T/0, T/1, …, some of them flagged."""
    problems = tuple(
        Problem(
            task_id=f"T/{i}",
            prompt=f"/// Returns {i}.\nfn answer_{i}() -> i64 {{",
            canonical_solution=f"    {i}\n}}\n",
            test=f"\n#[test]\nfn test_{i}() {{\n    assert_eq!(answer_{i}(), {i});\n}}\n",
            entry_point=f"answer_{i}",
            flag="It asks for nothing." if i in flagged else "",
        )
        for i in range(count)
    )
    return ProblemSet("synthetic", problems, "a" * 64, "made up", "b" * 64)


def make_row(task: str, index: int, result: str = "passed", **changes: Any) -> Row:
    """One results row; `result` is "passed", "infrastructure", "unscorable" or an error type."""
    code = changes.pop("code", f"fn answer() -> i64 {{\n    {len(result)} + {index % 3}\n}}\n")
    outcome = result if result in ("passed", "infrastructure", "unscorable") else "failed"
    row: Row = {
        "task_id": task,
        "sample_index": index,
        "completion": f"    {len(result)} + {index % 3}\n}}\n",
        "tokens": 12,
        "finish_reason": "stop",
        "completion_id": index,
        "code": code,
        "extraction": None if result == "extraction_failure" else "body",
        "main_free": True,
        "outcome": outcome,
        "passed": outcome == "passed",
        "result": "passed" if outcome == "passed" else f"failed: {result}",
        "error_type": result if outcome == "failed" else None,
        "compile_ok": result in ("passed", "assertion_failure", "runtime_error", "test_timeout"),
        "test_ok": outcome == "passed",
        "clippy_ok": None,
        "error_codes": ["E0308"] if result == "compile_error" else [],
        "stderr": "error[E0308]: mismatched types" if result == "compile_error" else "",
        "compile_time_ms": 100,
        "run_time_ms": 2,
        "policy_findings": [],
        "uses_unsafe": False,
        "program_sha256": hashlib.sha256(repr(code).encode("utf-8", "replace")).hexdigest(),
    }
    if outcome == "infrastructure":
        row["error_type"] = "infra_sandbox"
    return row | changes


def finding(category: str = "process") -> dict[str, Any]:
    """One policy finding."""
    return {
        "category": category,
        "message": f"{category} is not allowed",
        "line": 1,
        "column": 5,
        "start": 4,
        "end": 9,
    }


def rows_of(outcomes: Sequence[Sequence[str]]) -> list[Row]:
    """Rows from one list of results per problem."""
    return [
        make_row(f"T/{task}", index, result)
        for task, results in enumerate(outcomes)
        for index, result in enumerate(results)
    ]


def counted(passed: Iterable[int], n: int) -> list[Row]:
    """Rows where problem i has `n` samples of which `passed[i]` pass."""
    return rows_of([["passed"] * c + ["assertion_failure"] * (n - c) for c in passed])


def under_policy(rows: Iterable[Row]) -> list[Row]:
    """The rows as policy mode judges them."""
    return [
        row
        | {
            "outcome": "failed",
            "passed": False,
            "result": "failed: policy_violation",
            "error_type": "policy_violation",
            "compile_ok": False,
        }
        if row["policy_findings"] and row["outcome"] != "unscorable"
        else row
        for row in rows
    ]


def write_run(
    folder: Path,
    problem_set: ProblemSet,
    results: dict[str, list[Row]],
    k_values: Sequence[int] = (1,),
    modes: Sequence[str] = ("no-policy", "policy"),
) -> None:
    """Results and metrics.json for each of `modes`, as a run leaves them."""
    for mode in modes:
        judged = {
            label: under_policy(rows) if mode == "policy" else rows
            for label, rows in results.items()
        }
        for label, rows in judged.items():
            write_jsonl(folder / mode / FILE_NAMES.get(label, f"{label}_results.jsonl"), rows)
        rejected = {label: count_correct_but_rejected(rows) for label, rows in results.items()}
        known = rejected if "no-policy" in modes else None
        metrics = build_metrics(mode, judged, problem_set, k_values, correct_but_rejected=known)
        write_metrics(folder / mode / "metrics.json", metrics)


JUDGE = {
    "rustc": "rustc 1.95.0",
    "sandbox": "firejail",
    "compile_seconds": 10.0,
    "run_seconds": 10.0,
    "compile_memory": 4 << 30,
    "run_memory": 2 << 30,
    "crates": ["md5", "rand", "regex"],
    "clippy_required": False,
    "code_sha256": "a" * 64,
}

METADATA: dict[str, Any] = {
    "schema_version": 3,
    "created_at": "2026-11-20T10:00:00Z",
    "demo": False,
    "command": ["python", "scripts/evaluate_humaneval.py", "--num-samples", "10"],
    "arguments": {"num_samples": 10, "k_values": [1, 10]},
    "environment": {"LANG": "C.UTF-8", "SEED": "1234"},
    "git": {"commit": "c" * 40, "dirty": False},
    "machine": {
        "cpu": "Intel(R) Xeon(R) Platinum 8480+",
        "architecture": "x86_64",
        "cores": 26,
        "usable_cores": 26,
        "memory_gib": 221.0,
        "os": "Ubuntu 22.04.5 LTS",
        "kernel": "5.15.0-113-generic",
    },
    "gpus": [
        {
            "name": "NVIDIA H100 PCIe",
            "memory": "81559 MiB",
            "driver": "550.90.07",
            "capability": "9.0",
        }
    ],
    "cuda": "12.8",
    "python": {"version": "3.12.11", "build": "3.12.11 (main) [GCC 11.4.0]"},
    "packages": {"peft": "0.21.2", "torch": "2.8.0", "transformers": "5.23.0"},
    "lock": {"path": "requirements.lock", "sha256": "d" * 64},
    "rustc": {"version": "rustc 1.95.0 (59807616e 2026-04-14)"},
    "sandbox": {"mode": "firejail", "firejail": "0.9.66"},
    "problem_set": {
        "name": "synthetic",
        "source": "made up",
        "sha256": "a" * 64,
        "errata_sha256": "b" * 64,
        "problems": 164,
    },
    "models": {
        "base": {"name": "org/base-8B", "revision": "1" * 40, "dtype": "bfloat16"},
        "finetuned": {
            "name": "org/base-8B",
            "revision": "1" * 40,
            "adapter": "org/adapter/checkpoint-9000",
            "adapter_revision": "2" * 40,
        },
    },
    "prompt_template_sha256": "e" * 64,
    "seeds": {"generation": 1234},
    "durations": {
        "phases": {"generate base": 3900.0, "generate finetuned": 4200.0, "score": 610.5},
        "invocations": 1,
        "provisioning": [
            {
                "step": "rust",
                "state": "applied",
                "seconds": 48.0,
                "finished_at": "2026-11-20T08:00:00Z",
            }
        ],
        "total_seconds": 8758.5,
    },
    "cost": {
        "currency": "USD",
        "price_per_hour": 2.99,
        "hours": 2.4329,
        "gpus": 1,
        "machines": 0,
        "estimate": 7.27,
    },
    "deviations": [],
    "accepted_deviations": [],
    "proof": {
        "ok": True,
        "problems": 164,
        "scorable": 164,
        "reference_answers": 492,
        "controls": 490,
        "programs": 650,
        "unscorable": [],
        "sandbox": ["sandbox: no network"],
    },
    "scoring": {"samples": 3280, "programs": 812, "judged": 812, "infrastructure": 0},
    "rescored": {
        "seed": 1234,
        "samples": 200,
        "programs": 97,
        "agree": 200,
        "undecided": 0,
        "low": 0.9817,
        "high": 1.0,
        "disagreements": [],
    },
    "files": None,
}


def make_metadata(**changes: Any) -> dict[str, Any]:
    """Metadata of an orderly run on the target platform."""
    return copy.deepcopy(METADATA) | changes


PROBLEMS = make_problem_set(20)


def good_results() -> dict[str, list[Row]]:
    """Fine-tuned clearly ahead, with one problem worse and some policy findings."""
    base = counted([1] * 19 + [4], 4)
    tuned = counted([3] * 19 + [2], 4)
    tuned[0]["policy_findings"] = [finding("network")]
    return {"base": base, "finetuned": tuned}


def make_run(
    folder: Path,
    results: dict[str, list[Row]],
    metadata: dict[str, Any] | None = None,
    problem_set: ProblemSet = PROBLEMS,
    **options: Any,
) -> dict[str, str]:
    """Write a run and its reports; the reports' texts by name."""
    write_run(folder, problem_set, results, **options)
    if metadata is not None:
        (folder / "eval_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    written = write_reports(folder, problem_set)
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in written}


def hostile_results() -> dict[str, list[Row]]:
    results = good_results()
    for rows in results.values():
        rows[0] |= {
            "code": HOSTILE,
            "completion": HOSTILE,
            "stderr": HOSTILE,
            "program_sha256": "f" * 64,
            "passed": False,
            "outcome": "failed",
            "error_type": "compile_error",
            "error_codes": [HOSTILE],
            "policy_findings": [finding(HOSTILE)],
        }
        rows[1] |= {"code": "lone surrogate \ud800, bidi \u202e", "program_sha256": "e" * 64}
    return results


def hostile_metadata() -> dict[str, Any]:
    metadata = make_metadata(arguments={"base_model": HOSTILE})
    metadata["models"]["base"]["name"] = HOSTILE
    metadata["deviations"] = [dict.fromkeys(("id", "expected", "actual", "consequence"), HOSTILE)]
    return metadata


def visible(page: str) -> str:
    """The page's text without its data and script, white space flattened."""
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def page_data(page: str, name: str = "problem-data") -> dict[str, Any]:
    """What the page's script reads: of each problem, or what it counts (`data`)."""
    pattern = f'<script type="application/json" id="{name}">(.*?)</script>'
    found = re.search(pattern, page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def validate(document: Any, name: str) -> None:
    """Raises jsonschema.ValidationError unless the document follows the schema of that name."""
    file = resources.files("sigil_eval.documents").joinpath(f"schema/{name}.schema.json")
    jsonschema.validate(document, json.loads(file.read_text(encoding="utf-8")))


def metrics_of(
    base: list[Row] | None, tuned: list[Row] | None = None, problems: int = 12, **options: Any
) -> dict[str, Any]:
    """Metrics that are checked against the schema, as they would be read from the file."""
    given = {"base": base, "finetuned": tuned}
    results = {label: rows for label, rows in given.items() if rows is not None}
    mode = options.pop("mode", "no-policy")
    k_values = options.pop("k_values", [1])
    built = build_metrics(mode, results, make_problem_set(problems), k_values, **options)
    metrics: dict[str, Any] = json.loads(json.dumps(built))
    validate(metrics, "metrics")
    return metrics


def noisy(seed: int, problems: int, n: int, shift: float) -> tuple[list[Row], list[Row]]:
    """Two models with the same problems; the second is better by `shift` on average."""
    chooser = random.Random(seed)
    chances = [chooser.uniform(0.05, 0.9) for _ in range(problems)]

    def draw(offset: float) -> list[int]:
        return [
            sum(chooser.random() < min(1.0, max(0.0, chance + offset)) for _ in range(n))
            for chance in chances
        ]

    return counted(draw(0.0), n), counted(draw(shift), n)
