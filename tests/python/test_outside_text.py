"""Text from outside is read to the letter, or refused with file, line and reason."""

from __future__ import annotations

from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet

SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def test_only_a_line_feed_ends_a_line_of_what_rustc_says(
    judge: Judge, humaneval: ProblemSet
) -> None:
    """Its messages quote the answer, with all characters that Python takes for ends of lines."""
    problem = humaneval.by_id["HumanEval/27"]
    head = "pub fn flip_case(string: String) -> String "
    bodies = [
        f'{{ let _x: i32 = "{SEPARATORS}"; string }}',
        f'{{ let _x = unsafe {{ "{SEPARATORS}".len() }}; string }}',
    ]
    programs = [Program(problem, head + body) for body in bodies]
    verdicts = dict(judge.judge(programs))
    assert verdicts[programs[0]].error_codes == ("E0308",)
    assert verdicts[programs[1]].uses_unsafe
