"""What a model thought before it answered: the blocks in which models put that.

Code in such a block is a draft. What a block looks like depends on the model; what stands behind
its end is the answer. An end alone ends what the prompt has begun, or what was cut off in front.
A start alone, at the beginning of a line, begins what never came to its end.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sigil_eval.answers.quoting import unquoted

_NAMES = (
    r"(?:seed:|ant:?|longcat_?|deep_?|inner_?|internal_?)?"
    r"(?:think|thinking|thoughts?|reasoning|reason|reflection|scratch_?pad|analysis|monologue"
    r"|chain[-_ ]of[-_ ]thought|cot|rationale|planning|plan|brainstorm(?:ing)?)"
)
# How a block begins and ends, by the models that write it so.
_FORMS = {
    # <think> of DeepSeek, Qwen and most others, <thinking>, <reasoning> …
    "tag": (rf"<{_NAMES}(?:\s[^<>\n]*)?>", rf"</{_NAMES}\s*>"),
    # A fold of GitHub's
    "fold": (
        r"<details[^<>\n]*>\s*<summary>[^<>\n]*(?:think|thought|reason)[^<>\n]*</summary>",
        r"</details>",
    ),
    # Magistral
    "bracket": (r"\[THINK(?:ING)?\]", r"\[/THINK(?:ING)?\]"),
    # Kimi
    "triangle": (r"◁think▷", r"◁/think▷"),
    # OpenThinker, Command A, Hunyuan …
    "token": (
        r"<\|(?:begin_of_thought|start_thinking|thinking|think|think_start|thought)\|>",
        r"<\|(?:end_of_thought|end_thinking|/thinking|/think|think_end|/thought)\|>",
    ),
    # MedGemma
    "unused": (r"<unused94>(?:thought)?", r"<unused95>"),
    # gpt-oss: a channel of its own, with its tokens or without
    "channel": (
        r"(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>",
        r"(?:<\|end\|>\s*)?(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>",
    ),
    "bare channel": (r"\Aanalysis(?=[A-Z])", r"assistantfinal"),
}
_MARK = re.compile(
    "|".join(
        f"(?P<start_{number}>{start})|(?P<end_{number}>{end})"
        for number, (start, end) in enumerate(_FORMS.values())
    ),
    re.IGNORECASE,
)
# One of these is in every mark; it takes no time to look for them.
_HINTS = ("think", "thought", "reason", "analysis", "plan", "reflect", "scratch", "rationale",
          "unused9", "cot>", "monologue", "brainstorm", "final<")  # fmt: skip


class Reasoned(NamedTuple):
    """An answer in two: what it says, and what the model thought; `cut` if that never ends."""

    answer: str
    reasoning: str
    cut: bool


def without_reasoning(text: str) -> Reasoned:
    """Part an answer from the reasoning in it."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return Reasoned(text, "", cut=False)
    marks = [(mark, (mark.lastgroup or "").startswith("start")) for mark in unquoted(_MARK, text)]
    last_end = max((mark.start() for mark, starts in marks if not starts), default=-1)
    answer, reasoning, position, opened = "", "", 0, -1
    for mark, starts in marks:
        if starts and opened < 0 and (mark.start() < last_end or _begins_line(text, mark.start())):
            answer += text[position : mark.start()] + "\n"
            opened = position = mark.end()
        elif starts:
            continue
        else:
            if opened < 0:
                reasoning, answer = reasoning + answer, ""
            reasoning += text[position : mark.start()] + "\n"
            position, opened = mark.end(), -1
    if opened >= 0:
        return Reasoned(answer, reasoning + text[position:], cut=True)
    return Reasoned(answer + text[position:], reasoning, cut=False)


def _begins_line(text: str, position: int) -> bool:
    before = text[max(0, position - 80) : position]
    return re.search(r"(?:\A|[\n>\]])[ \t]*\Z", before) is not None
