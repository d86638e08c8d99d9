"""A run that has all of its samples loads no tokenizer, and notices every change as before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from few_problems import write_problems
from sigil_eval.errors import UsageError
from sigil_eval.files import dump_row
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, Trust, prompting
from sigil_eval.generation.generate import generate_samples
from sigil_eval.generation.journal import journal_path
from sigil_eval.generation.plan import Job, Plan, plan_for
from sigil_eval.generation.settled import settle
from sigil_eval.problems import ProblemSet

ROOT = Path(__file__).parents[2]
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>"
# What a call has imported of what takes seconds, and how it ended.
CALL = """\
import sys
from sigil_eval.cli import main
ended = main(sys.argv[1:])
print("imported", *sorted({"torch", "transformers", "tokenizers"} & set(sys.modules)))
sys.exit(ended)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what was settled is kept, in a folder of each test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sigil-eval" / "settled"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models whose tokenizers were loaded."""
    names: list[str] = []
    load = prompting.load_tokenizer

    def recording(model: Any) -> Any:
        names.append(model.base.name)
        return load(model)

    monkeypatch.setattr(prompting, "load_tokenizer", recording)
    return names


@pytest.fixture
def job(tmp_path: Path, humaneval: ProblemSet) -> Job:
    """Two samples each of two problems, of copies of the demo's base and adapter."""
    for name in ("base", "adapter"):
        shutil.copytree(ROOT / "demo/models" / name, tmp_path / name)
    spec = ModelSpec(str(tmp_path / "base"), str(tmp_path / "adapter"), prompt_as_base=True)
    params = SamplingParams(num_samples=2, max_new_tokens=8)
    options = EngineOptions(device="cpu")
    return Job(spec, tuple(humaneval.problems[:2]), params, "auto", options)


def draw(job: Job, output: Path) -> int:
    """How many samples were drawn that were not there before."""
    summary = generate_samples(
        job.model,
        job.problems,
        job.params,
        output,
        prompt_mode=job.prompt_mode,
        options=job.options,
    )
    return summary.new_samples


def edit_json(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value))


def test_a_finished_run_imports_neither_torch_nor_transformers(
    tmp_path: Path, humaneval: ProblemSet
) -> None:
    """As eval_setup.sh --demo calls it, on a few problems."""
    few = [problem for problem in humaneval.problems if not problem.crates][::40]
    models = ROOT / "demo" / "models"
    call = [
        sys.executable, "-c", CALL, "run", "--base-model", str(models / "base"),
        "--checkpoint-path", str(models / "adapter"), "--device", "cpu", "--demo", "--no-strict",
        *write_problems(tmp_path / "problems.jsonl", few), "--num-samples", "1", "--k-values", "1",
        "--output-dir", str(tmp_path / "out"), "--provision-state", str(tmp_path),
    ]  # fmt: skip

    def imported() -> list[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(call, env=env, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1].split()[1:]

    assert "torch" in imported()
    samples = tmp_path / "out" / "samples" / "finetuned.jsonl"
    first, metadata = samples.read_bytes(), tmp_path / "out" / "eval_metadata.json"
    models_recorded = json.loads(metadata.read_text())["models"]
    assert imported() == []
    assert json.loads(metadata.read_text())["models"] == models_recorded
    journal = journal_path(samples)
    lines = journal.read_text().split("\n")
    journal.write_text("\n".join(lines[:1] + lines[2:]))
    assert "transformers" in imported()
    assert samples.read_bytes() == first
    assert imported() == []


def test_what_was_settled_is_what_a_plan_says(job: Job, loaded: list[str]) -> None:
    for mode in ("auto", "chat"):
        one = replace(job, prompt_mode=mode)
        plan = settle(one)
        assert isinstance(plan, Plan) and loaded
        loaded.clear()
        kept = settle(one)
        assert not isinstance(kept, Plan) and not loaded
        assert all(getattr(plan, name) == value for name, value in vars(kept).items())
        assert kept.settings() == plan_for(one).settings()
        (Path(str(job.model.base)) / "chat_template.jinja").write_text(TEMPLATE)


def bring_a_tokenizer(folder: Path) -> None:
    """Have the adapter bring the base's tokenizer with a token more."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / "base" / name, folder / "adapter" / name)

    def add(tokenizer: dict[str, Any]) -> None:
        number = 1 + max(tokenizer["model"]["vocab"].values())
        more = {**tokenizer["added_tokens"][0], "content": "<|pad|>", "id": number}
        tokenizer["added_tokens"].append(more)

    edit_json(folder / "adapter" / "tokenizer.json", add)


def another_special_token(folder: Path) -> None:
    edit_json(
        folder / "base" / "tokenizer_config.json",
        lambda config: config.update(bos_token=config["eos_token"]),
    )


def another_adapter(folder: Path) -> None:
    edit_json(
        folder / "adapter" / "adapter_config.json", lambda config: config.update(lora_alpha=1)
    )


def another_template(folder: Path) -> None:
    (folder / "base" / "chat_template.jinja").write_text(TEMPLATE)


def a_template_of_the_adapters(folder: Path) -> None:
    bring_a_tokenizer(folder)
    (folder / "adapter" / "chat_template.jinja").write_text(TEMPLATE)


CHANGES = [
    bring_a_tokenizer, another_special_token, another_adapter, another_template,
    a_template_of_the_adapters,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_model_brings_is_read_anew_and_refused(
    job: Job, tmp_path: Path, loaded: list[str], change: Callable[[Path], None]
) -> None:
    output = tmp_path / "samples.jsonl"
    assert draw(job, output) == 4
    loaded.clear()
    assert draw(job, output) == 0 and not loaded
    change(tmp_path)
    with pytest.raises(UsageError, match=r"(model|adapter) revision was"):
        draw(job, output)
    assert loaded
    found = settle(job)
    assert found.settings() == plan_for(job).settings()
    assert found.prompting == plan_for(job).prompting


def test_a_way_of_asking_that_training_has_recorded_is_held_to(job: Job, tmp_path: Path) -> None:
    """training.json is none of the files that make an adapter's revision."""
    settle(job)
    recorded = {"prompt": {"mode": "chat", "template_sha256": "0" * 64}}
    (tmp_path / "adapter" / "training.json").write_text(json.dumps(recorded))
    with pytest.raises(UsageError, match="was trained in prompt mode chat"):
        settle(job)


def test_a_template_in_a_folder_of_its_own_is_read_anew(job: Job, tmp_path: Path) -> None:
    another_template(tmp_path)
    settle(job)
    more = tmp_path / "base" / "additional_chat_templates"
    more.mkdir()
    (more / "tool_use.jinja").write_text(TEMPLATE)
    assert isinstance(settle(job), Plan)


def test_other_libraries_settle_anew(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(job)
    assert not isinstance(settle(job), Plan)
    (tmp_path / "site" / "transformers-99.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert isinstance(settle(job), Plan)
    monkeypatch.setattr(sys, "version", "3.99")
    assert isinstance(settle(job), Plan)


def test_other_problems_and_modes_settle_anew(job: Job) -> None:
    settle(job)
    first = job.problems[0]
    assert isinstance(settle(replace(job, prompt_mode="completion")), Plan)
    reworded = replace(first, prompt=f"// Try.\n{first.prompt}")
    assert isinstance(settle(replace(job, problems=(reworded, *job.problems[1:]))), Plan)
    alone = replace(job, model=replace(job.model, prompt_as_base=False))
    assert settle(alone).prompting == plan_for(alone).prompting


def test_what_a_models_own_code_says_is_not_kept(job: Job, cache: Path) -> None:
    trusting = replace(job, model=replace(job.model, trust=Trust(remote_code=True)))
    for _ in range(2):
        assert isinstance(settle(trusting), Plan)
    assert not cache.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"prompt_mode": "chat"}', "{"])
def test_what_was_kept_otherwise_is_settled_anew(
    job: Job, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    settle(job)
    monkeypatch.setattr("sigil_eval.kept.Kept.find", lambda *_: text.encode())
    assert isinstance(settle(job), Plan)


def test_what_is_drawn_is_planned_anew(job: Job, tmp_path: Path, loaded: list[str]) -> None:
    """So that what was kept, were it wrong, could spoil no sample."""
    output = tmp_path / "samples.jsonl"
    draw(job, output)
    samples, journal = output.read_bytes(), journal_path(output)
    lines = journal.read_text().split("\n")
    journal.write_text("\n".join(lines[:1] + lines[2:]))
    loaded.clear()
    assert draw(job, output) == 1 and loaded
    assert output.read_bytes() == samples


def test_a_prompt_that_was_kept_is_compared(job: Job, tmp_path: Path) -> None:
    output = tmp_path / "samples.jsonl"
    draw(job, output)
    journal = journal_path(output)
    first, *rows = journal.read_text().split("\n")
    rows[0] = dump_row({**json.loads(rows[0]), "prompt_sha256": "0" * 64})
    journal.write_text("\n".join([first, *rows]))
    assert not isinstance(settle(job), Plan)
    with pytest.raises(UsageError, match="made from another prompt"):
        draw(job, output)
