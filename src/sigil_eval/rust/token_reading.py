"""Read tokens that no tree explains: the input of macros, attributes, source that does not parse.

What a macro could make of them is noted along with what they say.
"""

from __future__ import annotations

from sigil_eval.rust.lexed import Lexed, TokenRange
from sigil_eval.rust.lexer import matching_close
from sigil_eval.rust.names import Path, Scope, TangledError
from sigil_eval.rust.surveyed import MacroCall, Span, Survey, Use, is_hole, without_self


class TokenReader:
    """Reads tokens that no tree explains, in a range of a source's tokens.

    `plain` input goes to a macro that doesn't take it apart.
    """

    def __init__(
        self, result: Survey, lexed: Lexed, bounds: TokenRange, scope: Scope, plain: bool
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

    def _within(self, first: int, end: int, *, plain: bool = True) -> TokenReader:
        return TokenReader(self._survey, self._lexed, (first, end), self._scope, plain)

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
