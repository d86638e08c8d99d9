"""What answers do to the pipes to their tests ends soon, and hurts no right answer."""

from __future__ import annotations

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet

USES = "use std::io::{Read, Write}; use std::os::fd::FromRawFd; use std::sync::atomic::*;"
OPEN = "let mut pipe = unsafe { std::fs::File::from_raw_fd(PIPE) };"
ONCE = "static DONE: AtomicBool = AtomicBool::new(false); if !DONE.swap(true, Ordering::SeqCst)"
# What stands first in the function, with the descriptor of its pipe.
ATTACKS = {
    "takes its next request": (3, "let mut b = [0; 1]; let _ = pipe.read(&mut b);"),
    "takes it and keeps the pipe": (3, "let _ = pipe.read(&mut [0; 4]); std::mem::forget(pipe);"),
    "reads requests to their end": (3, "let _ = pipe.read_to_end(&mut Vec::new());"),
    "takes it in a thread": (
        3,
        # It waits until the thread has had time to begin: who reads first takes the request.
        "std::thread::spawn(move || { loop { let _ = pipe.read(&mut [0; 64]); } }); "
        "std::thread::sleep(std::time::Duration::from_millis(100));",
    ),
    "closes its requests": (3, "drop(pipe);"),
    "closes its replies": (4, "drop(pipe);"),
    "announces more than it sends": (
        4,
        "pipe.write_all(&9999u64.to_le_bytes()).unwrap(); std::mem::forget(pipe);",
    ),
    "sends half a length": (4, "pipe.write_all(&[1, 0]).unwrap(); std::mem::forget(pipe);"),
    "announces too much": (4, "pipe.write_all(&[255; 8]).unwrap(); std::mem::forget(pipe);"),
    "floods replies": (4, "while pipe.write_all(&[0; 65536]).is_ok() {}"),
    "replies twice": (
        4,
        "pipe.write_all(&[5, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]).unwrap(); "
        "std::mem::forget(pipe); return 7;",
    ),
}
RIGHT = {
    "sleeps once": f"{ONCE} {{ std::thread::sleep(std::time::Duration::from_millis(3500)); }}",
    "computes once": f"{ONCE} {{ for i in 0..100_000_000u64 {{ std::hint::black_box(i); }} }}",
    "floods messages": OPEN.replace("PIPE", "5")
    + f"{ONCE} {{ while pipe.write_all(&[65; 65536]).is_ok() {{}} }} std::mem::forget(pipe);",
    "panics much": "for _ in 0..3000 { let _ = std::panic::catch_unwind(|| panic!()); }",
}


def _strlen(problems: ProblemSet, first: str) -> Program:
    code = f"{USES} fn strlen(strings: String) -> i32 {{ {first} strings.len() as i32 }}\n"
    return Program(problems.by_id["HumanEval/23"], code)


@pytest.fixture(scope="module")
def verdicts(judge: Judge, humaneval: ProblemSet) -> dict[str, Verdict]:
    """Of all of them, judged beside each other."""
    firsts = {name: OPEN.replace("PIPE", str(pipe)) + do for name, (pipe, do) in ATTACKS.items()}
    named = {_strlen(humaneval, first): name for name, first in (firsts | RIGHT).items()}
    return {named[program]: verdict for program, verdict in judge.judge([*named])}


@pytest.mark.parametrize("name", ATTACKS)
def test_who_meddles_with_the_pipes_fails_before_the_wall_clock(
    verdicts: dict[str, Verdict], name: str
) -> None:
    assert verdicts[name].error_type in ("runtime_error", "assertion_failure"), verdicts[name]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_may_take_its_time(verdicts: dict[str, Verdict], name: str) -> None:
    assert verdicts[name].passed, verdicts[name]


def test_messages_do_not_differ_from_run_to_run(judge: Judge, humaneval: ProblemSet) -> None:
    told = (
        "let map: std::collections::HashMap<i32, i32> = (0..50).map(|x| (x, x)).collect();"
        'panic!("{:?} {} {:?} {:?} {:?}", map, std::process::id(), std::env::vars().count(), '
        "std::env::args(), std::thread::current().id());"
    )
    program = _strlen(humaneval, told)
    first, second = (dict(judge.judge([program]))[program] for _ in range(2))
    assert first == second
    assert "49: 49" in first.stderr
