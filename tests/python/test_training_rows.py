"""From files to the tokens that a training sees: which rows, how they are put, in which order."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from demo_models import MODELS
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.loading import chat_template, load_tokenizer
from sigil_eval.generation.models import ResolvedModel, resolve_files
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.problems import load_problem_set
from sigil_eval.prompts import build_prompt
from sigil_eval.training.configuration import Configuration, Dataset
from sigil_eval.training.filters import why_left_out
from sigil_eval.training.mixing import mix, together
from sigil_eval.training.rows import Row, find_source, rows_of
from sigil_eval.training.tokens import TOO_LONG, Form, Tokens, tokenize
from sigil_eval.training.train import Request, train
from training_cases import BASE, lessons, row, write_configuration, write_rows

TEMPLATE = "<s>{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"
ALL = Dataset(["local:rows.jsonl"], min_length=1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(ResolvedModel(resolve_files(str(BASE), None), None))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Row]]:
    def read_rows(*rows: dict[str, Any], name: str = "rows.jsonl") -> list[Row]:
        path = write_rows(tmp_path / name, rows)
        return list(rows_of(find_source(f"local:{path}"), ALL))

    return read_rows


def test_jsonl_gzip_and_parquet_give_the_same_rows(tmp_path: Path, read: Any) -> None:
    rows = [row("a\u2028b", "c", _task_type="t", path=None), row("", "d", crate="x")]
    found = read(*rows)
    assert found == [Row("a\u2028b", "c", "t"), Row("", "d")]
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "rows.jsonl").read_bytes()))
    assert list(rows_of(find_source(f"local:{packed}"), ALL)) == found
    table = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), table)
    assert list(rows_of(find_source(f"parquet:{table}"), ALL)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prompt": "a"}', r"rows.jsonl:1: gen: is missing"),
        ('{"prompt": "a", "gen": "b"}\n{"prompt": 1, "gen": "b"}', r":2: prompt: expected text"),
        ('{"prompt": "a", "gen": ""}', r":1: gen: is empty"),
        ("[1]", r"a list; write it as JSONL"),
        ("{", r":1: not valid JSON"),
    ],
)
def test_a_row_that_is_none_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(UsageError, match=said):
        list(rows_of(find_source(f"local:{tmp_path / 'rows.jsonl'}"), ALL))


def test_what_is_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no such file"):
        find_source(f"local:{tmp_path / 'none.jsonl'}")
    (tmp_path / "not.parquet").write_text("PAR1")
    with pytest.raises(UsageError, match="not valid Parquet"):
        list(rows_of(find_source(f"parquet:{tmp_path / 'not.parquet'}"), ALL))
    with pytest.raises(PreflightError, match=r"org/rows: no data set that the hub gives"):
        find_source("org/rows")


GOOD = "/// Parses.\npub fn parse(text: &str) -> Option<i32> {\n    text.parse().ok()\n}\n"


@pytest.mark.parametrize(
    ("code", "path", "changes", "why"),
    [
        (GOOD, "", {}, None),
        ("fn f() {}", "", {"min_length": 10}, "shorter than min_length, 10 characters"),
        (GOOD, "", {"max_length": 10}, "longer than max_length, 10 characters"),
        ("#[cfg(test)]\nmod tests {}", "", {}, "a test (exclude_tests)"),
        ("#[test]\nfn f() {}", "", {"exclude_tests": False}, None),
        ("#[tokio::test]\nasync fn f() {}", "", {}, "a test (exclude_tests)"),
        ("#[tested]\nfn f() { let testing = 1; }", "", {}, None),
        (GOOD, "crate/tests/it.rs", {}, "a test (exclude_tests)"),
        (GOOD, "tests/it.rs", {}, "a test (exclude_tests)"),
        (GOOD, "src/contests/it.rs", {}, None),
        ("#[bench]\nfn f() {}", "", {}, "a benchmark (exclude_benches)"),
        (GOOD, "crate/benches/it.rs", {}, "a benchmark (exclude_benches)"),
        (GOOD, "examples/it.rs", {}, None),
        (GOOD, "examples/it.rs", {"exclude_examples": True}, "an example (exclude_examples)"),
        (GOOD, "", {"prefer_documented": True, "prefer_idiomatic": True}, None),
        ("// no\nfn f() {}", "", {"prefer_documented": True}, "no doc comment (prefer_documented)"),
        ("fn f() {}", "", {"prefer_idiomatic": True}, "not idiomatic (prefer_idiomatic)"),
        (
            GOOD + "fn main() { println!(); unsafe {} }",
            "",
            {"prefer_idiomatic": True},
            "not idiomatic (prefer_idiomatic)",
        ),
        (
            GOOD + "fn main() { println!(); unsafe {} }",
            "",
            {"prefer_idiomatic": True, "idiomatic_quality_ratio": 1.0},
            None,
        ),
    ],
)
def test_rows_are_left_out_for_a_reason(
    code: str, path: str, changes: dict[str, Any], why: str | None
) -> None:
    assert why_left_out(code, path, replace(ALL, **changes)) == why


def test_prompt_and_answer_are_tokenized_apart_and_only_the_answer_is_learned(
    tokenizer: Any,
) -> None:
    problem = load_problem_set("humaneval-rust").problems[0]
    asked = build_prompt(problem, None, "completion")
    rows = [Row(problem.prompt, "    true\n}\n"), Row("fn f() {", "1 }"), Row("", "fn f() {}")]
    found = tokenize(rows, Form(tokenizer, None), ALL, 10_000)
    ends = found.lengths.cumsum()
    first, second, third = (
        (found.ids[end - length : end].tolist(), found.learned[end - length : end].tolist())
        for end, length in zip(ends, found.lengths, strict=True)
    )
    of_prompt = tokenizer(asked).input_ids
    answer = tokenizer("    true\n}\n", add_special_tokens=False).input_ids
    assert first[0] == [*of_prompt, *answer, tokenizer.eos_token_id]
    assert first[1] == [0] * len(of_prompt) + [1] * (len(answer) + 1)
    # Neither ends nor begins in white space: the answer has a line of its own.
    assert tokenizer.decode(second[0]).startswith("fn f() {\n1 }")
    assert set(third[1]) == {1}


def test_a_row_is_put_through_the_template_that_an_evaluation_uses(tmp_path: Path) -> None:
    folder = shutil.copytree(BASE, tmp_path / "chat")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    chat = load_tokenizer(ResolvedModel(resolve_files(str(folder), None), None))
    found = tokenize([Row("Add.", "a + b")], Form(chat, chat_template(chat)), ALL, 100)
    assert chat.decode(found.ids.tolist()) == f"<s>[user]Add.[assistant]a + b{chat.eos_token}"


def test_rows_that_are_too_long_are_counted_and_left_out(tokenizer: Any) -> None:
    rows = [Row("fn f() {\n", "1 }"), Row("fn f() {\n", "1 }" * 50)]
    found = tokenize(rows, Form(tokenizer, None), ALL, 40)
    assert (found.rows, len(found.tasks), found.left_out) == (2, 1, {TOO_LONG: 1})


@pytest.fixture
def source(tokenizer: Any) -> Callable[..., Tokens]:
    """Tokens of rows whose answers are numbers in words of their own."""

    def make(answers: range, *tasks: str) -> Tokens:
        rows = [
            Row("", str(number), tasks[position % len(tasks)] if tasks else "")
            for position, number in enumerate(answers)
        ]
        return tokenize(rows, Form(tokenizer, None), ALL, 100)

    return make


def test_rows_of_val_are_held_out_and_other_splits_refused(read: Any, tmp_path: Path) -> None:
    rows = [row("a", "b", split=split) for split in (None, "train", "val", "validation")]
    found = read(*rows, row("a", "b"), row("a", "b", _split="val"))
    assert [one.held_out for one in found] == [False, False, True, True, False, True]
    with pytest.raises(UsageError, match=r"rows\.jsonl:2: its split is 'test'; rows of `train`"):
        read(row("a", "b"), row("a", "b", split="test"))


def test_a_file_that_is_all_held_out_has_no_turn(tokenizer: Any, source: Any) -> None:
    held_out = source(range(0))
    others = [source(range(20)), source(range(100, 120))]
    weighted: dict[str, Any] = {"interleave_mode": "weighted", "dataset_weights": {"local:2": 9.0}}
    found = mixed(tokenizer, [held_out, *others], **weighted)
    share = sum(answer >= 100 for answer in found) / len(found)
    assert share > 0.7, "weights go by name, whatever is left out"
    with pytest.raises(UsageError, match="local:0: no row is left to train on"):
        mixed(tokenizer, [held_out])
    rows = together([held_out, source(range(3))])
    assert [int(tokenizer.decode(one[:-1])) for one in rows["input_ids"]] == [0, 1, 2]
    assert together([held_out]) is None


def mixed(tokenizer: Any, sources: list[Tokens], **changes: Any) -> list[int]:
    """The answers of an epoch in their order."""
    names = [f"local:{number}" for number in range(len(sources))]
    data = replace(ALL, names=names, **changes)
    found = mix(sources, Configuration("base", data))
    return [int(tokenizer.decode(row[:-1])) for row in found["input_ids"]]


def test_sources_follow_each_other_or_take_turns_until_each_was_seen_whole(
    tokenizer: Any, source: Any
) -> None:
    two = [source(range(4)), source(range(10, 12))]
    assert mixed(tokenizer, two) == [0, 1, 2, 3, 10, 11]
    turns = mixed(tokenizer, two, interleave_mode="round_robin")
    assert turns == [0, 10, 1, 11, 2, 10, 3, 11]


def test_sources_are_drawn_by_their_weights_and_by_the_seed(tokenizer: Any, source: Any) -> None:
    two = [source(range(40)), source(range(100, 140))]
    weighted: dict[str, Any] = {"interleave_mode": "weighted"}
    weighted["dataset_weights"] = {"local:0": 3.0}
    found = mixed(tokenizer, two, **weighted)
    assert set(found) == {*range(40), *range(100, 140)}
    share = sum(number < 100 for number in found) / len(found)
    assert 0.65 < share < 0.85
    assert mixed(tokenizer, two, **weighted) == found
    weighted["dataset_weights"] = {"local:0": 1e6}
    with pytest.raises(UsageError, match=r"leaves 'local:1' 1\.0e-06 of an epoch.* 100 times"):
        mixed(tokenizer, two, **weighted)


def test_rows_are_shuffled_only_when_a_seed_is_given(tokenizer: Any, source: Any) -> None:
    one = [source(range(20))]
    assert mixed(tokenizer, one) == list(range(20))
    shuffled = mixed(tokenizer, one, shuffle_seed=1)
    assert sorted(shuffled) == list(range(20)) != shuffled
    assert mixed(tokenizer, one, shuffle_seed=1) == shuffled
    assert mixed(tokenizer, one, shuffle_seed=2) != shuffled


def test_a_task_is_seen_as_often_as_its_weight_says(tokenizer: Any, source: Any) -> None:
    one = [source(range(400), "a", "b", "c", "")]
    found = Counter(mixed(tokenizer, one, task_weights={"a": 2.0, "b": 1.5, "c": 0.25}))
    seen = [sum(found[number] for number in range(start, 400, 4)) for start in range(4)]
    assert (seen[0], seen[3]) == (200, 100)
    assert 130 <= seen[1] <= 170
    assert 10 <= seen[2] <= 40
    with pytest.raises(UsageError, match=r"names 'cc', .* are 'a', 'b', 'c'\. Did you mean 'c'\?"):
        mixed(tokenizer, one, task_weights={"cc": 1.0})


def test_a_source_of_which_nothing_is_left_is_named(tokenizer: Any, source: Any) -> None:
    with pytest.raises(UsageError, match="local:1: no row is left to train on"):
        mixed(tokenizer, [source(range(2)), replace(source(range(0)), rows=3)])


@pytest.mark.slow
def test_rows_in_a_pack_do_not_see_each_other(tokenizer: Any) -> None:
    """Each row's logits are what they are alone."""
    import torch
    from trl.data_utils import pack_dataset
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from sigil_eval.generation.loading import load_base

    rows = [Row("fn f() {\n", "    todo!()\n}\n"), Row("fn g(n: u8) {\n", "    return n;\n}\n")]
    tokens = tokenize(rows, Form(tokenizer, None), ALL, 100)
    data = mix([tokens], Configuration("base", ALL))
    packs = list(pack_dataset(data, 256, "bfd"))
    assert [pack["seq_lengths"] for pack in packs] == [sorted(tokens.lengths, reverse=True)]
    batch = DataCollatorForLanguageModeling(tokenizer.pad_token_id, padding_free=True)(packs)
    assert (batch.pop("labels") == -100).any()
    model = load_base(resolve_files(str(BASE), None), EngineInfo("cpu", "float32", "sdpa"))
    with torch.no_grad():
        together = model(**batch, use_cache=False).logits[0]
        alone = [model(torch.tensor([ids])).logits[0] for ids in data["input_ids"]]
    alone.sort(key=len, reverse=True)  # as packing puts them
    assert torch.allclose(together, torch.cat(alone), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"max_seq_len": 2048}, UsageError, "max_seq_len is 2048, and .* reads at most 1024"),
        ({"max_seq_len": 60}, UsageError, r"\d+ of 16 rows \(\d+\.\d%\) .* --most-too-long 0\.\d+"),
        ({"model_name": str(MODELS / "adapter")}, UsageError, "is an adapter; name its base"),
        ({"model_name": "no/such"}, (UsageError, PreflightError), "no/such"),
        ({"train__use_flash_attention": True}, UsageError, "use_flash_attention: flash attention "),
        ({"dataset__min_length": 10_000}, UsageError, "no row is left to train on"),
        ({"lora__target_modules": ["q_prj"]}, PreflightError, "q_prj"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    changes: dict[str, Any], error: type[Exception], said: str, tmp_path: Path
) -> None:
    write_rows(tmp_path / "rows.jsonl", lessons())
    if "dataset__min_length" in changes:
        changes = {"dataset": {"names": [f"local:{tmp_path / 'rows.jsonl'}"], "min_length": 10_000}}
    with pytest.raises(error, match=said):
        train(write_configuration(tmp_path, **changes), Request(device="cpu"))


def test_eight_billion_parameters_are_not_begun_on_a_cpu(tmp_path: Path) -> None:
    """No weight of them is here, nor is one asked for."""
    write_rows(tmp_path / "rows.jsonl", lessons())
    folder = shutil.copytree(BASE, tmp_path / "large")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32}
    config |= {"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256}
    config |= {"head_dim": 128, "tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(config))
    configuration = write_configuration(tmp_path, model_name=str(folder))
    with pytest.raises(PreflightError, match=r"has 8\.0 billion parameters .* takes a GPU"):
        train(configuration, Request(device="cpu"))
