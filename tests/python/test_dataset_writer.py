"""Rows that a language model writes: a real HTTP server on loopback, real cargo in the sandbox."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.dataset import check_dataset, is_clean
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import read_json
from sigil_eval.making.functions import Function
from sigil_eval.making.gate import Compiled
from sigil_eval.making.make import make_dataset
from sigil_eval.making.questions import (
    Claim,
    Question,
    RejectedError,
    claim_of,
    question_for,
    task_from,
)
from sigil_eval.making.reading import Wanted
from sigil_eval.making.store import Store
from sigil_eval.making.with_model import _hold
from sigil_eval.making.writer import Asked, Writer, WriterOptions
from sigil_eval.server import ServerError
from test_dataset_make import Registry, registry, request_for, rows_in, written_in
from test_generation_server import TOKEN, Server

__all__ = ["registry"]

MODEL = "some/writer"
CRATES = ("many@1.0.0", "other@1.0.0")
BROKEN = 'E0308\n```rust\n{head}{{\n    let told: u32 = "no number";{body}\n```\n'
REWRITTEN = "```rust\n{head}{{\n    let _rewritten = true;{body}\n```\n"
PROSE = "It looks at what it was given, step by step, and gives back what is asked of it."


class WritingServer(Server):
    """Answers as a model that does what it is asked; `habit` is another way."""

    habit: Any = None
    answers_left = 1000
    released = threading.Event()

    def answer(self, body: dict[str, Any]) -> str:
        with self.lock:
            WritingServer.answers_left -= 1
        if self.answers_left < 0:
            self.released.wait(60)
        system, user = (message["content"] for message in body["messages"])
        assert system.startswith("You are an expert in Rust")
        head, _, rest = re.findall(r"```rust\n(.*?)\n```", user, re.DOTALL)[-1].partition("{")
        code = {"head": head, "body": rest}
        if self.habit is not None:
            return str(self.habit(user, code))
        if user.startswith("Put exactly one mistake"):
            return BROKEN.format_map(code)
        return REWRITTEN.format_map(code) if user.startswith("Rewrite") else PROSE

    def do_GET(self) -> None:  # noqa: N802
        """What models there are."""
        if self.token and self.headers["Authorization"] != f"Bearer {self.token}":
            self._refuse(401, "no or wrong token")
        elif self.path == "/v1/models":
            self._refuse(200, json.dumps({"object": "list", "data": [{"id": MODEL}]}))
        else:
            self._refuse(404, "nothing here")


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The address of a running server."""
    Server.token, Server.trouble, Server.bodies = None, [], []
    WritingServer.habit, WritingServer.answers_left = None, 1000
    WritingServer.released.clear()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), WritingServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        WritingServer.released.set()
        while Server.under_way:
            time.sleep(0.01)
        server.shutdown()


@pytest.fixture
def crates(registry: Registry) -> Registry:
    """A registry that has a crate of many functions, none of which is like another."""
    functions = (
        f"pub fn step_{number}(x: u32, left: u32) -> u32 {{\n    let mut sum = x;\n"
        + "".join(f"    sum {'^|&'[number // 3**place % 3]}= left;\n" for place in range(4))
        + "    sum\n}\n"
        for number in range(0, 70, 5)
    )
    manifest = registry.files["tiny"]["Cargo.toml"].replace(b"tiny", b"many")
    registry.files["many"] = {"Cargo.toml": manifest, "src/lib.rs": "\n".join(functions).encode()}
    return registry


def options(url: str, **more: Any) -> WriterOptions:
    """A writer that waits for little."""
    return WriterOptions(url, MODEL, **{"pause": 0.01, "silence": 5.0, **more})


FUNCTION = Function("fn it(x: u8) -> u8 ", "{\n    let y = x;\n    y + 1\n}", "", "", 0, 0)


def asked(count: int) -> list[Asked]:
    """So many questions."""
    return [
        Asked(question_for("explanations", FUNCTION, number), number) for number in range(count)
    ]


def test_a_model_writes_what_code_does_not_give(
    url: str,
    crates: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Server.token = TOKEN
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    request = request_for(tmp_path, *CRATES)
    command = ["dataset", "make", str(request.crates), "--output-dir", str(request.folder)]
    command += ["--seed", "3", "--val-share", "0.5", "--writer-url", url]
    assert main([*command, "--writer-model", MODEL, "--writer-temperature", "0.5"]) == 0
    made = read_json(request.folder / "dataset_made.json")
    validate(made, "dataset_made")
    assert made["writer"] == {"model": MODEL, "temperature": 0.5}
    assert made["not_made"] == [] and made["rejected_answers"] == {}

    rows = rows_in(request.folder)
    by_model = [row for row in rows if "_writer_model" in row]
    kinds = {row["_task_type"] for row in by_model}
    assert kinds == {"error_fixing", "transformations", "explanations", "code_generation"}
    assert len(by_model) < len(rows), "what the code itself gives is made, too"
    for row in by_model:
        body = next(body for body in Server.bodies if body["seed"] == row["_writer_seed"])
        assert body["model"] == row["_writer_model"] == MODEL
        assert body["temperature"] == row["_writer_temperature"] == 0.5
        if row["_task_type"] == "error_fixing":
            assert "error[E0308]: mismatched types" in row["prompt"]
            assert "told" in row["prompt"] and "told" not in row["gen"], "the crate's own code"
        elif row["_task_type"] == "transformations":
            assert "_rewritten" in row["gen"] and "_rewritten" not in row["prompt"]
        else:
            assert PROSE in row["gen"] + row["prompt"]
    assert {row["split"] for row in rows} == {"train", "val"}
    files = [request.folder / file["name"] for file in made["files"]]
    assert is_clean(check_dataset(files, workers=1))
    said = "".join(capsys.readouterr())
    kept = b"".join(path.read_bytes() for path in request.folder.rglob("*") if path.is_file())
    assert TOKEN not in said and TOKEN.encode() not in kept


# Runs `make_dataset` in a process that can be killed, with the registry of the tests.
CHILD = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
import test_dataset_make as tests
from sigil_eval.making.make import Request, make_dataset
from sigil_eval.making.writer import WriterOptions
from sigil_pipeline import crawler
registry = tests.Registry()
registry.files = {files!r}
crawler.requests.get = registry.get
crawler.CRATES_IO_RATE_LIMIT_SECONDS = 0
writer = WriterOptions({url!r}, {model!r})
make_dataset(Request(Path({crates!r}), Path({folder!r}), 3, 0.5, writer=writer))
"""


def test_after_kill_9_nothing_is_asked_twice(url: str, crates: Registry, tmp_path: Path) -> None:
    """Killed while some answers are there and the others hang; then all is as if at once."""
    request = request_for(tmp_path, *CRATES, seed=3, writer=WriterOptions(url, MODEL))
    at_once = replace(request, folder=tmp_path / "at_once")
    make_dataset(at_once)
    every = Counter(json.dumps(body, sort_keys=True) for body in Server.bodies)
    Server.bodies.clear()

    WritingServer.answers_left = 3
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]
    script = CHILD.format(
        paths=paths,
        files=crates.files,
        url=url,
        model=MODEL,
        crates=str(request.crates),
        folder=str(request.folder),
    )
    child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        while child.poll() is None and not answers_in(request.folder):
            time.sleep(0.05)
        assert child.poll() is None, "it ended before it was killed"
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    assert not (request.folder / "dataset_made.json").exists()
    answered = answers_in(request.folder)
    WritingServer.answers_left = 1000
    Server.bodies.clear()
    made = make_dataset(request)
    again = Counter(json.dumps(body, sort_keys=True) for body in Server.bodies)
    assert len(again) == len(every) - answered
    assert set(again.values()) == {1}
    assert made == read_json(at_once.folder / "dataset_made.json")
    assert written_in(request.folder) == written_in(at_once.folder)


def answers_in(folder: Path) -> int:
    """How many answers are kept."""
    import sqlite3

    try:
        with sqlite3.connect(f"file:{folder / '.made.sqlite'}?mode=ro", uri=True) as base:
            return int(base.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_rubbish_is_left_out_by_reason(url: str, crates: Registry, tmp_path: Path) -> None:
    """Broken code that compiles, rewritten code that does not, prose that is none."""

    def rubbish(user: str, code: dict[str, str]) -> str:
        if user.startswith("Put exactly one mistake"):
            return "E0308\n" + REWRITTEN.format_map(code)
        return BROKEN.format_map(code) if user.startswith("Rewrite") else "No."

    WritingServer.habit = staticmethod(rubbish)
    request = request_for(tmp_path, *CRATES, seed=3, writer=options(url))
    made = make_dataset(request)
    assert made["rejected_answers"]["error_fixing: compiles"] >= 1
    assert made["rejected_answers"]["transformations: does not compile"] >= 1
    assert made["rejected_answers"]["explanations: too short or too long"] >= 1
    assert not [row for row in rows_in(request.folder) if "_writer_model" in row]


@pytest.mark.parametrize(
    ("error", "found", "reason"),
    [
        ("E0382", [Compiled(True)], "compiles"),
        ("E0382", [Compiled(False, "E0308")], "fails with another error than it says"),
        (None, [Compiled(False, "E0308")], "does not compile"),
        (None, [Compiled(True), Compiled(True)], "stands where nothing is compiled"),
        (None, [None], "whether it compiles is not known"),
    ],
)
def test_a_claim_that_does_not_hold_is_rejected(
    error: str | None, found: list[Compiled | None], reason: str
) -> None:
    wanted = Wanted("0" * 64, "error_fixing", FUNCTION, "src/lib.rs")
    with pytest.raises(RejectedError, match=f"^{reason}$"):
        _hold(Claim("fn it() {}", error), wanted, lambda _: found.pop(0))
    assert not found


def block(code: str) -> str:
    """Code in a fence."""
    return f"```rust\n{code}\n```"


@pytest.mark.parametrize(
    ("kind", "answer", "reason"),
    [
        ("transformations", "fn it(x: u8) -> u8 { x + 1 }", "no block of code"),
        ("transformations", block("fn it(x: u8) -> u8 {"), "does not parse"),
        ("transformations", block("fn it(x: u8) -> u8 { 1 }\nfn b() {}"), "is not one function"),
        ("transformations", block("struct It;"), "is not one function"),
        ("transformations", block("fn it(x: u16) -> u8 { 1 }"), "has another signature"),
        ("transformations", block("fn it(x: u8) -> u8 { todo!() }"), "a stub"),
        ("transformations", block(FUNCTION.text + " // as before"), "changes nothing"),
        ("error_fixing", block("fn it(x: u8) -> u8 { 1 }"), "names no error"),
    ],
)
def test_code_that_claims_nothing_is_rejected(kind: Any, answer: str, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        claim_of(kind, FUNCTION, answer)


def test_thoughts_are_no_answer() -> None:
    thought = "<think>E0382?\n" + block("fn no() {}") + "</think>\nE0308\n"
    code = 'fn it(x: u8) -> u8 { "x" }'
    assert claim_of("error_fixing", FUNCTION, thought + block(code)) == Claim(code, "E0308")


@pytest.mark.parametrize(
    ("prose", "reason"),
    [
        ("", "empty"),
        ("Adds one.", "too short"),
        ("word " * 400, "too short or too long"),
        (f"{PROSE} {block('fn a() {}')}", "code where prose"),
    ],
)
def test_prose_that_is_none_is_rejected(prose: str, reason: str) -> None:
    for kind in ("explanations", "code_generation"):
        with pytest.raises(RejectedError, match=reason):
            task_from(kind, FUNCTION, prose, None, None)  # type: ignore[arg-type]


def test_what_passes_is_tried_again_and_every_answer_kept(url: str, tmp_path: Path) -> None:
    Server.trouble = [(429, "slowly"), (503, "busy"), "break"]
    with Store(tmp_path / "store") as store:
        writer = Writer(options(url), store)
        writer.check()
        answers = writer.answers(asked(4))
        assert [answer["text"] for answer in answers] == [PROSE] * 4
        assert len(Server.bodies) == 7
        assert writer.answers(asked(4)) == answers
        assert len(Server.bodies) == 7, "nothing is asked twice"


def test_what_does_not_fit_is_no_end_of_the_run(url: str, tmp_path: Path) -> None:
    Server.trouble = [(400, '{"error": {"code": "context_length_exceeded"}}')]
    with Store(tmp_path / "store") as store:
        (answer,) = Writer(options(url), store).answers(asked(1))
    assert answer == {"text": "", "finish_reason": "too long", "tokens": 0}


def test_a_server_that_cannot_be_asked(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "store") as store:
        with pytest.raises(UsageError, match=r"no model 'some/writr'; it has 'some/writer'\. Did"):
            Writer(replace(options(url), model="some/writr"), store).check()
        with pytest.raises(ServerError, match=r"models failed 5 times: .*refused"):
            Writer(options("http://127.0.0.1:9/v1"), store).check()
        Server.trouble = [(404, "The model does not exist.")]
        with pytest.raises(ServerError, match=r"status 404: The model does not exist"):
            Writer(options(url), store).answers(asked(1))
        WritingServer.answers_left = 0
        with pytest.raises(ServerError, match=r"failed 5 times: timed out"):
            Writer(options(url, silence=0.05), store).answers(asked(1))
        Server.token = TOKEN
        monkeypatch.setenv("OPENAI_API_KEY", TOKEN + "x")
        with pytest.raises(ServerError, match="its token was refused") as refusal:
            Writer(options(url), store).check()
        assert TOKEN not in str(refusal.value)


def test_a_server_that_fails_ends_the_run_and_writes_nothing(
    url: str, crates: Registry, tmp_path: Path
) -> None:
    request = request_for(tmp_path, *CRATES, seed=3, writer=options(url))
    Server.trouble = [(400, "no such parameter")]
    with pytest.raises(PreflightError, match="status 400: no such parameter"):
        make_dataset(request)
    assert written_in(request.folder) == {}
    assert crates.asked == ["many"], "the next crate would fail, too"


def test_a_writer_is_named_whole() -> None:
    with pytest.raises(UsageError, match="Name it: --writer-model"):
        WriterOptions("http://127.0.0.1/v1", "")
    with pytest.raises(UsageError, match="--writer-url must hold no user"):
        WriterOptions("http://me:secret@127.0.0.1/v1", MODEL)
    command = ["dataset", "make", "x.txt", "--output-dir", "y"]
    assert main([*command, "--writer-model", MODEL]) == 2


def test_a_question_shows_the_function_and_where_it_stands() -> None:
    asked_of = question_for("error_fixing", replace(FUNCTION, owner="impl It"), 3)
    assert isinstance(asked_of, Question)
    assert FUNCTION.text in asked_of.user and "`impl It`" in asked_of.user
    assert "E0308 (mismatched types)" in asked_of.user
    assert question_for("error_fixing", FUNCTION, 4) != asked_of
