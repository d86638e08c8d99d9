"""Put the items of an answer together as one source, with what the prompt gives of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sigil_eval.answers.needs import facts_of, impl_head
from sigil_eval.answers.question import Question, body_brace
from sigil_eval.rust.items import Item
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.vocabulary import TYPE_AND_VALUE_KINDS


def assemble(items: Sequence[Item], inner_attributes: Sequence[str], question: Question) -> str:
    """One source of the prompt's items and these, each defined once."""
    kept = [item for item in items if not _restates(item, question.context)]
    context = [item for item in question.context if not _clashes(item, kept)]
    pieces = [*inner_attributes]
    pieces += [item.text for item in context]
    pieces += [
        _normal_entry(item, question) if item.role == "entry" else item.text for item in kept
    ]
    return "\n\n".join(pieces) + "\n"


def _restates(item: Item, context: Sequence[Item]) -> bool:
    """Whether the prompt has defined this already, in words that the answer may not change.

    Tests compare by what a type says of itself, so the prompt's types and trait
    implementations stand; functions an answer may replace.
    """
    if item.kind == "impl_item":
        head = impl_head(item)
        return "for" in head and any(head == impl_head(one) for one in context)
    return item.kind in TYPE_AND_VALUE_KINDS and any(
        one.kind in TYPE_AND_VALUE_KINDS and set(one.names) & set(item.names) for one in context
    )


def _clashes(item: Item, kept: Sequence[Item]) -> bool:
    """Whether the answer defines, in its own words, what the prompt had defined."""
    if item.kind == "impl_item":
        head, methods = impl_head(item), facts_of(item).functions
        return any(impl_head(one) == head and methods & facts_of(one).functions for one in kept)
    theirs = {name for one in kept if one.kind != "impl_item" for name in one.names}
    return any(name in theirs for name in item.names)


def _normal_entry(entry: Item, question: Question) -> str:
    """The entry function, in the prompt's signature if it is the same one, evenly spaced."""
    brace = body_brace(entry.text, 0)
    if brace is None:
        return entry.text
    signature = entry.text[: brace + 1]
    if _plain(signature) == _plain(question.signature):
        signature = question.signature
    body = re.sub(r"\A(?:[ \t]*\n)+", "", entry.text[brace + 1 :])
    # Where an answer mixes its brackets up, something else than a brace may have closed it.
    if entry.closed and "}" in body:
        body = body[: body.rindex("}")].rstrip() + "\n}"
    return f"{signature}\n{body}"


@lru_cache(maxsize=1024)
def _plain(signature: str) -> list[str]:
    """The words of a signature, without visibility."""
    words = [token.text for token in tokens(signature)]
    if words[:1] != ["pub"]:
        return words
    return words[words.index(")") + 1 :] if words[1:2] == ["("] else words[1:]
