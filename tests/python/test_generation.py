"""Generation with the demo's real models: the same request gives the same samples."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from demo_models import BASE, MODELS, ROOT, TUNED  # noqa: E402
from sigil_eval.errors import UsageError  # noqa: E402
from sigil_eval.files import sha256_text  # noqa: E402
from sigil_eval.generation import (  # noqa: E402
    EngineOptions,
    GenerationSummary,
    ModelSpec,
    SamplingParams,
    generate_samples,
    plan,
)
from sigil_eval.generation.journal import SampleJournal, journal_path  # noqa: E402
from sigil_eval.problems import Problem, ProblemSet  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

# Hot enough that samples of one problem differ, and that some run into the token limit.
PARAMS = SamplingParams(num_samples=4, temperature=0.9, max_new_tokens=60)
TASKS = (0, 5, 14, 23, 42, 57, 60, 63, 84, 100, 122, 159)


@pytest.fixture(scope="module")
def problems(humaneval: ProblemSet) -> tuple[Problem, ...]:
    """A dozen problems, short and long, known and unknown to the models."""
    return tuple(humaneval.by_id[f"HumanEval/{number}"] for number in TASKS)


def draw(
    output: Path, problems: tuple[Problem, ...], params: SamplingParams = PARAMS, **options: Any
) -> GenerationSummary:
    """Generate with the fine-tuned model on the CPU."""
    names = set(EngineOptions.__dataclass_fields__) & set(options)
    engine = EngineOptions(**{"device": "cpu", **{name: options.pop(name) for name in names}})
    model = options.pop("model", TUNED)
    return generate_samples(model, problems, params, output, options=engine, **options)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a samples file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, problems: tuple[Problem, ...]) -> Path:
    """All samples, drawn in one go."""
    output = tmp_path_factory.mktemp("full") / "tuned.jsonl"
    draw(output, problems)
    return output


def test_rows_are_complete_and_in_order(full: Path, problems: tuple[Problem, ...]) -> None:
    rows = read(full)
    order = [(row["task_id"], row["sample_index"]) for row in rows]
    assert order == [(problem.task_id, i) for problem in problems for i in range(4)]
    by_id = {problem.task_id: problem for problem in problems}
    for row in rows:
        assert row["prompt_sha256"] == sha256_text(by_id[row["task_id"]].prompt)
        assert row["model"] == TUNED.checkpoint
        assert 1 <= row["tokens"] <= 60
    assert {row["finish_reason"] for row in rows} == {"stop", "complete", "length"}
    assert len({row["completion"] for row in rows if row["task_id"] == "HumanEval/84"}) > 1


def test_the_summary_counts_what_was_done(tmp_path: Path, problems: tuple[Problem, ...]) -> None:
    seen: list[tuple[int, int, int]] = []
    output = tmp_path / "tuned.jsonl"
    summary = draw(output, problems[:3], progress=lambda *state: seen.append(state))
    rows = read(output)
    tokens = sum(row["tokens"] for row in rows)
    assert (summary.samples, summary.new_samples, summary.resumed_samples) == (12, 12, 0)
    assert summary.tokens == tokens
    assert summary.truncated == sum(row["finish_reason"] == "length" for row in rows)
    assert [done for done, _, _ in seen] == list(range(1, 13))
    assert seen[-1] == (12, 12, tokens)
    assert (summary.device, summary.dtype, summary.attention) == ("cpu", "float32", "sdpa")
    assert summary.prompt_mode == "completion"
    assert summary.adapter_revision == rows[0]["revision"] != summary.model_revision

    again = draw(output, problems[:3])
    assert (again.samples, again.new_samples, again.resumed_samples) == (12, 0, 12)
    assert (again.truncated, again.dtype) == (summary.truncated, "float32")


def test_a_part_is_the_same_as_in_the_whole(
    full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    part = tmp_path / "tuned.jsonl"
    chosen = (problems[8], problems[2])
    draw(part, chosen, replace(PARAMS, num_samples=2))
    whole = {(row["task_id"], row["sample_index"]): row for row in read(full)}
    rows = read(part)
    assert [row["task_id"] for row in rows] == ["HumanEval/84"] * 2 + ["HumanEval/14"] * 2
    assert rows == [whole[row["task_id"], row["sample_index"]] for row in rows]


@pytest.mark.parametrize("batch_size", [3, 17])
def test_the_batch_size_does_not_matter(
    batch_size: int, full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    draw(output, problems, batch_size=batch_size)
    assert output.read_bytes() == full.read_bytes()


def test_more_samples_extend_what_is_there(
    full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    draw(output, problems[:6], replace(PARAMS, num_samples=1))
    summary = draw(output, problems)
    assert (summary.new_samples, summary.resumed_samples) == (42, 6)
    assert output.read_bytes() == full.read_bytes()
    draw(output, problems[:6], replace(PARAMS, num_samples=1))
    assert len(read(output)) == 6


def test_a_complete_file_is_left_alone(full: Path, problems: tuple[Problem, ...]) -> None:
    before = full.stat()
    assert draw(full, problems).new_samples == 0
    after = full.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


KILLED = """
import sys
from pathlib import Path
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.problems import load_problem_set

base, adapter, output = sys.argv[1:4]
by_id = load_problem_set("humaneval-rust").by_id
generate_samples(
    ModelSpec(base, adapter),
    [by_id[f"HumanEval/{number}"] for number in sys.argv[4].split(",")],
    SamplingParams(num_samples=4, temperature=0.9, max_new_tokens=60),
    Path(output),
    options=EngineOptions(batch_size=2, device="cpu"),
)
"""


def kill_at(lines: int, output: Path) -> None:
    """Generate in another process, and kill it once its journal has so many lines."""
    journal = journal_path(output)
    tasks = ",".join(map(str, TASKS))
    command = [sys.executable, "-c", KILLED, str(MODELS / "base"), str(MODELS / "adapter")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([*command, str(output), tasks], env=environment) as process:
        while process.poll() is None:
            if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert not output.exists()


def test_killed_twice_and_resumed_is_the_same_as_uninterrupted(
    full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    kill_at(1, output)  # the settings alone
    kill_at(12, output)
    with journal_path(output).open("ab") as stream:
        stream.write(b'{"task_id": "HumanEval/0", "sample_in')  # a line torn by the kill
    summary = draw(output, problems)
    assert summary.resumed_samples >= 11
    assert summary.new_samples == 48 - summary.resumed_samples > 0
    assert output.read_bytes() == full.read_bytes()


def test_an_interrupt_keeps_what_is_finished(
    full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"

    def interrupt(done: int, total: int, tokens: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(output, problems, progress=interrupt)
    assert not output.exists()
    assert draw(output, problems).resumed_samples == 7
    assert output.read_bytes() == full.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"params": replace(PARAMS, temperature=0.8)}, "temperature was 0.9, is now 0.8"),
        ({"params": replace(PARAMS, seed=5)}, "seed was 1234, is now 5"),
        ({"params": replace(PARAMS, top_k=0)}, "top_k was 50, is now 0"),
        ({"params": replace(PARAMS, max_new_tokens=61)}, "max_new_tokens was 60, is now 61"),
        ({"early_stop": False}, "early_stop was True, is now False"),
        ({"sampler": 3}, "sampler version was 2, is now 3"),
        ({"dtype": "bfloat16"}, "dtype was float32, is now bfloat16"),
        ({"model": BASE}, "adapter revision was sha256:"),
        (
            {"engine": "hf-static"},
            r"engine was hf, is now hf-static\. Use the earlier settings \(--engine hf\)",
        ),
    ],
)
def test_other_settings_are_refused_by_name(
    change: dict[str, Any],
    message: str,
    full: Path,
    problems: tuple[Problem, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = full.read_bytes(), journal_path(full).read_bytes()
    change = dict(change)
    if sampler := change.pop("sampler", None):
        monkeypatch.setattr(plan, "SAMPLER_VERSION", sampler)
    with pytest.raises(UsageError, match=message):
        draw(full, problems, **change)
    assert (full.read_bytes(), journal_path(full).read_bytes()) == before


def test_another_prompt_is_refused(full: Path, problems: tuple[Problem, ...]) -> None:
    changed = replace(problems[0], prompt="// Another text.\n" + problems[0].prompt)
    with pytest.raises(UsageError, match="HumanEval/0 made from another prompt"):
        draw(full, (changed, *problems[1:]))


def test_a_samples_file_of_unknown_origin_is_not_overwritten(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "tuned.jsonl"
    output.write_text("{}\n")
    with pytest.raises(UsageError, match="move the file away"):
        draw(output, problems)
    assert output.read_text() == "{}\n"


def test_only_one_process_may_write(full: Path, problems: tuple[Problem, ...]) -> None:
    with SampleJournal(full), pytest.raises(UsageError, match="another process"):
        draw(full, problems)
    assert draw(full, problems).new_samples == 0


def test_a_refused_request_leaves_nothing_behind(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "samples" / "tuned.jsonl"
    with pytest.raises(UsageError, match="no such folder"):
        draw(output, problems, model=ModelSpec(str(tmp_path / "nowhere")))
    with pytest.raises(UsageError, match="batch-size"):
        draw(output, problems, batch_size=0)
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        draw(output, problems, device="tpu")
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_prompt_too_long_for_the_model_is_named(
    tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    long = replace(problems[0], task_id="Long/1", prompt="// word\n" * 1000 + problems[0].prompt)
    with pytest.raises(UsageError, match=r"Long/1: its prompt has \d+ tokens.*holds 1024"):
        draw(tmp_path / "tuned.jsonl", (problems[1], long))


def test_replay_gives_the_samples_of_a_file(
    full: Path, tmp_path: Path, problems: tuple[Problem, ...]
) -> None:
    output = tmp_path / "again.jsonl"
    draw(output, problems[:4], model=ModelSpec(str(full)), engine="replay")
    fields = ("task_id", "sample_index", "completion", "tokens", "finish_reason")
    again = [[row[field] for field in fields] for row in read(output)]
    assert again == [[row[field] for field in fields] for row in read(full)[:16]]
    more = replace(PARAMS, num_samples=5)
    with pytest.raises(UsageError, match="no sample 4 of HumanEval/0"):
        draw(tmp_path / "more.jsonl", problems, more, model=ModelSpec(str(full)), engine="replay")


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_samples": 0},
        {"temperature": -1},
        {"top_p": 0},
        {"top_p": 1.5},
        {"top_k": -1},
        {"max_new_tokens": 0},
    ],
)
def test_meaningless_values_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong)).replace("_", "-")):
        SamplingParams(**wrong)  # type: ignore[arg-type]


def test_importing_generation_does_not_import_torch() -> None:
    code = (
        "import sys, sigil_eval.generation, sigil_eval.prompts, sigil_eval.cli; "
        "sigil_eval.cli.main(['run', '--help']); "
        "heavy = ('torch', 'transformers', 'huggingface_hub', 'peft', 'scipy', 'numpy'); "
        "print([module for module in heavy if module in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
