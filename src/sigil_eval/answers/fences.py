"""The code fences of an answer, as Markdown has them, and as models get them wrong.

An answer is read line by line. A mark opens a fence where a line begins, behind the mark of a
quotation or a list, or at the end of a line of prose; in the middle of a sentence it is a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sigil_eval.rust.lexer import open_literal
from sigil_eval.rust.syntax import parse

# What may follow ``` where Rust does, in documentation of Rust, too.
_RUST_WORD = re.compile(r"rust[\w-]*|rs|edition20\d\d|no_run|ignore|should_panic|compile_fail")
# Fences in which other fences stand.
_MARKUP = {"markdown", "md", "mdx", "gfm", "html", "xml"}
_INFO = re.compile(
    r"[{(\s]*(?:#[\w-]+\s+)?(?:\.|lang(?:uage)?[-=])?(?P<word>[\w+#./-]*)", re.IGNORECASE
)
_ATTRIBUTE = r"[\w.#:/-]+=(?:\"[^\"]*\"|'[^']*'|[^\s,]+)|\{[^{}\n]*\}|\[[^\[\]\n]*\]|\([^()\n]*\)"
_ATTRIBUTES = re.compile(rf"[\s,:;}}]*(?:(?:{_ATTRIBUTE})[\s,}}]*)*")
_WORDS = re.compile(rf"[\s,:;}}]*(?:(?:{_ATTRIBUTE}|[.:#/]?\w[\w.#:/-]*)[\s,}}]*)*")
_LONE_WORD = re.compile(r"\s*(?:rust|rs|[\w/-]+\.rs):?[ \t]*\n", re.IGNORECASE)
_BEGIN = re.compile(r"(?P<before>[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})")
# The same in a fence, where a star may begin the line of a comment.
_WITHIN = re.compile(r"[ \t>]*(?P<mark>`{3,}|~{3,})")
_TICKS = re.compile(r"(?P<mark>`{3,})")
_CODE = re.compile(r"[({;=+*/&|]|\w\s*[-<>]\s*\w")
# How often a mark is looked at that may stand in a string: it takes a look at all before it.
_LOOKS = 8


@dataclass(frozen=True)
class Segment:
    """A part of an answer: a fence with its language ("" where it has none), or prose (None)."""

    text: str
    language: str | None

    @property
    def is_rust(self) -> bool:
        """Whether it is a fence of Rust, or of who knows what."""
        return self.language in ("", "rust")


@dataclass
class _Fence:
    """An open fence: the character and length of its mark, and how far it is set in."""

    character: str
    length: int
    language: str
    indent: int
    lines: list[str] = field(default_factory=list)

    @property
    def has_others(self) -> bool:
        """Whether a fence that opens in it is one within it."""
        return self.language in _MARKUP or not self.lines

    def ends_at(self, mark: str, rest: str) -> bool:
        """Whether a mark and what follows it on its line end this fence."""
        same = mark[:1] == self.character and len(mark) >= self.length
        return same and not rest.strip()


def segments_of(text: str) -> list[Segment]:
    """An answer as prose and fences, in order; the last fence may be unclosed."""
    reader = _Reader()
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "```" in line or "~~~" in line:
            reader.read_mark(line, lines[number + 1 :] if reader.may_be_quoted() else [])
        else:
            reader.read(line)
    return reader.end()


class _Reader:
    """Reads an answer line by line; `_around` are the fences around the one that is open."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._prose: list[str] = []
        self._open: _Fence | None = None
        self._around: list[_Fence] = []
        self._quoted = 0
        self._looks = _LOOKS

    def read(self, line: str) -> None:
        """Read a line without marks."""
        (self._prose if self._open is None else self._open.lines).append(line)

    def read_mark(self, line: str, following: list[str]) -> None:
        """Read a line that may have the mark of a fence in it."""
        if self._quoted:
            self._quoted -= 1
            self.read(line)
        elif self._open is None:
            self._read_outside(line)
        else:
            self._read_inside(self._open, line, following)

    def may_be_quoted(self) -> bool:
        """Whether the open fence breaks off inside a string or a comment, where a mark is text."""
        if self._open is None or self._quoted or not self._looks or not self._open.lines:
            return False
        content = "\n".join(self._open.lines)
        if '"' not in content and "/*" not in content:
            return False
        self._looks -= 1
        return open_literal(content)

    def end(self) -> list[Segment]:
        """All segments, once the last line is read."""
        if self._open is not None:
            self._close()
        self._end_prose()
        return self._segments

    def _end_prose(self) -> None:
        if any(self._prose):
            self._segments.append(Segment("\n".join(self._prose) + "\n", None))
        self._prose = []

    def _begin(self, fence: _Fence) -> None:
        self._end_prose()
        self._open = fence

    def _close(self) -> None:
        fence = self._open
        if fence is None:
            return
        if any(line.strip() for line in fence.lines):
            self._segments.append(_segment(fence))
        self._open = None

    def _read_outside(self, line: str) -> None:
        mark = _BEGIN.match(line)
        if mark is None:
            mark = _end_of_prose(line)
        if mark is None or line.lstrip().startswith("//"):
            self.read(line)
            return
        ticks, rest = mark["mark"], line[mark.end() :]
        if self._around and self._around[-1].ends_at(ticks, rest):
            self._around.pop()
            return
        closing = rest.find(ticks) if ticks[0] == "`" else -1
        if closing >= 0:
            self._read_inline(line, mark, rest[:closing])
            return
        opened = _opened(rest, at_line_start=_BEGIN.match(line) is not None)
        if opened is None:
            self.read(line)
            return
        language, code = opened
        before = line[: mark.start("mark")]
        plain = re.fullmatch(r"[ \t>]*(?:[-*+]|\d{1,3}[.)])?[ \t]*", before)
        if not plain:
            self._prose.append(before)
        fence = _Fence(ticks[0], len(ticks), language, len(before) if plain else 0)
        fence.lines += [code] if code else []
        self._begin(fence)

    def _read_inline(self, line: str, mark: re.Match[str], content: str) -> None:
        """Read a fence that ends on its own line; a word between marks is part of the prose."""
        word = _INFO.match(content)
        if word and _RUST_WORD.fullmatch(word["word"].lower()):
            content = content[word.end() :]
        if not _CODE.search(content):
            self.read(line)
            return
        self._prose.append(line[: mark.start("mark")])
        self._begin(_Fence("`", 3, "", 0, [content]))
        self._close()

    def _read_inside(self, fence: _Fence, line: str, following: list[str]) -> None:
        begin = _WITHIN.match(line)
        mark, rest = (begin["mark"], line[begin.end() :]) if begin else ("", "")
        if fence.ends_at(mark, rest):
            self._close_unless_quoted(fence, following)
        elif mark and rest.strip() and any(_opened(rest, at_line_start=True) or ()):
            self._open_another(fence, line)
        elif fence.ends_at(mark, "") and not open_literal("\n".join(fence.lines)):
            self._close()
            self._prose.append(rest)
        elif not begin and (code := _code_before_end(line, fence)) is not None:
            fence.lines.append(code)
            self._close()
        else:
            fence.lines.append(line)

    def _open_another(self, fence: _Fence, line: str) -> None:
        """A fence opens in a fence: within it, or because the end of that one was forgotten."""
        if fence.has_others:
            self._open = None
            self._prose += fence.lines
            self._read_outside(line)
            self._around.append(fence)
        else:
            self._close()
            self._read_outside(line)

    def _close_unless_quoted(self, fence: _Fence, following: list[str]) -> None:
        """Close a fence, unless its code is Rust only if this mark is text of its own."""
        passed = _marks_until_rust(fence, following) if following else 0
        if passed:
            self._quoted = passed - 1
            fence.lines.append("`" * 3)
        else:
            self._close()


def _code_before_end(line: str, fence: _Fence) -> str | None:
    """The code on the line that ends a fence behind it, as `}```; None if no mark ends the line."""
    code = line.rstrip()
    if fence.character != "`" or not code.endswith("`" * fence.length):
        return None
    code = code.rstrip("`")
    quoted = "//" in code or code.count('"') % 2 or "```" in code
    return None if quoted else code


def _end_of_prose(line: str) -> re.Match[str] | None:
    """The mark at which a line of prose goes over into a fence; None for one that is a word."""
    mark = _TICKS.search(line)
    if mark is None or re.search(r"(?<!:)//", line[: mark.start()]):
        return None
    return mark


def _opened(rest: str, at_line_start: bool) -> tuple[str, str] | None:
    """What follows an opening mark on its line: (language, code); None where the mark opens none.

    What is no language and no attribute is code, or a sentence in which the mark is a word.
    """
    info = _INFO.match(rest)
    if info is None or not rest.strip():
        return ("", "")
    word, after = info["word"].lower(), rest[info.end() :]
    is_rust = _RUST_WORD.fullmatch(word) or word.endswith(".rs")
    if is_rust and word:
        if after.lstrip().startswith("//") and at_line_start:
            return ("rust", "")
        if _WORDS.fullmatch(after) and (at_line_start or not re.search(r"\w\s+\w", after.strip())):
            known = at_line_start or _ATTRIBUTES.fullmatch(after) or after[:1] in ",:"
            return ("rust", "") if known else None
        return ("rust", after) if _CODE.search(after) else None
    if word and _ATTRIBUTES.fullmatch(after):
        return (word, "")
    if re.match(r"\s*(?:#|pub\b|fn\b|use\b|let\b|struct\b|impl\b)", rest) and _CODE.search(rest):
        return ("", rest)
    if word and after[:1] == "," and _WORDS.fullmatch(after):
        return (word, "")
    return None


def _segment(fence: _Fence) -> Segment:
    """A closed fence: without what Markdown sets in, and what stands for its language."""
    lines = fence.lines
    if all(line.startswith(" " * fence.indent) for line in lines if line.strip()):
        lines = [line[fence.indent :] for line in lines]
    language = fence.language
    if language in ("diff", "patch"):
        kept = [
            line for line in lines if not line.startswith(("-", "@@", "+++", "diff ", "index "))
        ]
        lines, language = [line[1:] if line[:1] in ("+", " ") else line for line in kept], "rust"
    text = "\n".join(lines) + "\n"
    alone = _LONE_WORD.match(text)
    return Segment(text[alone.end() :] if alone else text, language)


def _marks_until_rust(fence: _Fence, following: list[str]) -> int:
    """How many closing marks belong to the code, so that it is Rust; 0 if it never is."""
    lines, passed = [*fence.lines, "`" * fence.length], 1
    for line in following:
        if line.strip() == "`" * fence.length:
            tree = parse(("\n".join(lines) + "\n").encode())
            if tree is not None and not tree.root_node.has_error:
                return passed
            passed += 1
            if passed > _LOOKS:
                return 0
        lines.append(line)
    return 0
