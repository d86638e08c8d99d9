"""Read ordinary code off the syntax tree: its scopes, and what stands in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tree_sitter import Node

from sigil_eval.rust.lexed import Lexed
from sigil_eval.rust.lexer import Token
from sigil_eval.rust.names import Scope
from sigil_eval.rust.paths import branches, segments, use_leaves
from sigil_eval.rust.surveyed import MacroCall, MacroDefinition, Survey, Use
from sigil_eval.rust.syntax import text_of
from sigil_eval.rust.token_reading import TokenReader
from sigil_eval.rust.vocabulary import EXPRESSION_MACROS, MACRO_CRATES


@dataclass(frozen=True)
class _MacroInput:
    """Tokens a macro is given or made of; `macro` is the called macro's plain name, if any."""

    node: Node
    scope: Scope
    macro: str


_Entered = tuple[Scope, Sequence[Node]] | None


class TreeReader:
    """Walks the tree once, building scopes and collecting what stands in them."""

    def __init__(self, result: Survey, source: bytes, lexed: Lexed) -> None:
        self._survey = result
        self._source = source
        self._lexed = lexed
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
            plain = given.macro in EXPRESSION_MACROS - local and not _calls_any(
                self._lexed.tokens[first:last], local
            )
            TokenReader(self._survey, self._lexed, (first, last), given.scope, plain).read()

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
            for path, name, leaf in use_leaves(argument, self._source):
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
        path = tuple(segments(macro, self._source)) if macro is not None else ("",)
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
                reader = TokenReader(self._survey, self._lexed, (first, last), scope, plain=True)
                reader.read_attribute(index)
                break
        starts = self._lexed.starts[first:last]
        self._literals.update(
            start for token, start in zip(stream, starts, strict=True) if token.kind == "literal"
        )
        return None

    def _path(self, node: Node, scope: Scope, _uncertain: bool) -> _Entered:
        path = tuple(segments(node, self._source))
        if len(path) > 1:
            self._survey.uses.append(Use(path, scope, node.byte_range))
        return scope, [*branches(node)]


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
