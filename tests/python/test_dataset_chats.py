"""Chats are checked as pairs are: `messages` and `conversations`, JSONL and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plants import ASKED, verbatim

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.dataset import check_dataset, is_clean, report
from sigil_eval.errors import UsageError
from sigil_eval.problems import ProblemSet
from test_dataset_check import checked, faults_of, tasks_of, written

CODE = "fn area(width: u32, height: u32) -> u32 { width * height }"
SPEAKERS = {
    "messages": ("role", "content", "user", "assistant"),
    "conversations": ("from", "value", "human", "gpt"),
}


def chat(fields: str, *texts: Any) -> dict[str, Any]:
    """A chat in which two speak in turn."""
    who, what, *speakers = SPEAKERS[fields]
    turns = [{who: speakers[n % 2], what: text} for n, text in enumerate(texts)]
    return {fields: turns, "id": "a"}


def fenced(code: str, tag: str = "rust") -> str:
    """Code among prose."""
    return f"This does it:\n```{tag}\n{code}\n```\nIt multiplies."


@pytest.mark.parametrize("fields", SPEAKERS)
def test_the_benchmark_is_found_in_any_turn(
    fields: str, tmp_path: Path, humaneval: ProblemSet
) -> None:
    answer = verbatim(humaneval.by_id["HumanEval/0"])["gen"]
    fine = chat(fields, ASKED, "Which numbers?", "Whole ones.", fenced(CODE))
    for planted in (
        chat(fields, ASKED, fenced(answer), "Thank you.", "You are welcome."),
        chat(fields, f"Explain this.\n{fenced(answer)}", "It compares numbers."),
    ):
        found = checked(tmp_path, fine, planted)
        assert tasks_of(found) == {"HumanEval/0"}
        assert {row["place"] for row in found["found"]} == {f"{tmp_path}/data.jsonl:2"}
    validate(found, "dataset_check")
    assert found["files"][0]["fields"] == {fields: 2}
    assert f"2 rows with `{fields}`" in report(found)
    assert is_clean(checked(tmp_path, fine))


def test_all_fields_of_a_row_are_read(tmp_path: Path, humaneval: ProblemSet) -> None:
    planted = verbatim(humaneval.by_id["HumanEval/0"])
    both = {**planted, **chat("messages", ASKED, fenced(CODE))}
    found = checked(tmp_path, both, {"prompt": ASKED, **chat("messages", ASKED, "Prose alone.")})
    assert tasks_of(found) == {"HumanEval/0"}
    assert found["files"][0]["fields"] == {"messages": 2, "prompt, gen": 1}
    assert faults_of(found) == {}


@pytest.mark.parametrize(
    ("row", "rule", "reason"),
    [
        ({"messages": "hello"}, "not text", "`messages` is no list of turns"),
        ({"messages": []}, "not text", "`messages` is no list of turns"),
        ({"messages": [1]}, "not text", "`messages` has no turn of an assistant"),
        (chat("messages", ASKED), "not text", "`messages` has no turn of an assistant"),
        (chat("messages", ASKED, None), "not text", "`messages` 2 `content` is a NoneType"),
        (chat("messages", " ", "Yes."), "empty", "`messages` 1 `content` is empty"),
        (chat("messages", ASKED, fenced("fn f( {")), "not Rust", "`messages` 2 `content` does"),
        (chat("messages", ASKED, fenced("fn f() { todo!() }")), "stub", "`messages` 2 `content`"),
        (chat("conversations", ASKED, "a\u202eb"), "unseen", "`conversations` 2 `value` holds"),
        ({"conversations": [{"from": "gpt"}]}, "not text", "`conversations` 1 `value` is missing"),
        (
            {"conversations": [{"from": "gpt", "value": "Yes."}, {"value": "No."}]},
            "not text",
            "`conversations` 2 is no turn with `from` and `value`",
        ),
    ],
)
def test_a_chat_that_breaks_a_rule_is_named(
    row: Any, rule: str, reason: str, tmp_path: Path
) -> None:
    found = checked(tmp_path, chat("messages", ASKED, fenced(CODE)), row)
    assert faults_of(found) == {rule: ["2"]}
    formats: Any = found["formats"]
    assert formats[rule]["first"][0]["reason"].startswith(reason)


def test_only_what_is_said_to_be_rust_must_be(tmp_path: Path) -> None:
    rows = [
        chat("messages", "How do I build it?", fenced("cargo build --release", "bash")),
        chat("messages", "What does it print?", fenced("1 2 3", "")),
        chat("messages", "Is it fast?", "It is; a Vec's `push` is amortised."),
    ]
    assert faults_of(checked(tmp_path, *rows)) == {}


def test_chats_that_are_equal_or_alike_are_found(tmp_path: Path) -> None:
    more = CODE.replace("{ ", "{ let product = ").replace(" }", "; product + 1 }")
    first = chat("messages", ASKED, fenced(more))
    alike = chat("messages", "Another.", fenced(more.replace("width", "a")))
    assert faults_of(checked(tmp_path, first, alike, first)) == {
        "duplicate": ["3"],
        "near duplicate": ["2"],
    }


def test_a_row_of_another_shape_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [chat("messages", ASKED, fenced(CODE)), {"instruction": ASKED, "output": CODE}]
    file = written(tmp_path / "data.jsonl", rows)
    said = (
        f"{file}:2: has none of the fields that are read, `prompt` and `gen`, `messages`, or "
        "`conversations`; its fields are 'instruction', 'output'"
    )
    with pytest.raises(UsageError) as refusal:
        check_dataset([file], workers=1)
    assert str(refusal.value) == said
    assert main(["dataset", "check", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_chats_of_parquet_are_read(tmp_path: Path, humaneval: ProblemSet) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    answer = verbatim(humaneval.by_id["HumanEval/0"])["gen"]
    rows = [chat("messages", ASKED, fenced(CODE)), {"prompt": ASKED, "gen": answer, "id": "b"}]
    columns = {
        name: [row.get(name) for row in rows] for name in ("id", "messages", "prompt", "gen")
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "data.parquet")
    found = check_dataset([tmp_path / "data.parquet"], workers=1)
    assert tasks_of(found) == {"HumanEval/0"}
    assert found["files"][0]["fields"] == {"messages": 1, "prompt, gen": 1}
    assert "not text" not in faults_of(found)
