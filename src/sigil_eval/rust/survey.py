"""Read Rust source for names: its paths, macro calls and attributes, and the scopes around them.

Ordinary code is read off the syntax tree. Macro input has no tree, and neither has source that
doesn't parse; those are read by their tokens, and what a macro could make of them is noted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tree_sitter import Node

from sigil_eval.rust.lexer import Token, matching_close, tokens
from sigil_eval.rust.names import Path, Resolver, Scope, TangledError
from sigil_eval.rust.syntax import parse, text_of
from sigil_eval.rust.vocabulary import MACRO_CRATES

Span = tuple[int, int]


@dataclass(frozen=True)
class Use:
    """A path that stands somewhere in the source, or that is imported there."""

    path: Path
    scope: Scope
    span: Span

    @property
    def is_assembled(self) -> bool:
        """Whether pieces of the path are given to a macro (`std::$name`)."""
        return any(is_hole(segment) for segment in self.path)


@dataclass(frozen=True)
class MacroCall(Use):
    """A call of the macro at `path`."""

    in_macro: bool = False


@dataclass(frozen=True)
class MacroDefinition:
    """A `macro_rules!` whose name holds from `start` to `end`."""

    name: str
    start: int
    end: int


@dataclass
class Survey:
    """What a source says, in byte offsets; whether any of it is forbidden is for policy.

    `loose` are single names that a macro of this source gets to see and can build paths from, or
    items of that name (`macro_made`); `macro_words` are all words that it gets to see.
    `macro_holes` and `attribute_holes` say that a macro puts a name it is given in the place of a
    macro's or attribute's name.
    """

    root: Scope
    resolver: Resolver
    uses: list[Use] = field(default_factory=list)
    calls: list[MacroCall] = field(default_factory=list)
    definitions: list[MacroDefinition] = field(default_factory=list)
    attributes: list[tuple[str, Span]] = field(default_factory=list)
    unsafe: list[Span] = field(default_factory=list)
    externs: list[Span] = field(default_factory=list)
    module_files: list[Span] = field(default_factory=list)
    loose: set[tuple[str, Scope]] = field(default_factory=set)
    macro_words: dict[str, Span] = field(default_factory=dict)
    macro_made: frozenset[str] = frozenset()
    macro_holes: bool = False
    attribute_holes: bool = False

    def import_crate(self, crate: str, name: str, scope: Scope, span: Span) -> None:
        """Take note of `extern crate crate as name`."""
        self.resolver.extern_names.setdefault(name, crate)
        path = ("crate",) if crate == "self" else ("", crate)
        scope.bind(name, path)
        self.uses.append(Use(path, scope, span))


def is_hole(segment: str) -> bool:
    """Whether a path segment stands for something a macro is given."""
    return segment.startswith("$") and segment != "$crate"


def survey(text: str, std_names: frozenset[str], plain_macros: frozenset[str]) -> Survey:
    """Survey a source. Raises TangledError.

    `std_names` are the names of interest below the standard library's root; `plain_macros` take
    their input for expressions and never put a path together from pieces of it.
    """
    source = text.encode()
    root = Scope(None, is_module=True, end=len(source))
    result = Survey(root, Resolver(root, std_names))
    lexed = _Lexed(text)
    reader = _TreeReader(result, source, lexed, plain_macros)
    tree = parse(source)
    if tree is not None:
        reader.read(tree.root_node)
    result.macro_made = frozenset(word for word, _ in result.loose)
    if tree is None or tree.root_node.has_error or not reader.agrees_with_lexer():
        # What the parser could not read, or read otherwise than rustc will, is read by its
        # tokens, as if all of it were the input of a macro.
        _TokenReader(result, lexed, (0, len(lexed.tokens)), root, plain=False).read()
    return result


class _Lexed:
    """All tokens of a source, with the byte offsets they start at."""

    def __init__(self, text: str) -> None:
        self.tokens = list(tokens(text))
        self._offsets = None if text.isascii() else _byte_offsets(text)
        self.starts = [self._byte(token.start) for token in self.tokens]

    def _byte(self, position: int) -> int:
        return position if self._offsets is None else self._offsets[position]

    def within(self, node: Node) -> Span:
        """The range of token indices inside a node."""
        first = bisect_left(self.starts, node.start_byte)
        return first, bisect_left(self.starts, node.end_byte)

    def span(self, first: int, last: int) -> Span:
        """The bytes from one token through another."""
        last = max(first, min(last, len(self.tokens) - 1))
        return self.starts[first], self._byte(self.tokens[last].end)


def _byte_offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets


@dataclass(frozen=True)
class _MacroInput:
    """Tokens a macro is given or made of; `macro` is the called macro's plain name, if any."""

    node: Node
    scope: Scope
    macro: str


_Entered = tuple[Scope, Sequence[Node]] | None


class _TreeReader:
    """Walks the tree once, building scopes and collecting what stands in them."""

    def __init__(
        self, result: Survey, source: bytes, lexed: _Lexed, plain_macros: frozenset[str]
    ) -> None:
        self._survey = result
        self._source = source
        self._lexed = lexed
        self._plain_macros = plain_macros
        self._inputs: list[_MacroInput] = []
        self._literals: set[int] = set()
        self._handlers: dict[str, Callable[[Node, Scope, bool], _Entered]] = {
            "line_comment": self._skip,
            "block_comment": self._skip,
            "string_literal": self._literal,
            "raw_string_literal": self._literal,
            "char_literal": self._literal,
            "unsafe": self._unsafe,
            "extern_modifier": self._extern,
            "block": self._block,
            "mod_item": self._module,
            "struct_item": self._type,
            "enum_item": self._type,
            "union_item": self._type,
            "trait_item": self._type,
            "type_item": self._type,
            "function_item": self._generic,
            "function_signature_item": self._generic,
            "impl_item": self._generic,
            "use_declaration": self._use,
            "extern_crate_declaration": self._extern_crate,
            "macro_definition": self._macro_definition,
            "macro_invocation": self._macro_call,
            "attribute_item": self._attribute,
            "inner_attribute_item": self._attribute,
            "scoped_identifier": self._path,
            "scoped_type_identifier": self._path,
        }

    def read(self, root: Node) -> None:
        """Collect everything below `root`, macro input last, when all macros are known."""
        stack: list[tuple[Node, Scope, bool]] = [(root, self._survey.root, False)]
        while stack:
            node, scope, uncertain = stack.pop()
            handler = self._handlers.get(node.type)
            children: Sequence[Node] = node.children
            if handler is not None:
                entered = handler(node, scope, uncertain)
                if entered is None:
                    continue
                scope, children = entered
            stack.extend(self._with_cfg(children, scope))
        local = {definition.name for definition in self._survey.definitions}
        for given in self._inputs:
            first, last = self._lexed.within(given.node)
            plain = given.macro in self._plain_macros - local and not _calls_any(
                self._lexed.tokens[first:last], local
            )
            _TokenReader(self._survey, self._lexed, (first, last), given.scope, plain).read()

    def agrees_with_lexer(self) -> bool:
        """Whether tree and lexer see the same literals outside macro input."""
        if self._source.startswith(b"#!") and not self._source.startswith(b"#!["):
            return False
        ranges = sorted((one.node.start_byte, one.node.end_byte) for one in self._inputs)
        begins = [start for start, _ in ranges]
        ends = _running_maximum(end for _, end in ranges)
        seen = set()
        for token, start in zip(self._lexed.tokens, self._lexed.starts, strict=True):
            if token.kind == "literal":
                position = bisect_right(begins, start) - 1
                if position < 0 or start >= ends[position]:
                    seen.add(start)
        return seen == self._literals

    def _with_cfg(self, children: Sequence[Node], scope: Scope) -> list[tuple[Node, Scope, bool]]:
        """Children, last first, each with whether a cfg attribute stands before it."""
        result = []
        uncertain = False
        for child in children:
            if child.type == "attribute_item":
                uncertain = uncertain or self._is_cfg(child)
                result.append((child, scope, False))
            elif not child.type.endswith("_comment"):
                result.append((child, scope, uncertain))
                uncertain = False
        result.reverse()
        return result

    def _is_cfg(self, attribute: Node) -> bool:
        first, last = self._lexed.within(attribute)
        names = (token.text for token in self._lexed.tokens[first:last] if token.kind == "ident")
        return next(names, "") in ("cfg", "cfg_attr")

    def _field(self, node: Node, name: str) -> str:
        child = node.child_by_field_name(name)
        return "" if child is None else text_of(child, self._source).removeprefix("r#")

    def _skip(self, _node: Node, _scope: Scope, _uncertain: bool) -> _Entered:
        return None

    def _literal(self, node: Node, _scope: Scope, _uncertain: bool) -> _Entered:
        self._literals.add(node.start_byte)
        return None

    def _unsafe(self, node: Node, _scope: Scope, _uncertain: bool) -> _Entered:
        self._survey.unsafe.append(node.byte_range)
        return None

    def _extern(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        self._survey.externs.append(node.byte_range)
        return scope, node.children

    def _block(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        return Scope(scope, is_module=False, end=node.end_byte), node.children

    def _module(self, node: Node, scope: Scope, uncertain: bool) -> _Entered:
        body = node.child_by_field_name("body")
        if body is None:
            self._survey.module_files.append(node.byte_range)
            return None
        module = Scope(scope, is_module=True, end=node.end_byte)
        uncertain = uncertain or any(
            child.type == "inner_attribute_item" and self._is_cfg(child) for child in body.children
        )
        scope.define(self._field(node, "name"), module, uncertain=uncertain)
        return module, body.children

    def _type(self, node: Node, scope: Scope, uncertain: bool) -> _Entered:
        scope.define(self._field(node, "name"), uncertain=uncertain)
        return self._generic(node, scope, uncertain)

    def _generic(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        parameters = node.child_by_field_name("type_parameters")
        if parameters is None:
            return scope, node.children
        inner = Scope(scope, is_module=False, end=node.end_byte)
        for parameter in parameters.named_children:
            if parameter.type == "type_parameter":
                inner.define(self._field(parameter, "name"))
        return inner, node.children

    def _use(self, node: Node, scope: Scope, uncertain: bool) -> _Entered:
        argument = node.child_by_field_name("argument")
        if argument is not None:
            for path, name, leaf in _use_leaves(argument, self._source):
                scope.bind(name, path, uncertain=uncertain)
                self._survey.uses.append(Use(path, scope, leaf.byte_range))
        return None

    def _extern_crate(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        names = [
            text_of(child, self._source).removeprefix("r#")
            for child in node.named_children
            if child.type in ("identifier", "self")
        ]
        if names:
            self._survey.import_crate(names[0], names[-1], scope, node.byte_range)
        return None

    def _macro_definition(self, node: Node, scope: Scope, uncertain: bool) -> _Entered:
        if not uncertain:
            name = self._field(node, "name")
            self._survey.definitions.append(MacroDefinition(name, node.end_byte, scope.end))
        self._inputs.append(_MacroInput(node, scope, ""))
        return None

    def _macro_call(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        macro = node.child_by_field_name("macro")
        path = tuple(_segments(macro, self._source)) if macro is not None else ("",)
        if macro is not None:
            self._survey.calls.append(MacroCall(path, scope, macro.byte_range))
        name = path[-1] if len(path) == 1 or path[0] in MACRO_CRATES else ""
        for child in node.named_children:
            if child.type == "token_tree":
                self._inputs.append(_MacroInput(child, scope, name))
        return None

    def _attribute(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        first, last = self._lexed.within(node)
        stream = self._lexed.tokens[first:last]
        for index, token in enumerate(stream, first):
            if token.text == "[":
                reader = _TokenReader(self._survey, self._lexed, (first, last), scope, plain=True)
                reader.read_attribute(index)
                break
        starts = self._lexed.starts[first:last]
        self._literals.update(
            start for token, start in zip(stream, starts, strict=True) if token.kind == "literal"
        )
        return None

    def _path(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        path = tuple(_segments(node, self._source))
        if len(path) > 1:
            self._survey.uses.append(Use(path, scope, node.byte_range))
        return scope, [*_path_branches(node)]


def _calls_any(stream: Sequence[Token], macros: set[str]) -> bool:
    """Whether macro input calls one of these macros in its turn."""
    return bool(macros) and any(
        token.text in macros and following.text == "!" for token, following in pairwise(stream)
    )


def _running_maximum(values: Iterable[int]) -> list[int]:
    result: list[int] = []
    for value in values:
        result.append(max(value, result[-1]) if result else value)
    return result


_SCOPED = {"scoped_identifier", "scoped_type_identifier"}
_WITH_ARGUMENTS = {"generic_type", "generic_type_with_turbofish"}
_NAMES = {
    "identifier",
    "type_identifier",
    "primitive_type",
    "self",
    "super",
    "crate",
    "metavariable",
}


def _segments(node: Node, source: bytes) -> Iterator[str]:
    """The segments of a path; `<T as Trait>::name` begins with Self, T being read by itself."""
    parts: list[str] = []
    at: Node | None = node
    while at is not None:
        following = None
        if at.type in _SCOPED:
            name = at.child_by_field_name("name")
            parts.append("" if name is None else text_of(name, source).removeprefix("r#"))
            following = at.child_by_field_name("path")
            if following is None and at.children[0].type == "::":
                parts.append("")
        elif at.type in _WITH_ARGUMENTS:
            following = at.child_by_field_name("type")
        elif at.type in _NAMES:
            parts.append(text_of(at, source).removeprefix("r#"))
        else:
            parts.append("Self")
        at = following
    return reversed(parts)


def _path_branches(node: Node) -> Iterator[Node]:
    """What stands inside a path and is no segment of it: type arguments, bracketed types."""
    at: Node | None = node
    while at is not None:
        following = None
        if at.type in _SCOPED:
            following = at.child_by_field_name("path")
        elif at.type in _WITH_ARGUMENTS:
            arguments = at.child_by_field_name("type_arguments")
            if arguments is not None:
                yield arguments
            following = at.child_by_field_name("type")
        elif at.type not in _NAMES:
            yield at
        at = following


def _use_leaves(node: Node, source: bytes) -> Iterator[tuple[Path, str, Node]]:
    """The (path, name, node) of each leaf of a use tree; the name of a glob is "*"."""
    stack: list[tuple[Node, Path]] = [(node, ())]
    while stack:
        at, prefix = stack.pop()
        if at.type == "use_list":
            stack.extend((child, prefix) for child in reversed(at.named_children))
            continue
        path = at.child_by_field_name("path")
        if at.type == "use_wildcard" and at.named_child_count:
            path = at.named_children[0]
        if at.type in _SCOPED or at.type in _NAMES:
            path = at
        if path is not None:
            prefix = (*prefix, *_segments(path, source))
        elif at.children and at.children[0].type == "::" and not prefix:
            prefix = ("",)
        if at.type == "scoped_use_list":
            stack.append((at.children[-1], prefix))
        elif at.type == "use_wildcard":
            if prefix:
                yield prefix, "*", at
        elif path is not None:
            full = without_self(prefix)
            alias = at.child_by_field_name("alias")
            name = full[-1] if alias is None else text_of(alias, source).removeprefix("r#")
            yield full, name, at


def without_self(path: Path) -> Path:
    """`a::b::{self}` imports `a::b`."""
    return path[:-1] if path[-1] == "self" and len(path) > 1 else path


class _TokenReader:
    """Reads tokens that no tree explains, in a range of a source's tokens.

    `plain` input goes to a macro that doesn't take it apart.
    """

    def __init__(
        self, result: Survey, lexed: _Lexed, bounds: Span, scope: Scope, plain: bool
    ) -> None:
        self._survey = result
        self._lexed = lexed
        self._first, self._end = bounds
        self._scope = scope
        self._plain = plain

    def read(self) -> None:
        """Collect what a tree would have shown, and what macros could make of the rest."""
        index = self._first
        while index < self._end:
            index = self._read_at(index)

    def _within(self, first: int, end: int, *, plain: bool = True) -> _TokenReader:
        return _TokenReader(self._survey, self._lexed, (first, end), self._scope, plain)

    def _text(self, index: int) -> str:
        """The text of a token in range; nothing for a literal."""
        if not self._first <= index < self._end:
            return ""
        token = self._lexed.tokens[index]
        return "" if token.kind == "literal" else token.text

    def _is_name(self, index: int) -> bool:
        return self._first <= index < self._end and self._lexed.tokens[index].kind == "ident"

    def _add(self, path: Path, span: Span) -> None:
        self._survey.uses.append(Use(path, self._scope, span))

    def _read_at(self, index: int) -> int:
        token = self._lexed.tokens[index]
        if token.kind == "ident" and not token.raw:
            if token.text == "unsafe":
                self._survey.unsafe.append(self._lexed.span(index, index))
                return index + 1
            if token.text == "extern":
                return self._read_extern(index)
            if token.text == "use":
                return self._read_use(index)
            if token.text == "mod" and self._text(index + 2) == ";":
                self._survey.module_files.append(self._lexed.span(index, index + 2))
        if token.text == "#":
            opening = index + (2 if self._text(index + 1) == "!" else 1)
            if self._text(opening) == "[":
                return self.read_attribute(opening)
        if token.kind == "ident" or token.text in ("::", "$"):
            return self._read_path(index)
        return index + 1

    def _read_extern(self, index: int) -> int:
        span = self._lexed.span(index, index)
        if self._text(index + 1) != "crate":
            self._survey.externs.append(span)
            return index + 1
        crate = name = self._text(index + 2)
        if self._text(index + 3) == "as":
            name = self._text(index + 4)
        if self._is_name(index + 2):
            self._survey.import_crate(crate, name, self._scope, span)
            path = ("crate",) if crate == "self" else ("", crate)
            self._survey.resolver.floating.setdefault(name, []).append((path, self._scope))
        return index + 2

    def _read_use(self, index: int) -> int:
        leaves: list[tuple[Path, str]] = []
        end = max(index + 1, self._read_use_tree(index + 1, (), leaves, 0))
        span = self._lexed.span(index, end - 1)
        resolver = self._survey.resolver
        for path, name in leaves:
            if name == "*":
                resolver.floating_globs[path, self._scope] = None
            else:
                resolver.floating.setdefault(name, []).append((path, self._scope))
            self._add(path, span)
        self._note_words(index, end)
        return end

    def _read_use_tree(
        self, index: int, prefix: Path, leaves: list[tuple[Path, str]], depth: int
    ) -> int:
        """Read one use tree at `index`, add its leaves, and return the index after it."""
        if depth > 32:
            raise TangledError
        path, index = self._read_segments(index, prefix)
        if self._text(index) == "{":
            index += 1
            while index < self._end and self._text(index) != "}":
                index = max(index + 1, self._read_use_tree(index, path, leaves, depth + 1))
                if self._text(index) == ",":
                    index += 1
            return index + 1
        if self._text(index) == "*":
            leaves.append((path, "*"))
            return index + 1
        if path == prefix or path == ("",):
            return index
        path = without_self(path)
        name = path[-1]
        if self._text(index) == "as":
            name, index = self._text(index + 1), index + 2
        leaves.append((path, name))
        return index

    def _read_segments(self, index: int, prefix: Path = ()) -> tuple[Path, int]:
        """Read `a::b::$c` at `index`; stops before `{`, `*`, `<` and whatever is no path."""
        path = [*prefix]
        if self._text(index) == "::":
            if not path:
                path.append("")
            index += 1
        while True:
            if self._text(index) == "$" and self._is_name(index + 1):
                path.append("$" + self._text(index + 1))
                index += 2
            elif self._is_name(index):
                path.append(self._text(index))
                index += 1
            else:
                return tuple(path), index
            if self._text(index) != "::":
                return tuple(path), index
            index += 1

    def _read_path(self, index: int) -> int:
        # `value.name` is a field or method, but in `1..name::path` a path begins.
        is_member = self._text(index - 1) == "." and self._text(index - 2) != "."
        path, end = self._read_segments(index)
        if not path or path == ("",):
            return index + 1
        self._note_words(index, end)
        if is_member:
            return end
        span = self._lexed.span(index, end - 1)
        is_open = self._text(end - 1) == "::"
        if len(path) > 1:
            self._add(path, span)
        if is_open and self._text(end) == "{":
            leaves: list[tuple[Path, str]] = []
            self._read_use_tree(end, path, leaves, 0)
            for leaf, _ in leaves:
                self._add(leaf, span)
        if self._text(end) == "!" and self._text(end + 1) != "=":
            if is_hole(path[-1]):
                self._survey.macro_holes = True
            else:
                call = MacroCall(path, self._scope, span, in_macro=True)
                self._survey.calls.append(call)
        if (len(path) == 1 or is_open) and not self._plain:
            self._survey.loose.add((path[-1], self._scope))
        return end

    def _note_words(self, first: int, end: int) -> None:
        if self._plain:
            return
        for index in range(first, min(end, self._end)):
            is_fragment = self._text(index - 1) == ":" and self._text(index - 3) == "$"
            if self._is_name(index) and not is_fragment:
                word = self._text(index)
                if word not in self._survey.macro_words:
                    self._survey.macro_words[word] = self._lexed.span(index, index)

    def read_attribute(self, opening: int) -> int:
        """Read the attribute whose `[` is at `opening`; returns the index after its `]`."""
        closing = min(matching_close(self._lexed.tokens, opening), self._end)
        self._note_words(opening, closing)
        self._read_metas(opening + 1, closing)
        return closing + 1

    def _read_metas(self, index: int, end: int) -> None:
        while index < end:
            index = self._read_meta(index, end) + 1

    def _read_meta(self, index: int, end: int) -> int:
        """Read one `path`, `path(…)` or `path = value`; returns where it ends."""
        path, after = self._read_segments(index)
        stop = max(self._next_comma(after, end), index)
        if not path or path == ("",):
            return stop
        span = self._lexed.span(index, after - 1)
        self._add_attribute(path, span)
        if self._text(after) == "=":
            self._within(after + 1, stop).read()
        elif self._text(after) in ("(", "[", "{"):
            inside = after + 1
            closing = min(matching_close(self._lexed.tokens, after), end)
            if path == ("unsafe",):
                self._survey.unsafe.append(span)
                self._read_metas(inside, closing)
            elif path == ("cfg_attr",):
                self._read_metas(self._next_comma(inside, closing) + 1, closing)
            elif path[-1] == "derive":
                self._within(inside, closing).read()
        return stop

    def _add_attribute(self, path: Path, span: Span) -> None:
        if is_hole(path[-1]):
            self._survey.attribute_holes = True
        self._survey.attributes.append((path[-1], span))
        if len(path) > 1:
            self._add(path, span)

    def _next_comma(self, index: int, end: int) -> int:
        while index < end and self._text(index) != ",":
            if self._lexed.tokens[index].kind == "open":
                index = matching_close(self._lexed.tokens, index)
            index += 1
        return min(index, end)
