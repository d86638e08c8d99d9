"""Read a model's answer: find the Rust in it and make it a complete candidate source.

An answer may be a body that continues the prompt, a whole function, or fenced code with prose
around it, with imports, helpers, a main and tests, cut off in the middle. Answers that say the
same thing in different dress come out as the same source, so that they are scored once. Nothing
is repaired here: source that does not compile is for rustc to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, takewhile

from tree_sitter import Node

from sigil_eval.rust.items import Item, Source, read_items
from sigil_eval.rust.lexer import Token, block_end, tokens
from sigil_eval.rust.syntax import parse, text_of
from sigil_eval.rust.vocabulary import DEFINITION_KINDS, TYPE_AND_VALUE_KINDS

MAX_ANSWER_CHARS = 1 << 20
_MAIN = re.compile(r"^[ \t]*(?:pub\s+)?(?:async\s+)?fn\s+main\b", re.MULTILINE)


@dataclass(frozen=True)
class Extraction:
    """What was read out of an answer.

    `code` is imports, helpers and the entry function, without main and tests, or None with a
    `reason`. `kind` is "body", "function" or "fence". `main_free` says that the answer had no
    main function; `truncated` that it ends before the code in it does. `inner_attributes` are
    the `#![…]` in the code: they speak for a whole crate, so whoever compiles it must know.
    """

    code: str | None
    kind: str | None
    main_free: bool = True
    truncated: bool = False
    reason: str | None = None
    inner_attributes: tuple[str, ...] = ()


def extract(completion: str, *, prompt: str, entry_point: str) -> Extraction:
    """Read the answer `completion` to a `prompt` that asks for the function `entry_point`."""
    if len(completion) > MAX_ANSWER_CHARS:
        return Extraction(None, None, reason=f"the answer is over {MAX_ANSWER_CHARS} characters")
    text = _clean_text(completion)
    if not text.strip():
        return Extraction(None, None, reason="the answer is empty")
    question = _read_prompt(_clean_text(prompt), entry_point)
    candidates = list(_candidates(text, question))
    # min keeps the first of equals, which is the one the model gave first.
    chosen = min(candidates, key=lambda one: one.rank, default=None)
    entry = chosen.source.entry() if chosen else None
    if chosen is None or entry is None:
        return _nothing_usable(text, entry_point)
    found = _assemble(chosen, entry, question, candidates)
    return replace(found, main_free=not _MAIN.search(text))


def _clean_text(text: str) -> str:
    """Drop a byte order mark and carriage returns at line ends; replace what UTF-8 can't hold."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text.removeprefix("\ufeff"))
    return text.replace("\r\n", "\n")


def _nothing_usable(text: str, entry_point: str) -> Extraction:
    main_free = not _MAIN.search(text)
    if re.search(r"\bfn\s+\w+", text):
        reason = f"the entry point {entry_point} is not defined"
    else:
        reason = "no code found"
    return Extraction(None, None, main_free=main_free, reason=reason)


@dataclass(frozen=True)
class _Question:
    """What the prompt gives: items before the entry function, its signature, what follows `{`.

    `signature` ends with `{` and is empty when the prompt doesn't open the function.
    """

    entry_point: str
    context: tuple[Item, ...]
    signature: str
    opening: str

    @property
    def returns_value(self) -> bool:
        return "->" in self.signature


@lru_cache(maxsize=1024)
def _read_prompt(prompt: str, entry_point: str) -> _Question:
    starts = list(re.finditer(rf"\bfn\s+(?:r#)?{re.escape(entry_point)}\b", prompt))
    if not starts:
        return _Question(entry_point, (), "", "")
    start = _line_start_of_item(prompt, starts[-1].start())
    brace = _body_brace(prompt, start)
    context = tuple(
        item for item in read_items(prompt[:start], entry_point).items if item.role == "other"
    )
    if brace is None:
        return _Question(entry_point, context, "", "")
    opening = prompt[brace + 1 :]
    if not any(True for _ in tokens(opening)):
        opening = ""
    return _Question(entry_point, context, prompt[start : brace + 1].strip(), opening)


def _line_start_of_item(text: str, position: int) -> int:
    """Step back over `pub`, `async` and the like before `fn`."""
    line = text.rfind("\n", 0, position) + 1
    before = text[line:position]
    if re.fullmatch(r'\s*(?:(?:pub(?:\([^)]*\))?|const|async|unsafe|extern|"\w+")\s+)*', before):
        return line
    return position


def _body_brace(text: str, start: int) -> int | None:
    """Offset of the `{` that opens the body of the function that starts at `start`."""
    depth = 0
    for token in tokens(text, start):
        if token.text == "{" and depth == 0:
            return token.start
        if token.kind == "open":
            depth += 1
        elif token.kind == "close":
            depth -= 1
        elif token.text == ";" and depth == 0:
            return None
    return None


@dataclass(frozen=True)
class _Candidate:
    """One way to read the answer; the smallest `rank` wins."""

    rank: int
    kind: str
    source: Source
    truncated: bool = False


# What a reading is worth. A whole answer that is plain Rust beats everything; after that it
# counts how sure it is that a piece is the function that was asked for.
(
    _WHOLE,
    _HEAD,
    _FENCE_CLEAN,
    _FENCE_FUNCTION,
    _HEAD_OPEN,
    _FENCE_BODY,
    _FUNCTION_IN_PROSE,
    _CUT_FUNCTION,
    _BROKEN_BODY,
    _CUT_BODY,
    _HELPERS,
) = range(11)


def _candidates(text: str, question: _Question) -> Iterator[_Candidate]:
    """Ways to read the answer, in the order of the text."""
    head, fences = _fences(text)
    if not fences or _is_rust(text, question):
        whole = _read_segment(text, question)
        if whole is not None:
            yield replace(whole, rank=_WHOLE) if whole.rank == _HEAD_OPEN else whole
        return
    best = _HELPERS
    before = _read_segment(head, question)
    if before is not None and re.search(r"[^\w\s'\",.!?:]", head):
        before = replace(before, rank=_HEAD) if before.rank == _WHOLE else before
        best = before.rank
        yield before
    for language, content in fences:
        inside = _read_fence(content, question)
        if inside.source.items and (inside.rank != _FENCE_BODY or language in _RUST_LANGUAGES):
            best = min(best, inside.rank)
            yield inside
    if best > _FUNCTION_IN_PROSE:
        outside = _read_segment(text, question)
        if outside is not None and outside.kind == "function":
            yield outside


def _is_rust(text: str, question: _Question) -> bool:
    """Whether what looks like fences stands in comments or strings."""
    start = question.signature + question.opening + "\n"
    return any(
        tree is not None and not tree.root_node.has_error
        for tree in (parse(one.encode()) for one in (text, start + text))
    )


def _read_fence(content: str, question: _Question) -> _Candidate:
    inside = _read_segment(content, question)
    if inside is None:
        return _Candidate(_HELPERS, "fence", read_items(content, question.entry_point))
    rank = inside.rank
    if inside.kind == "body":
        rank = _FENCE_BODY if rank in (_WHOLE, _HEAD_OPEN) else rank
    elif rank in (_WHOLE, _FUNCTION_IN_PROSE):
        rank = _FENCE_CLEAN if rank == _WHOLE else _FENCE_FUNCTION
    return replace(inside, rank=rank, kind="fence")


def _read_segment(text: str, question: _Question) -> _Candidate | None:
    """Read a text without fences as a whole function, or else as a body."""
    mentioned = re.search(rf"\bfn\s+(?:r#)?{re.escape(question.entry_point)}\b", text)
    source = read_items(text, question.entry_point) if mentioned else None
    entry = source.entry() if source else None
    if source is not None and entry is not None and source.clean:
        return _Candidate(_WHOLE, "function", source)
    body = _read_body(text, question)
    if body is not None and body.rank == _WHOLE:
        return body
    if body is not None and body.rank == _HEAD_OPEN and (entry is None or _ends_in_value(body)):
        return body
    if source is not None and entry is not None:
        rank = _FUNCTION_IN_PROSE if entry.closed else _CUT_FUNCTION
        return _Candidate(rank, "function", source, truncated=not entry.closed)
    return body


def _read_body(text: str, question: _Question) -> _Candidate | None:
    """Read a text as what follows the prompt's opening brace."""
    if not question.signature or not any(True for _ in tokens(text)):
        return None
    start = question.signature + question.opening + "\n"
    end, missing = block_end(text, 0, depth=1)
    body = text[:end]
    if not missing:
        entry = _function(start + body, question)
        rest = read_items(text[end:], question.entry_point)
        source = Source((entry, *rest.items), rest.inner_attributes, clean=rest.clean)
        if _is_sound_body(entry.text, question):
            return _Candidate(_WHOLE, "body", source)
        return _Candidate(_BROKEN_BODY, "body", source) if _looks_like_code(body) else None
    if missing == 1:
        for piece in (body, _without_closing_prose(body)):
            if piece and _is_sound_body(closed := start + piece.rstrip() + "\n}", question):
                source = Source((_function(closed, question),), (), clean=True)
                return _Candidate(_HEAD_OPEN, "body", source)
    if not _looks_like_code(body):
        return None
    cut = Item("function_item", (question.entry_point,), start + body.rstrip(), "entry", False)
    if _only_items(start + body + "}" * missing, question):
        return None
    return _Candidate(_CUT_BODY, "body", Source((cut,), (), clean=False), truncated=True)


def _function(text: str, question: _Question) -> Item:
    return Item("function_item", (question.entry_point,), text, "entry")


def _is_sound_body(function: str, question: _Question) -> bool:
    """Whether a function with this body parses, and does more than define other items."""
    tree = parse(function.encode())
    if tree is None or tree.root_node.has_error or not tree.root_node.child_count:
        return False
    return not (question.returns_value and _has_only_items(tree.root_node))


def _only_items(function: str, question: _Question) -> bool:
    """Whether a function that must return a value is nothing but items (see _has_only_items)."""
    tree = parse(function.encode()) if question.returns_value else None
    return tree is not None and not tree.root_node.has_error and _has_only_items(tree.root_node)


def _has_only_items(root: Node) -> bool:
    """Whether the body of the first function consists of nothing but items.

    That is a whole function (or a wrongly named one) read as a body.
    """
    body = root.children[0].child_by_field_name("body") if root.child_count else None
    if body is None:
        return False
    inner = [child.type for child in body.named_children if not child.type.endswith("comment")]
    return bool(inner) and all(
        kind in DEFINITION_KINDS or kind.endswith("attribute_item") for kind in inner
    )


def _ends_in_value(body: _Candidate) -> bool:
    """Whether a body ends in an expression or a return, not in calls that show it at work."""
    data = body.source.items[0].text.encode()
    tree = parse(data)
    block = tree.root_node.children[-1].child_by_field_name("body") if tree else None
    if block is None or not block.named_child_count:
        return False
    last = block.named_children[-1]
    return text_of(last, data).startswith("return") or not text_of(last, data).endswith((";", "}"))


_CODE_MARK = re.compile(r"[{}]|;[ 	]*(?://.*)?$", re.MULTILINE)


def _looks_like_code(text: str) -> bool:
    return _CODE_MARK.search(text) is not None


_PROSE_LINE = re.compile(r"\n[ \t]*\n(?=(?:[A-Z][a-z']*[ ,:]|\*\*|#+ |[-*] |>|</?\w+>))")


def _without_closing_prose(text: str) -> str:
    """Cut a text at the first paragraph that reads like prose; empty if there is none."""
    match = _PROSE_LINE.search(text)
    return text[: match.start()] if match else ""


_RUST_LANGUAGES = {"", "rust", "rs"}
_FENCE = re.compile(r"(?P<mark>`{3,}|^[ \t]*~{3,})[ \t]*(?P<language>[\w+#.-]*)", re.MULTILINE)


def _fences(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Split an answer at its code fences.

    Returns the text before the first fence, and (language, content) of each fence. The last one
    may be unclosed. A fence mark in a comment is part of the code around it.
    """
    head = text
    fences: list[tuple[str, str]] = []
    opened: tuple[str, str, int] | None = None
    for match in _FENCE.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if "//" in line or line.lstrip().startswith("*"):
            continue
        mark, language = match.group("mark").strip(), match.group("language").lower()
        if opened is not None:
            open_mark, open_language, start = opened
            closes = mark[0] == open_mark[0] and len(mark) >= len(open_mark)
            if not closes or language:
                continue
            fences.append((open_language, text[start : match.start()]))
            opened = None
        else:
            if not fences:
                head = text[: match.start()]
            opened = (mark, language.split(",")[0], match.end())
    if opened is not None:
        fences.append((opened[1], text[opened[2] :]))
    return head, fences


def _assemble(
    chosen: _Candidate, entry: Item, question: _Question, candidates: Sequence[_Candidate]
) -> Extraction:
    kept = _kept_items(chosen.source.items, entry)
    others = [one.source for one in candidates if one is not chosen]
    kept += _missing_helpers(kept, [item for source in others for item in source.items])
    cut = chosen.truncated or any(not item.closed for item in kept)
    kept = [item for item in kept if not _restates(item, question.context)]
    context = [item for item in question.context if not _clashes(item, kept)]
    pieces = [*chosen.source.inner_attributes]
    pieces += [item.text for item in context]
    pieces += [_normal_entry(item, question) if item is entry else item.text for item in kept]
    return Extraction(
        "\n\n".join(pieces) + "\n",
        chosen.kind,
        truncated=cut,
        inner_attributes=chosen.source.inner_attributes,
    )


def _kept_items(items: Iterable[Item], entry: Item) -> list[Item]:
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


def _normal_entry(entry: Item, question: _Question) -> str:
    """The entry function, in the prompt's signature if it is the same one, evenly spaced."""
    brace = _body_brace(entry.text, 0)
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
