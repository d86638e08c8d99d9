"""An item that its text breaks off in: what it would have been, as far as that can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sigil_eval.rust.lexer import Token, matching_close, tokens
from sigil_eval.rust.vocabulary import ITEM_QUALIFIERS, KIND_OF_KEYWORD, STATEMENT_MACROS

# A line that begins another item: what goes on to there was prose.
_NEXT_ITEM = re.compile(r"\n(?:pub|fn|struct|enum|impl|trait|mod|const|static|type|use|async)\b")
_PATH_MARKS = {"::", "{", "}", "*", ","}


def cut_item(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Kind and names of the item that `text` begins, and ends before it does.

    None where it rather is prose, or where not enough is there to tell.
    """
    stream = [*tokens(text)]
    start = _after_attributes(stream)
    words = [token.text for token in stream[start:]]
    at = _keyword_at(words)
    keyword, name = words[at : at + 1], words[at + 1 : at + 2]
    if not keyword or not name or _NEXT_ITEM.search(text, stream[start].end):
        return None
    if keyword == ["impl"]:
        return "impl_item", _implemented(stream[start + at + 1 :])
    if keyword == ["use"]:
        return _cut_import(words[at + 1 :])
    if keyword == ["extern"]:
        return ("foreign_mod_item", ()) if "{" in words else None
    if name == ["!"]:
        return _cut_macro(keyword[0], words[at + 2 :])
    kind = KIND_OF_KEYWORD.get(keyword[0])
    if kind is None or stream[start + at + 1].kind != "ident":
        return None
    return kind, (name[0],)


def _after_attributes(stream: Sequence[Token]) -> int:
    index = 0
    while [token.text for token in stream[index : index + 2]] == ["#", "["]:
        index = matching_close(stream, index + 1) + 1
    return min(index, len(stream) - 1) if stream else 0


def _keyword_at(words: Sequence[str]) -> int:
    """Where the word stands that says what item it is, behind visibility and qualifiers."""
    at = 0
    if words[:1] == ["pub"]:
        at = [*words, ")"].index(")") + 1 if words[1:2] == ["("] else 1
    while words[at : at + 1] and words[at] in ITEM_QUALIFIERS | {"extern"}:
        following = words[at + 1 : at + 2]
        is_abi = words[at] == "extern" and following[:1] != [] and following[0].startswith('"')
        if words[at] == "extern" and "fn" not in words[at + 1 : at + 3]:
            return at
        if words[at] == "const" and following and following[0] not in ITEM_QUALIFIERS | {"fn"}:
            return at
        at += 2 if is_abi else 1
    return at


def _implemented(stream: Sequence[Token]) -> tuple[str, ...]:
    """The type that an impl is for, by its first name."""
    depth = 0
    head: list[str] = []
    for token in stream:
        if token.text == "{":
            break
        depth += (token.text == "<") - (token.text == ">")
        if token.text == "for" and depth == 0:
            head = []
        elif token.kind == "ident" and depth == 0:
            head.append(token.text)
    return tuple(head[:1])


def _cut_import(words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Two words side by side are prose, where none of them is `as`."""
    names: list[str] = []
    before = ""
    for word in words:
        is_word = word not in _PATH_MARKS
        if is_word and before and before not in _PATH_MARKS and "as" not in (word, before):
            return None
        if is_word and word != "as":
            names.append(word)
        before = word
    return "use_declaration", tuple(names[-1:])


def _cut_macro(macro: str, words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    if macro == "macro_rules":
        return "macro_definition", tuple(words[:1])
    if macro in STATEMENT_MACROS or words[:1] not in (["{"], ["("], ["["]):
        return None
    return "macro_invocation", ()
