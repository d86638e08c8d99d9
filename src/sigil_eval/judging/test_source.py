"""A problem's tests as a driver has them: without what only `cargo test` knows what to do with.

The driver holds the tests of many problems, a module each. So test attributes are taken off, what
`cfg(test)` guards is always there, modules that hold tests are public, and a path that begins at
`crate` begins at the problem's own module. All of it on the lines where it stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from sigil_eval.rust.lexer import Token, matching_close, tokens
from sigil_eval.rust.syntax import own_text, walk

_SAID = re.compile(r"crate|cfg")
# What a build on the target has set; whatever is not here and not off is taken for set.
_OFF = frozenset({"feature", "windows", "miri", "doc", "doctest", "loom", "fuzzing"})


@dataclass(frozen=True)
class Test:
    """One test function: its path below its module, and whether it must panic."""

    path: str
    should_panic: bool

    @property
    def panics(self) -> str:
        """`should_panic` as a Rust literal."""
        return "true" if self.should_panic else "false"


@dataclass(frozen=True)
class _Edit:
    """Bytes of the source that become others."""

    start: int
    end: int
    text: str


def driver_tests(source: str, root: Node) -> tuple[str, tuple[Test, ...]]:
    """The test text as the driver has it, and the tests it defines; `root` is its syntax tree."""
    data = source.encode("utf-8")
    tests: list[Test] = []
    edits = [*_test_edits(root.children, "", tests), *_path_edits(source, root)]
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        data = data[: edit.start] + edit.text.encode() + data[edit.end :]
    return data.decode("utf-8"), tuple(tests)


def _test_edits(siblings: Sequence[Node], path: str, tests: list[Test]) -> Iterator[_Edit]:
    """What makes the tests among `siblings` callable from outside; adds them to `tests`."""
    attributes: list[Node] = []
    for node in siblings:
        if node.type == "attribute_item":
            attributes.append(node)
        if node.type == "attribute_item" or "comment" in node.type:
            continue
        own, attributes = attributes, []
        texts = [re.sub(r"\s", "", own_text(attribute)) for attribute in own]
        name = own_text(node.child_by_field_name("name"))
        body = node.child_by_field_name("body")
        if not all(map(_is_built, texts)):
            continue
        if node.type == "mod_item" and body is not None:
            if path:
                yield from _made_public(node)
            yield from _test_edits(body.children, f"{path}{name}::", tests)
        elif node.type == "function_item" and "#[test]" in texts:
            panics = any(text.startswith("#[should_panic") for text in texts)
            for attribute, text in zip(own, texts, strict=True):
                if text.startswith(("#[test]", "#[should_panic", "#[ignore")):
                    yield _Edit(attribute.start_byte, attribute.end_byte, "")
            yield from _made_public(node)
            tests.append(Test(path + name, panics))


def _made_public(node: Node) -> Iterator[_Edit]:
    modifier = next((child for child in node.children if child.type == "visibility_modifier"), None)
    if modifier is None:
        yield _Edit(node.start_byte, node.start_byte, "pub ")
    elif own_text(modifier) != "pub":
        yield _Edit(modifier.start_byte, modifier.end_byte, "pub")


def _is_built(attribute: str) -> bool:
    """Whether a `#[cfg(…)]`, in a text without spaces, lets an item be; other attributes do."""
    found = re.fullmatch(r"#\[cfg\((.*)\)\]", attribute, re.DOTALL)
    return found is None or _holds([*tokens(found[1])])


def _holds(predicate: Sequence[Token]) -> bool:
    """Whether a predicate of `cfg` is true of a build of tests without features."""
    if not predicate:
        return True
    inner = _parted(predicate[2:-1]) if len(predicate) > 1 and predicate[1].text == "(" else []
    match predicate[0].text:
        case "not":
            return not all(map(_holds, inner))
        case "all":
            return all(map(_holds, inner))
        case "any":
            return any(map(_holds, inner))
        case name:
            return name not in _OFF


def _parted(stream: Sequence[Token]) -> list[Sequence[Token]]:
    """The parts between commas that stand in no brackets."""
    parts, start, index = [], 0, 0
    while index < len(stream):
        if stream[index].kind == "open":
            index = matching_close(stream, index)
        elif stream[index].text == ",":
            parts.append(stream[start:index])
            start = index + 1
        index += 1
    return [part for part in (*parts, stream[start:]) if part]


def _path_edits(source: str, root: Node) -> Iterator[_Edit]:
    """`crate` becomes the way to the problem's module, and `cfg(test)` what is always true."""
    stream = _tokens_to_the_last_path(source)
    offsets = _byte_offsets(source, stream)
    nodes = walk(root) if "crate" in source else ()
    bodies = [body for node in nodes if (body := _module_body(node)) is not None]
    for index, token in enumerate(stream):
        if token.kind != "ident" or token.raw:
            continue
        start, end = offsets[token.start], offsets[token.end]
        before = stream[index - 1].text if index else ""
        following = stream[index + 1].text if index + 1 < len(stream) else ""
        if token.text == "crate" and following == "::":
            depth = sum(body.start_byte < start < body.end_byte for body in bodies)
            way = "::".join(["super"] * depth) or "self"
            yield _Edit(offsets[stream[index - 1].start] if before == "$" else start, end, way)
        elif token.text in ("cfg", "cfg_attr") and (before == "[" or following == "!"):
            yield from _always_tested(stream, index, offsets)


def _tokens_to_the_last_path(source: str) -> list[Token]:
    """The tokens of a source as far as something is said by `crate` or `cfg`, and its argument."""
    stream: list[Token] = []
    places = [match.start() for match in _SAID.finditer(source)]
    depth = level = 0
    for token in tokens(source) if places else ():
        stream.append(token)
        depth += (token.kind == "open") - (token.kind == "close")
        if token.start <= places[-1]:
            level = depth
        elif depth <= level and token.text != "!":
            break
    return stream


def _module_body(node: Node) -> Node | None:
    return node.child_by_field_name("body") if node.type == "mod_item" else None


def _always_tested(stream: Sequence[Token], index: int, offsets: dict[int, int]) -> Iterator[_Edit]:
    """`test` in the predicate of the `cfg`, `cfg_attr` or `cfg!` at `index`."""
    opening = index + (2 if stream[index + 1 : index + 2] and stream[index + 1].text == "!" else 1)
    if opening >= len(stream) or stream[opening].text != "(":
        return
    closing = matching_close(stream, opening)
    predicate = _parted(stream[opening + 1 : closing])[:1]
    for token in (token for part in predicate for token in part):
        if token.kind == "ident" and token.text == "test":
            yield _Edit(offsets[token.start], offsets[token.end], "all()")


def _byte_offsets(source: str, stream: Sequence[Token]) -> dict[int, int]:
    """The offsets in bytes of where tokens begin and end."""
    wanted = sorted({place for token in stream for place in (token.start, token.end)})
    offsets, place, count = {}, 0, 0
    for one in wanted:
        count += len(source[place:one].encode())
        place = one
        offsets[one] = count
    return offsets
