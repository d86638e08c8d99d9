"""Two models that are compared are prompted alike, whatever the fine-tune brings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

from sigil_eval.cli import main
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text
from sigil_eval.generation import (
    EngineOptions,
    ModelSpec,
    SamplingParams,
    describe_prompting,
    generate_samples,
    show_prompt,
)
from sigil_eval.generation.drafts import DraftBook
from sigil_eval.generation.prepared import prepare_model
from sigil_eval.generation.protocol import Request
from sigil_eval.problems import ProblemSet
from sigil_eval.prompts import build_prompt

ROOT = Path(__file__).parents[2]
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>"
FILES = ("tokenizer.json", "tokenizer_config.json")


class Models:
    """Copies of the demo's base and adapter, to which tokenizers can be given."""

    def __init__(self, folder: Path) -> None:
        self.base, self.adapter = folder / "base", folder / "adapter"
        shutil.copytree(ROOT / "demo/models/base", self.base)
        shutil.copytree(ROOT / "demo/models/adapter", self.adapter)

    def bring(self, edit: Callable[[dict[str, Any]], None] = lambda tokenizer: None) -> None:
        """Have the adapter bring the base's tokenizer, edited."""
        for name in FILES:
            shutil.copy(self.base / name, self.adapter / name)
        path = self.adapter / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        edit(tokenizer)
        path.write_text(json.dumps(tokenizer))

    @staticmethod
    def template(folder: Path, text: str) -> None:
        (folder / "chat_template.jinja").write_text(text)

    def spec(self, *, compared: bool = True) -> ModelSpec:
        return ModelSpec(str(self.base), str(self.adapter), prompt_as_base=compared)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


def add_a_token(tokenizer: dict[str, Any]) -> None:
    added = dict(tokenizer["added_tokens"][0])
    added |= {"content": "<|pad|>", "id": 1 + max(tokenizer["model"]["vocab"].values())}
    tokenizer["added_tokens"].append(added)


def pad(tokenizer: dict[str, Any]) -> None:
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": 9,
        "strategy": "LongestFirst",
        "stride": 0,
    }


def swap_two_tokens(tokenizer: dict[str, Any]) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    first, second = list(vocabulary)[-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]


def test_a_fine_tune_that_brings_nothing_or_the_same_is_prompted_as_ever(models: Models) -> None:
    alone = describe_prompting(ModelSpec(str(models.base)))
    brings_nothing = describe_prompting(models.spec())
    assert brings_nothing == alone
    assert brings_nothing.own_tokenizer_sha256 is None
    for edit in (lambda tokenizer: None, pad):
        models.bring(edit)
        found = describe_prompting(models.spec())
        assert found.note is None
        assert found.tokenizer_sha256 == alone.tokenizer_sha256
        assert found.own_tokenizer_sha256 == alone.tokenizer_sha256


@pytest.mark.parametrize("base_has_one", [True, False])
def test_another_template_is_not_used_and_said(
    models: Models, humaneval: ProblemSet, base_has_one: bool
) -> None:
    """Whichever of the two has the template: the base's way of asking is everybody's."""
    models.bring()
    models.template(models.base if base_has_one else models.adapter, TEMPLATE)
    problem = humaneval.problems[0]
    asked = show_prompt(ModelSpec(str(models.base)), problem)
    assert asked.startswith("<user>") is base_has_one
    assert show_prompt(models.spec(), problem) == asked
    assert show_prompt(models.spec(compared=False), problem) != asked
    found = describe_prompting(models.spec())
    assert found.own_template_sha256 is not None
    assert f"{models.adapter} brings another chat template, which" in str(found.note)
    assert f"prompted as {models.base}" in str(found.note)
    assert describe_prompting(models.spec(compared=False)).note is None
    assert describe_prompting(models.spec(), "completion").note is None


def test_a_tokenizer_with_more_tokens_is_not_used_and_said(models: Models) -> None:
    models.bring(add_a_token)
    found = describe_prompting(models.spec())
    assert "brings another tokenizer, which is not used" in str(found.note)
    alone = describe_prompting(ModelSpec(str(models.base)))
    assert found.tokenizer_sha256 == alone.tokenizer_sha256 != found.own_tokenizer_sha256


def test_a_tokenizer_that_numbers_tokens_otherwise_is_refused_beforehand(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models.bring(swap_two_tokens)
    with pytest.raises(UsageError, match="number tokens otherwise") as refusal:
        describe_prompting(models.spec())
    assert str(models.base) in str(refusal.value) and str(models.adapter) in str(refusal.value)
    check = [
        "run", "--check", "--base-model", str(models.base), "--checkpoint-path",
        str(models.adapter), "--num-samples", "1", "--k-values", "1", "--device", "cpu",
        "--output-dir", str(tmp_path / "out"),
    ]  # fmt: skip
    assert main(check) == 2
    assert "--skip-base" in capsys.readouterr().err
    assert main([*check, "--skip-base"]) == 0
    models.bring(add_a_token)
    assert main(check) == 0
    assert "brings another tokenizer" in capsys.readouterr().err


def test_a_whole_model_is_prompted_as_its_base_too(models: Models, tmp_path: Path) -> None:
    tuned = tmp_path / "tuned"
    shutil.copytree(models.base, tuned)
    models.template(tuned, TEMPLATE)
    spec = ModelSpec(str(models.base), str(tuned), prompt_as_base=True)
    assert "another chat template" in str(describe_prompting(spec).note)


def test_samples_are_the_same_whatever_the_fine_tune_brings(
    models: Models, tmp_path: Path, humaneval: ProblemSet
) -> None:
    def answers(name: str) -> list[str]:
        output = tmp_path / f"{name}.jsonl"
        summary = generate_samples(
            models.spec(),
            humaneval.problems[:2],
            SamplingParams(num_samples=1, temperature=0, max_new_tokens=40),
            output,
            options=EngineOptions(device="cpu"),
        )
        assert summary.prompting.tokenizer_sha256 is not None
        rows = map(json.loads, output.read_text().splitlines())
        return [row["completion"] for row in rows]

    plain = answers("plain")
    models.bring(add_a_token)
    models.template(models.adapter, TEMPLATE)
    assert answers("other") == plain


LLAMA = ROOT / "tests/stand_ins/llama"
BEGIN, HEADER, HEADER_END, END_OF_TURN = 768, 774, 775, 777
# The first tokens of a prompt; how many there are, and sha256 of them all as JSON.
GOLDEN_HEAD = [
    768, 774, 82, 88, 263, 68, 76, 775, 198, 198, 34, 287, 83, 276, 220, 42, 77, 371, 265, 67, 430,
    220, 35, 452,
]  # fmt: skip
GOLDEN = (235, "7da8ab2a2ba28b69ed83f5bbb157bbede41b8ed7691f78f22be1f1cfc6c16042")


def test_llama_3_1_is_prompted_with_these_tokens(humaneval: ProblemSet) -> None:
    """The ids that its template gives, as an engine reads them: one begin token, though template
    and tokenizer would each write one, the date of the template, and no end of the last turn."""
    prepared = prepare_model(ModelSpec(str(LLAMA / "base"), str(LLAMA / "adapter")), "auto")
    assert prepared.prompt_mode == "chat"
    problem = humaneval.by_id["HumanEval/0"]
    prompt = build_prompt(problem, prepared.template, "chat")
    config = SimpleNamespace(max_position_embeddings=131072, eos_token_id=None)
    book = DraftBook(
        prepared.tokenizer,
        SimpleNamespace(config=config, generation_config=config),
        SamplingParams(),
        early_stop=True,
        special_tokens=False,
    )
    (draft,) = book.open([Request("HumanEval/0", 0, prompt, "", 1)])
    ids = list(draft.prompt)
    marks = [token for token in ids if token >= BEGIN]
    turn = [HEADER, HEADER_END, END_OF_TURN]
    assert marks == [BEGIN, *turn, *turn, HEADER, HEADER_END]
    assert "Today Date: 26 Jul 2024" in prepared.tokenizer.decode(ids)
    assert ids[:24] == GOLDEN_HEAD
    assert (len(ids), sha256_text(json.dumps(ids))) == GOLDEN
