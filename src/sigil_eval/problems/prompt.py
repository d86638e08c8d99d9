"""The prompt of a problem from elsewhere: which function it begins, and where that is open."""

from __future__ import annotations

from sigil_eval.rust.functions import functions_of, top_definition
from sigil_eval.rust.lexer import matching_close, tokens

_STUBS = frozenset({"todo", "unimplemented", "panic"})


def opened(prompt: str, entry_point: str) -> str:
    """The prompt up to the brace that opens the function: a signature alone, or one with a stub
    for its body, are made what a model goes on from. Other prompts stay as they are."""
    start = top_definition(entry_point, prompt)
    function = None if start is None else (functions_of(prompt[start:]) or {}).get(entry_point)
    if start is None or function is None:
        return prompt
    end = len(prompt) if function.end is None else start + function.end
    head = _line_of_its_comments(prompt, start)
    if function.brace is None:
        signature = prompt[head:end].rstrip().removesuffix(";").rstrip()
        return f"{prompt[:head]}{_rest(prompt, end)}{signature} {{\n"
    brace = start + function.brace
    if function.end is None or not _is_stub(prompt, brace, end):
        return prompt
    return f"{prompt[:head]}{_rest(prompt, end)}{prompt[head : brace + 1]}\n"


def _line_of_its_comments(prompt: str, start: int) -> int:
    """Step back over the comments and attributes above the function."""
    head = prompt.rfind("\n", 0, start) + 1
    while head:
        above = prompt.rfind("\n", 0, head - 1) + 1
        if not prompt[above:head].lstrip(" \t").startswith(("//", "#[")):
            break
        head = above
    return head


def _rest(prompt: str, end: int) -> str:
    """What follows the function, to stand before it, which is open."""
    rest = prompt[end:].strip()
    return f"{rest}\n\n" if rest else ""


def _is_stub(prompt: str, brace: int, end: int) -> bool:
    """Whether the block is empty, or a macro that stands for what is missing."""
    words = [*tokens(prompt, brace + 1, end - 1)]
    if len(words) < 3:
        return not words
    closing = matching_close(words, 2)
    is_alone = [word.text for word in words[closing + 1 :]] in ([], [";"])
    return words[0].text in _STUBS and words[1].text == "!" and is_alone
