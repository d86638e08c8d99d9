"""What an answer says of its definitions: that one stands for another, or only beside it.

A rule is a kind of words, with examples. They are looked for in front of the later definition,
first in the last paragraph there, which is its headline; and in front of the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rule:
    """Words that decide between two definitions, and whether the later one replaces the earlier.

    `where` they stand: in the later one's headline, anywhere between the two, or in the headline
    of the first.
    """

    name: str
    replaces: bool
    where: Literal["headline", "between", "first"]
    words: re.Pattern[str]
    examples: tuple[str, ...]


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE | re.MULTILINE)


_THING = r"(?:code|version|one|function|solution|implementation|approach|attempt|answer|try|draft)"
_ANOTHER = _any_of(
    r"\balternativ",
    r"\banother (?:way|approach|option|version|solution|implementation|variant)",
    r"\b(?:also|or) (?:you|with|using|even|as|in|do|be|write|use|recursively|iteratively|simply)\b",
    r"\boption(?:al|ally| \w)\b",
    r"\bfor (?:comparison|reference|contrast|fun|completeness)\b",
    r"\b(?:approach|method|solution|option|way) (?:2|two|b|#2)\b",
    r"\b(?:second|other|different) (?:approach|method|solution|option|way)\b",
    r"^\W*or\b",
    r"\bnot recommended\b",
)
_REGRET = _any_of(
    r"\bwait\b",
    r"\boops\b",
    r"\bmistake",
    r"\b(?:is|was|'s|are) (?:wrong|incorrect|not (?:right|correct))\b",
    r"\b(?:a|has|had|with) bugs?\b",
    r"\b(?:does(?:n't| not)|won't|will not) (?:work|compile)\b",
    r"\blet me (?:fix|correct|redo|rewrite|try|revise)",
    r"\bcorrect(?:ed|ion)\b",
    r"\bscratch that\b",
    r"\bsecond thought\b",
    r"\bnever mind\b",
    r"\bsorry\b",
    r"\bi (?:made|forgot|missed)\b",
    r"\bapolog",
    r"\bfails\b",
)
_FAULTY = _any_of(
    r"\b(?:original|buggy|faulty|broken|wrong|incorrect|naive|old|bad|failing|inefficient|initial"
    rf"|quoted|provided|submitted|previous|slow) (?:\w+ )?{_THING}\b",
    r"\bfirst (?:\w+ )?(?:try|attempt|draft|version|idea|cut|pass|thought|stab)\b",
    r"\b(?:draft|sketch|attempt|before|wrong|bad|buggy|broken|incorrect|faulty)"
    r"(?: (?:1|one|#1))?\b[\s*_]*[:(]",
    r"\bbrute[- ]force\b",
    r"\byour (?:code|function|version|attempt)\b",
    r"\bcode (?:you|that|from|with|in the)\b",
    r"\byou (?:gave|wrote|posted|provided)\b",
    r"\b(?:a|the) bug\b",
    r"\bdo(?:n't| not) (?:do|write) this\b",
)
RULES = (
    Rule(
        "another way is offered",
        False,
        "headline",
        _ANOTHER,
        ("Alternatively, fixed to one line:", "Another way:", "Or with a match:", "Option 2:"),
    ),
    Rule(
        "a correction",
        True,
        "headline",
        _any_of(
            r"\bcorrect(?:ed|ion|ions|ing)\b",
            r"\bfix(?:ed|es|ing)?\b",
            r"\brevis(?:ed|ion)\b",
            r"\bfinal\b",
            r"\b(?:repaired|patched|amended)\b",
        ),
        ("Corrected:", "Here is the fixed version, with tests:", "// Fixed", "### Final code"),
    ),
    Rule(
        "what could be done as well",
        False,
        "headline",
        _any_of(
            r"\b(?:you|one) (?:can|could|may|might)\b",
            r"\bcould (?:also )?be (?:written|done)",
            r"\bif you (?:prefer|want|like|need|would|do)",
            r"\bvaria(?:nt|tion)s?\b",
            r"\bequivalent",
            r"\b(?:recursive|iterative)(?:ly)?\b",
            r"\bdo(?:n't| not) use\b",
        ),
        ("You could use a loop instead:", "If you want it faster:", "Recursive version:"),
    ),
    Rule(
        "a replacement",
        True,
        "headline",
        _any_of(
            r"\b(?:updated?|improved?|better|faster|efficient|refactored|rewritten|rewrote)\b",
            r"\bimprovement|\boptimi[sz]|\breplace|\bclean(?:ed)?[- ]?up\b",
            r"\b(?:instead|proper|working|together|adjusted|modified|redo|solved)\b",
            r"\bshould (?:be|have been|read)\b",
            r"\b(?:second|next|new) (?:attempt|try)\b|\btry again\b",
            r"\b(?:attempt|try|draft|take) (?:2|two|#2)\b",
            r"\b(?:new|latest|actual|real|right|correct)"
            r" (?:version|code|answer|solution|implementation|function|one|way)\b",
            r"\b(?:after|right|good|correct)\s*:",
            r"\b(?:completed?|full)"
            r" (?:version|code|solution|function|implementation|answer|program)\b",
        ),
        ("We must add instead:", "Optimized version:", "It should be:", "The complete code:"),
    ),
    Rule(
        "regret",
        True,
        "headline",
        _REGRET,
        ("Wait, that is wrong: it subtracts.", "Oops.", "That has a bug, so:", "I made a mistake."),
    ),
    Rule(
        "use, a test, or faulty code",
        False,
        "headline",
        _any_of(
            r"\b(?:usage|examples?|test(?:s|ing|ed)?|benchmark)\b",
            r"\bhow to (?:use|call)\b",
            _FAULTY.pattern,
        ),
        ("Example usage:", "A test of it:", "A wrong version, to show what happens:"),
    ),
    Rule(
        "regret",
        True,
        "between",
        _REGRET,
        ("Wait, it must add.\n\nThe function is then:",),
    ),
    Rule(
        "that the first is a draft, or is quoted",
        True,
        "first",
        _FAULTY,
        ("First try:", "The original code:", "Your code:", "Naive approach:", "// Buggy:"),
    ),
)


def deciding_rule(before_first: str, before_later: str, prompt: Collection[str]) -> Rule | None:
    """The first rule whose words are where it looks for them; None if the first one stands.

    Lines that stand in the `prompt` are the question's words, and not the answer's.
    """
    between = _spoken(before_later, prompt)
    offers_another = _ANOTHER.search(between) is not None
    said = {
        "headline": _headline(between),
        "between": "" if offers_another else between,
        "first": _headline(_spoken(before_first, prompt)),
    }
    return next((rule for rule in RULES if rule.words.search(said[rule.where])), None)


# A comment of many lines, or of documentation, says what a function does.
_DESCRIPTION = re.compile(
    r"(?:^[ \t]*//[^\n]*\n){3,}|^[ \t]*//[/!][^\n]*\n|/\*\*.*?\*/", re.MULTILINE | re.DOTALL
)


def _spoken(said: str, prompt: Collection[str]) -> str:
    """What is said, without what the prompt says and what describes a function."""
    lines = [line for line in said[-4000:].split("\n") if line.strip() not in prompt or not line]
    return _DESCRIPTION.sub("", "\n".join(lines))


def _headline(said: str) -> str:
    """The last paragraph of what is said, without the marks of comments and headings."""
    lines = [re.sub(r"^[\s/#*>!]+|[`\s]+$", "", line) for line in said.split("\n")]
    while lines and not re.search(r"\w", lines[-1]):
        lines.pop()
    begin = max((number + 1 for number, line in enumerate(lines) if not line), default=0)
    return "\n".join(lines[begin:])[-400:]
