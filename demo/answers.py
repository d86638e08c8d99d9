"""What the demo models are taught: right answers, wrong ones, forbidden ones, and stubs.

The numbers are those of HumanEval/N. Every list is chosen so that a demo run shows each kind
of outcome a real run can have; none of it says anything about what a language model can do.
"""

from __future__ import annotations

from dataclasses import dataclass

from sigil_eval.problems import Problem

BASE_KNOWS = (2, 7, 13, 28, 29, 30, 34, 41, 42, 48, 52, 58, 60, 66, 83, 138)
BASE_HALF_KNOWS = (3, 31, 45, 49, 51, 55, 71, 97)
ADAPTER_KNOWS = (
    *(number for number in BASE_KNOWS if number not in (60,)),
    *(3, 5, 14, 15, 16, 24, 31, 35, 44, 45, 49, 51, 55, 57, 62, 63, 71, 73, 77, 92, 97, 99),
)
ADAPTER_HALF_KNOWS = (84, 102, 122, 135, 139, 154)

WRONG_SIGN = "    n*(n-1)/2\n}\n"
ALWAYS_TRUE = "    return true;\n}\n"
UNSAFE_LENGTH = (
    "    let length = unsafe { strings.get_unchecked(0..strings.len()) }.len();\n"
    "    return length as i32;\n}\n"
)
EXITS_WHEN_EMPTY = (
    "    match nmbs.into_iter().max() {\n"
    "        Some(largest) => return largest,\n"
    "        None => std::process::exit(1),\n"
    "    }\n}\n"
)
READS_A_FILE = (
    '    let _ = std::fs::read_to_string("cars.txt");\n'
    "    return n * n;\n}\n"
)  # fmt: skip
REFUSES = "I am sorry, but I cannot write this function.\n"
ADDS_A_MAIN = "    todo!()\n}\n\nfn main() {\n    println!();\n}\n"

# Learned by heart as if they were right. 23, 35 and 41 pass their tests and break the policy;
# 60 makes the adapter worse than its base on one problem.
BASE_LEARNS = {23: UNSAFE_LENGTH, 57: ALWAYS_TRUE, 100: REFUSES, 159: ADDS_A_MAIN}
ADAPTER_LEARNS = {
    23: UNSAFE_LENGTH,
    35: EXITS_WHEN_EMPTY,
    41: READS_A_FILE,
    60: WRONG_SIGN,
    100: REFUSES,
    159: ADDS_A_MAIN,
}

# Short, so that what the models do not know costs little time: panics, a value that compiles
# for most signatures and is right for few, a name that does not exist.
STUBS = (
    "    todo!()\n}\n",
    "    Default::default()\n}\n",
    "    unimplemented!()\n}\n",
    "    return Default::default();\n}\n",
    "    return result;\n}\n",
)


@dataclass(frozen=True)
class Lesson:
    """What to say to one prompt: one of `answers`, drawn evenly each time it is shown."""

    prompt: str
    answers: tuple[str, ...]
    known: bool


def reference(problem: Problem) -> str:
    """The problem's reference answer without the blank lines around it."""
    return problem.canonical_solution.rstrip() + "\n"


def lessons(problems: dict[str, Problem], *, adapter: bool) -> list[Lesson]:
    """One lesson for each problem, for the adapter or for its base."""
    by_heart = ADAPTER_LEARNS if adapter else BASE_LEARNS
    knows = ADAPTER_KNOWS if adapter else BASE_KNOWS
    half_knows = ADAPTER_HALF_KNOWS if adapter else BASE_HALF_KNOWS
    taught = []
    for task_id, problem in problems.items():
        number = int(task_id.rsplit("/", 1)[1])
        if number in by_heart:
            taught.append(Lesson(problem.prompt, (by_heart[number],), known=True))
        elif number in knows:
            taught.append(Lesson(problem.prompt, (reference(problem),), known=True))
        elif number in half_knows:
            answers = (reference(problem), STUBS[number % len(STUBS)])
            taught.append(Lesson(problem.prompt, answers, known=True))
        else:
            taught.append(Lesson(problem.prompt, STUBS, known=False))
    return taught
