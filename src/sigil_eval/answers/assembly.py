"""Put the items of an answer together as one source, with what the prompt gives of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, takewhile

from sigil_eval.answers.question import Question, body_brace
from sigil_eval.rust.items import Item, Source
from sigil_eval.rust.lexer import Token, tokens
from sigil_eval.rust.vocabulary import TYPE_AND_VALUE_KINDS


def items_needed(source: Source, entry: Item, others: Iterable[Source]) -> list[Item]:
    """The items of the chosen source, and helpers they need that only the others define."""
    kept = _own_items(source.items, entry)
    return kept + _missing_helpers(kept, [item for other in others for item in other.items])


def assemble(
    items: Sequence[Item], entry: Item, inner_attributes: Sequence[str], question: Question
) -> str:
    """One source of the prompt's items and these, each defined once."""
    kept = [item for item in items if not _restates(item, question.context)]
    context = [item for item in question.context if not _clashes(item, kept)]
    pieces = [*inner_attributes]
    pieces += [item.text for item in context]
    pieces += [_normal_entry(item, question) if item is entry else item.text for item in kept]
    return "\n\n".join(pieces) + "\n"


def _own_items(items: Iterable[Item], entry: Item) -> list[Item]:
    """Drop main, tests, and what a model that went on too long has said before."""
    kept: list[Item] = []
    seen: set[object] = set()
    for item in items:
        if item.role in ("main", "test") or (item.role == "entry" and item is not entry):
            continue
        named = item.kind not in ("impl_item", "use_declaration", "macro_invocation")
        key: object = (item.kind, item.names) if named and "#[cfg" not in item.text else item.text
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _missing_helpers(kept: Sequence[Item], offered: Iterable[Item]) -> list[Item]:
    """Items of other fences that the chosen code needs and does not have."""
    definitions: dict[str, Item] = {}
    impls: dict[str, list[Item]] = {}
    for item in offered:
        if item.role == "other" and item.closed:
            for name in item.names:
                if item.kind == "impl_item":
                    impls.setdefault(name, []).append(item)
                else:
                    definitions.setdefault(name, item)
    if not definitions:
        return []
    defined = {name for item in kept for name in item.names if item.kind != "impl_item"}
    wanted = [name for item in kept for name in _identifiers(item.text)]
    added: dict[Item, None] = {}
    while wanted:
        name = wanted.pop()
        if name in defined or name not in definitions:
            continue
        defined.add(name)
        for item in (definitions[name], *impls.get(name, ())):
            if item not in added:
                added[item] = None
                wanted.extend(_identifiers(item.text))
    return [*added]


def _identifiers(text: str) -> Iterator[str]:
    return (token.text for token in tokens(text) if token.kind == "ident")


def _restates(item: Item, context: Sequence[Item]) -> bool:
    """Whether the prompt has defined this already, in words that the answer may not change.

    Tests compare by what a type says of itself, so the prompt's types and trait
    implementations stand; functions an answer may replace.
    """
    if item.kind == "impl_item":
        head = _impl_head(item)
        return "for" in head and any(head == _impl_head(one) for one in context)
    return item.kind in TYPE_AND_VALUE_KINDS and any(
        one.kind in TYPE_AND_VALUE_KINDS and set(one.names) & set(item.names) for one in context
    )


def _clashes(item: Item, kept: Sequence[Item]) -> bool:
    """Whether the answer defines, in its own words, what the prompt had defined."""
    if item.kind == "impl_item":
        head, methods = _impl_head(item), _functions(item)
        return any(_impl_head(one) == head and methods & _functions(one) for one in kept)
    theirs = {name for one in kept if one.kind != "impl_item" for name in one.names}
    return any(name in theirs for name in item.names)


def _impl_head(item: Item) -> list[str]:
    """The words of an impl up to its `{`; empty for other items."""
    if item.kind != "impl_item":
        return []
    return [*takewhile(lambda word: word != "{", (token.text for token in tokens(item.text)))]


def _functions(item: Item) -> set[str]:
    words = [token.text for token in tokens(item.text)]
    return {name for keyword, name in pairwise(words) if keyword == "fn"}


def _normal_entry(entry: Item, question: Question) -> str:
    """The entry function, in the prompt's signature if it is the same one, evenly spaced."""
    brace = body_brace(entry.text, 0)
    if brace is None:
        return entry.text
    signature = entry.text[: brace + 1]
    if _plain(tokens(signature)) == _plain(tokens(question.signature)):
        signature = question.signature
    body = re.sub(r"\A(?:[ \t]*\n)+", "", entry.text[brace + 1 :])
    # Where an answer mixes its brackets up, something else than a brace may have closed it.
    if entry.closed and "}" in body:
        body = body[: body.rindex("}")].rstrip() + "\n}"
    return f"{signature}\n{body}"


def _plain(stream: Iterable[Token]) -> list[str]:
    """The words of a signature, without visibility."""
    words = [token.text for token in stream]
    if words[:1] != ["pub"]:
        return words
    return words[words.index(")") + 1 :] if words[1:2] == ["("] else words[1:]
