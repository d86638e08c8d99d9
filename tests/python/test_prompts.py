"""Prompts: what a model is given, and what identifies it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.generation import ModelSpec, show_prompt
from sigil_eval.problems import ProblemSet
from sigil_eval.prompts import (
    Message,
    build_prompt,
    prompt_sha256,
    prompt_template_sha256,
    resolve_prompt_mode,
)

BASE = Path(__file__).parents[2] / "demo" / "models" / "base"


@dataclass(frozen=True)
class Template:
    """A chat template written by hand."""

    source: str = "<user>{content}<model>"

    def render(self, messages: list[Message]) -> str:
        """One question, one place for the answer."""
        (message,) = messages
        return self.source.replace("{content}", message["content"])


def test_completion_is_the_problem_as_it_is(humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/0"]
    for template in (None, Template()):
        assert build_prompt(problem, template, "completion") == problem.prompt
    assert build_prompt(problem, None, "auto") == problem.prompt


def test_chat_asks_for_the_function_in_one_fence(humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/0"]
    prompt = build_prompt(problem, Template(), "auto")
    assert prompt.startswith("<user>") and prompt.endswith("<model>")
    assert problem.prompt.strip() in prompt
    assert prompt.count("```rust\n") == 1
    assert "{prompt}" not in prompt and "}}" not in prompt


def test_chat_needs_a_template(humaneval: ProblemSet) -> None:
    with pytest.raises(UsageError, match="chat template"):
        build_prompt(humaneval.problems[0], None, "chat")
    with pytest.raises(UsageError, match="'essay'"):
        resolve_prompt_mode("essay", None)


def test_an_empty_prompt_is_refused(humaneval: ProblemSet) -> None:
    problem = replace(humaneval.problems[0], prompt=" \n")
    with pytest.raises(UsageError, match="HumanEval/0: its prompt is empty"):
        build_prompt(problem, None, "auto")


def test_hashes_tell_templates_and_prompts_apart() -> None:
    hashes = {
        prompt_template_sha256("completion"),
        prompt_template_sha256("chat", Template()),
        prompt_template_sha256("chat", Template("[{content}]")),
    }
    assert len(hashes) == 3
    assert prompt_template_sha256("auto") == prompt_template_sha256("completion", Template())
    assert prompt_sha256("a") != prompt_sha256("b")


def test_a_real_tokenizer_renders_its_own_template(tmp_path: Path, humaneval: ProblemSet) -> None:
    folder = tmp_path / "chatty"
    shutil.copytree(BASE, folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["chat_template"] = (
        "{% for m in messages %}[{{ m.role }}|{{ date_string }}]{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    path.write_text(json.dumps(config))
    problem = humaneval.by_id["HumanEval/23"]
    prompt = show_prompt(ModelSpec(str(folder)), problem)
    assert prompt.startswith("[user|26 Jul 2024]Complete")  # a fixed date: no prompt ages
    assert prompt.endswith("[assistant]")
    assert show_prompt(ModelSpec(str(folder)), problem, "completion") == problem.prompt
    assert show_prompt(ModelSpec(str(BASE)), problem) == problem.prompt
