"""The judge with real rustc and real Firejail: right verdicts, contained, nothing left behind."""

from __future__ import annotations

import itertools
import shutil
import stat
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from opened import open_to_all
from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError
from sigil_eval.judging.apart import suite_module
from sigil_eval.judging.batching import kind_of, plan_batches
from sigil_eval.judging.contract import contract_of, reference_source
from sigil_eval.judging.driver import driver_module
from sigil_eval.judging.execution import Result
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.together import Together
from sigil_eval.judging.verdict import PlusEnding, Verdict
from sigil_eval.problems import Problem, ProblemSet

SIGNATURE = "fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool"
RIGHT = (
    f"{SIGNATURE} {{ let n = &numbers; (0..n.len()).any(|i| (0..i).any(|j| "
    "(n[i] - n[j]).abs() < threshold)) }"
)

# Each is wrong, and each must be called what it is.
WRONG = {
    "wrong answer": (f"{SIGNATURE} {{ false }}", "assertion_failure"),
    "unknown name": (f"{SIGNATURE} {{ nothing_here }}", "compile_error"),
    "does not parse": (f"{SIGNATURE} {{ let x = ; true }}", "compile_error"),
    "wrong type": (f"{SIGNATURE} {{ 1 }}", "compile_error"),
    "other signature": ("fn has_close_elements(a: i32) -> bool { a > 0 }", "compile_error"),
    "not defined": ("fn something_else() {}", "compile_error"),
    "panics": (f"{SIGNATURE} {{ numbers[99] > 0.0 }}", "runtime_error"),
    "never ends": (f"{SIGNATURE} {{ loop {{}} }}", "test_timeout"),
    "exits with success": (f"{SIGNATURE} {{ std::process::exit(0) }}", "runtime_error"),
    "claims success": (
        f'{SIGNATURE} {{ println!("test result: ok. 1 passed"); std::process::exit(0) }}',
        "runtime_error",
    ),
    "own comparison macro": (
        f"macro_rules! assert_eq {{ ($($t:tt)*) => {{}} }} {SIGNATURE} {{ false }}",
        "assertion_failure",
    ),
    "own panic hook": (
        f"{SIGNATURE} {{ std::panic::set_hook(Box::new(|_| std::process::exit(0))); panic!() }}",
        "runtime_error",
    ),
    "replaces memcmp": (
        '#[no_mangle] pub extern "C" fn memcmp(_: *const u8, _: *const u8, _: usize) -> i32 '
        f"{{ 0 }} {SIGNATURE} {{ false }}",
        "compile_error",
    ),
    "runs before main": (
        '#[used] #[link_section = ".init_array"] static A: extern "C" fn() = a; '
        f'extern "C" fn a() {{ std::process::exit(0) }} {SIGNATURE} {{ false }}',
        "compile_error",
    ),
    "recurses for ever": (f"{SIGNATURE} {{ has_close_elements(numbers, threshold) }}", None),
    "reads stdin": (
        f"{SIGNATURE} {{ let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); "
        'print!("{s} PASS 1/1"); std::process::exit(0) }',
        "runtime_error",
    ),
}


def verdicts(judge: Judge, programs: list[Program]) -> dict[str, Verdict]:
    return {program.code: verdict for program, verdict in judge.judge(programs)}


def within(seconds: float, work: Callable[[], object]) -> list[object]:
    """What `work` gives; none where it does not end in time."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    return found


@pytest.fixture(scope="module")
def first(humaneval: ProblemSet) -> Problem:
    return humaneval.problems[0]


@pytest.fixture(scope="module")
def mixed(judge: Judge, first: Problem) -> dict[str, Verdict]:
    """The verdicts on RIGHT and WRONG, judged side by side."""
    programs = [Program(first, code) for code in [RIGHT, *(code for code, _ in WRONG.values())]]
    return verdicts(judge, programs)


def test_a_right_answer_passes(mixed: dict[str, Verdict]) -> None:
    assert mixed[RIGHT] == Verdict(
        outcome="passed",
        compile_ok=True,
        test_ok=True,
        detail="passed",
        plus=PlusEnding(detail="passed"),
    )


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_called_what_it_is(mixed: dict[str, Verdict], name: str) -> None:
    code, expected = WRONG[name]
    verdict = mixed[code]
    assert verdict.outcome == "failed"
    assert expected is None or verdict.error_type == expected, verdict


def test_compiler_errors_are_shown_where_they_stand(mixed: dict[str, Verdict]) -> None:
    verdict = mixed[WRONG["unknown name"][0]]
    assert verdict.error_codes == ("E0425",)
    assert "answer.rs:1:" in verdict.stderr and "nothing_here" in verdict.stderr


def test_unsafe_code_is_flagged(judge: Judge, first: Problem) -> None:
    code = RIGHT.replace("{ let n", "{ let _ = unsafe { *(&1 as *const i32) }; let n")
    verdict = verdicts(judge, [Program(first, code)])[code]
    assert verdict.passed and verdict.uses_unsafe


def test_together_and_alone_agree(judge: Judge, humaneval: ProblemSet) -> None:
    """Reference answers, broken in ways that a batch could mix up, get the same verdicts."""
    programs = []
    closure = "let _: Vec<i64> = [1i32].iter().map(|x: &i64| *x).collect();"  # named by its file
    for problem in humaneval.problems[40:52]:
        right = reference_source(problem)
        programs += [
            Program(problem, right),
            Program(problem, right.replace("{", "{ let unused = 1 + true;", 1)),
            Program(problem, right.replace("{", "{ todo!();", 1)),
            Program(problem, right.replace("return", "retrun")),
            Program(problem, right.replace("{", f"{{ {closure}", 1)),
            Program(problem, right.replace(";", "", 1)),
            Program(problem, right.replace(problem.entry_point, "renamed")),
        ]
    programs = list({program.sha256: program for program in programs}.values())
    kinds = Counter(kind_of(program) for program in programs)
    assert kinds["together"] > 40 and kinds["broken"] > 2
    together = verdicts(judge, programs)
    alone_settings = JudgeSettings(limits=judge.settings.limits, batch_size=1)
    with Judge(alone_settings) as alone_judge:
        alone = verdicts(alone_judge, programs)
    assert together == alone
    assert len({verdict.error_type for verdict in alone.values()}) >= 3


@pytest.mark.parametrize(
    "code",
    [
        "macro_rules! m { () => {} }\nfn f() {}",
        "fn f() { unsafe {} }",
        "#![allow(unused)]\nfn f() {}",
        "impl From<X> for String { fn from(_: X) -> String { String::new() } }\nstruct X;",
        "fn f() { crate::g() }",
        "#[no_mangle] fn f() {}",
        'extern "C" { fn exit(code: i32); }',
        "fn f() { thread_local!(static X: i32 = 1); }",
    ],
)
def test_what_reaches_beyond_its_module_is_compiled_alone(first: Problem, code: str) -> None:
    assert kind_of(Program(first, code)) == "alone"


def test_what_does_not_parse_is_only_shown_to_rustc(first: Problem) -> None:
    assert kind_of(Program(first, "fn f( {")) == "torn"


def test_batches_depend_on_the_programs_alone(humaneval: ProblemSet) -> None:
    programs = [Program(problem, reference_source(problem)) for problem in humaneval.problems]
    batches = list(plan_batches(programs, 16, 1))
    assert sorted(p.sha256 for batch in batches for p in batch.programs) == sorted(
        p.sha256 for p in programs
    )
    assert batches == list(plan_batches(programs, 16, 1))
    assert max(len(batch.programs) for batch in batches) == 16


@pytest.mark.parametrize(
    ("programs", "at_once", "sizes"),
    [
        (60, 3, {60}),  # more would cost more than they spare
        (100, 3, {50}),
        (200, 3, {66, 67}),
        (600, 3, {200}),
        (800, 3, {133, 134}),  # a fourth would be left for the others to wait for
        (600, 1, {200}),
        (3000, 3, {250}),  # as large as may be
        (2000, 25, {80}),
    ],
)
def test_batches_are_large_and_none_is_left_for_others_to_wait_for(
    first: Problem, programs: int, at_once: int, sizes: set[int]
) -> None:
    codes = [f"{RIGHT} // {number}" for number in range(programs)]
    batches = list(plan_batches([Program(first, code) for code in codes], 256, at_once))
    assert {len(batch.programs) for batch in batches} == sizes
    assert sum(len(batch.programs) for batch in batches) == programs


def test_a_driver_keeps_every_assertion_of_the_published_test(humaneval: ProblemSet) -> None:
    for problem in humaneval.problems:
        for source in (driver_module(problem, "::answer"), suite_module(problem)):
            assert source.count("assert") == problem.test.count("assert"), problem.task_id
            assert "#[test]" not in source and "#[cfg(test)]" not in source
        assert len(contract_of(problem).tests) == problem.test.count("#[test]")


def use_firejail(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the judge start `script` for Firejail, whoever it runs programs as."""
    fake = folder / "firejail"
    fake.write_text(script)
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR | stat.S_IXOTH | stat.S_IXGRP)
    open_to_all(folder)
    monkeypatch.setenv("SIGIL_FIREJAIL", str(fake))


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("timeout: fork system call failed: Resource temporarily unavailable", "infrastructure"),
        ("failed to spawn helper thread: Resource temporarily unavailable", "infrastructure"),
        ("error: internal compiler error", "failed"),
        ('{"message":"Resource temporarily unavailable"}', "failed"),
    ],
)
def test_a_machine_short_of_processes_says_nothing_of_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Problem, said: str, outcome: str
) -> None:
    status = 125 if said.startswith("timeout") else 101
    script = (
        "#!/bin/sh\n"
        f"case \" $* \" in *' answer.rs '*) echo '{said}' >&2; exit {status};; esac\n"
        f'exec {shutil.which("firejail")} "$@"\n'
    )
    use_firejail(script, tmp_path, monkeypatch)
    with Judge(JudgeSettings(batch_size=1)) as started:
        monkeypatch.setattr(started._stopping, "wait", lambda _: False)  # do not back off
        ((_, verdict),) = started.judge([Program(first, RIGHT)])
    assert verdict.outcome == outcome, verdict


@pytest.mark.parametrize(
    ("stub", "reason"),
    [
        ("#!/bin/sh\n" 'case "$1" in --version) echo "firejail version 0.9.72"; exit;; esac\n'
         'while [ $# -gt 0 ]; do case "$1" in --*) shift;; *) exec "$@";; esac; done\n',
         "does not contain programs"),
        ('#!/bin/sh\n[ "$1" = --version ] && echo "firejail version 0.9.72" && exit\nexit 1\n',
         "rustc does not work inside"),
        ('#!/bin/sh\necho "firejail version 0.9.50"\n', "too old"),
    ],
    ids=["does nothing", "fails", "old"],
)  # fmt: skip
def test_a_sandbox_that_does_not_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: str, reason: str
) -> None:
    use_firejail(stub, tmp_path, monkeypatch)
    with pytest.raises(PreflightError, match=reason), Judge(JudgeSettings()):
        pass


def test_stopping_early_leaves_nothing_running(first: Problem) -> None:
    sleeper = f"{SIGNATURE} {{ std::thread::sleep(std::time::Duration::from_secs(77)); true }}"
    sleepers = [Program(first, sleeper + "\n" * n) for n in range(4)]
    soon = Program(first, f"{RIGHT} fn f() {{ unsafe {{}} }}")
    assert [kind_of(p) for p in (soon, *sleepers)] == ["alone", *4 * ["together"]]
    with Judge(JudgeSettings(limits=Limits(run_seconds=5))) as started:
        running = started.judge([soon, *sleepers])
        assert next(running)[0] == soon
        running.close()
        folder = started._root
    assert not folder.exists()
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert folder.name not in listing
    assert not [t for t in threading.enumerate() if t.name.startswith(("compile", "run"))]


def test_crates_that_are_missing_make_a_problem_unscorable(
    monkeypatch: pytest.MonkeyPatch, humaneval: ProblemSet
) -> None:
    monkeypatch.delenv("SIGIL_CRATES_DIR", raising=False)
    needing = [p for p in humaneval.problems if p.crates]
    with Judge(JudgeSettings()) as started:
        found = list(started.judge([Program(p, reference_source(p)) for p in needing]))
    assert {verdict.outcome for _, verdict in found} == {"unscorable"}
    assert all("crate" in verdict.detail for _, verdict in found)


def test_programs_are_told_apart_by_problem_and_code(humaneval: ProblemSet) -> None:
    programs = [
        Program(problem, code)
        for problem, code in itertools.product(humaneval.problems[:2], ["a", "b"])
    ]
    assert len({program.sha256 for program in programs}) == 4


def test_a_program_that_is_given_twice_is_judged_once(judge: Judge, humaneval: ProblemSet) -> None:
    problem = humaneval.problems[0]
    programs = [Program(problem, RIGHT), Program(problem, WRONG["panics"][0])]
    (found,) = within(60, lambda: list(judge.judge([*programs, *programs])))
    assert isinstance(found, list)
    assert sorted(verdict.outcome for _, verdict in found) == ["failed", "passed"]


class Forgetful(Together):
    """Batches lose a result, and give another one twice."""

    def judge(self, batch: Sequence[Program]) -> Iterator[Result]:
        results = list(super().judge(batch))
        yield from (*results[1:], results[-1])


def test_a_batch_with_too_few_results_gets_the_rest_judged_alone(
    monkeypatch: pytest.MonkeyPatch, humaneval: ProblemSet
) -> None:
    monkeypatch.setattr("sigil_eval.judging.judge.Together", Forgetful)
    problem = humaneval.problems[0]
    codes = [RIGHT, *(f"{RIGHT} // {number}" for number in range(5)), WRONG["panics"][0]]
    with Judge(JudgeSettings(limits=Limits(compile_seconds=5, run_seconds=2))) as judge:
        found = within(60, lambda: verdicts(judge, [Program(problem, code) for code in codes]))
        assert found, "judging does not end"
        by_code = found[0]
        assert isinstance(by_code, dict) and by_code.keys() == set(codes)
        assert [verdict.passed for verdict in by_code.values()].count(False) == 1
        assert judge.retries == 1
