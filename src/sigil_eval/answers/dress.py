"""What stands around the lines of an answer, or in them, and is no part of what it says."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from textwrap import dedent

from sigil_eval.answers.quoting import unquoted
from sigil_eval.rust.items import definition_of
from sigil_eval.rust.lexer import tokens

_CONTROLS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = re.compile(f"(?P<nothing>[\u00ad\u200b-\u200d\u2060\ufeff])|[{_CONTROLS}]")
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_HIDDEN = re.compile(f"{_INVISIBLE.pattern}|{_ODD_SPACE.pattern}")


def with_plain_line_ends(text: str) -> str:
    """Line ends as Unix has them, no byte order mark, nothing that UTF-8 cannot hold."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text.removeprefix("\ufeff"))
    if "\r" not in text:
        return text
    text = re.sub(r"\r+\n", "\n", text)
    return text if "\n" in text else text.replace("\r", "\n")


def without_invisible_marks(text: str) -> str:
    """No marks of no width and no spaces of other kinds, but in strings and comments."""
    if text.isascii():
        return text
    return _replaced(_HIDDEN, text, lambda mark: "" if mark["nothing"] else " ")


_QUOTED = re.compile(r"(?:^[ ]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^[ ]{0,3}>[ ]?", re.MULTILINE)
_FENCE_OR_FUNCTION = re.compile(r"^[ ]{0,3}>[>\s]*(?:```|~~~|(?:pub\s+)?fn\s)", re.MULTILINE)
# Quotations of quotations, and so on: each takes a reading of the whole text.
_DEEPEST = 100


def without_quotation_marks(text: str) -> str:
    """No `>` before the lines of a quotation that holds a fence, a function, or all there is."""
    for _ in range(_DEEPEST):
        if not any(f"\n{' ' * indent}>" in f"\n{text}" for indent in range(4)):
            break
        said = _QUOTED.sub(_unquoted_lines(text), text)
        if said == text:
            break
        text = said
    return text


def _unquoted_lines(text: str) -> Callable[[re.Match[str]], str]:
    length = len(text.strip())

    def replaced(quotation: re.Match[str]) -> str:
        lines = quotation.group()
        if len(lines.strip()) == length or _FENCE_OR_FUNCTION.search(lines):
            return _QUOTE_MARK.sub("", lines)
        return lines

    return replaced


_NUMBERED = re.compile(r"[ \t]*(?P<number>\d{1,5})(?:[ \t]*[|│:]|[.)]?(?=[ \t]|$))[ ]?")


def without_line_numbers(text: str) -> str:
    """No numbers before lines that count on and have code in them."""
    if not re.search(r"^[ \t]*1\b", text, re.MULTILINE):
        return text
    lines = text.split("\n")
    kept: list[str] = []
    position = 0
    while position < len(lines):
        marks: list[re.Match[str]] = []
        while position + len(marks) < len(lines):
            mark = _NUMBERED.match(lines[position + len(marks)])
            if mark is None or int(mark["number"]) != len(marks) + 1:
                break
            marks.append(mark)
        plain = dedent("\n".join(mark.string[mark.end() :] for mark in marks)).split("\n")
        if len(marks) > 1 and re.search(r"[{}]", "".join(plain)):
            kept += plain
        else:
            kept += lines[position : position + max(1, len(marks))]
        position += max(1, len(marks))
    return "\n".join(kept)


_CODE_TAG = re.compile(
    r"(?P<start>(?:<pre\b[^<>]*>\s*)?<code\b(?P<code>[^<>]*)>|<pre\b(?P<pre>[^<>]*)>"
    r"|\[code(?:=(?P<box>\w+))?\]|<(?:rust|code_block)>|\[rust\])"
    r"|(?P<end></code>(?:\s*</pre>)?|</pre>|\[/code\]|</(?:rust|code_block)>|\[/rust\])",
    re.IGNORECASE,
)
_HTML_TAG = re.compile(
    r"<br\s*/?>\n?|</?(?:span|div|p|b|i|em|strong|font|table|tr|td|tbody)\b[^<>]*>", re.IGNORECASE
)
# All of an answer in the back-ticks of a word.
_IN_TICKS = re.compile(r"\s*(?P<mark>`{1,2})(?P<code>[^`\n]+)(?P=mark)[.\s]*")
_LANGUAGE = re.compile(
    r"(?:lang(?:uage)?[-=]\"?|class=\"?(?![^\"<>]*lang))(?P<name>\w+)", re.IGNORECASE
)


def with_fences_for_tags(text: str) -> str:
    """Tags around code, of HTML and the like, made fences, and what they escape made plain."""
    alone = _IN_TICKS.fullmatch(text)
    if alone:
        return alone["code"] + "\n"
    lower = text.lower()
    if not any(hint in lower for hint in ("<code", "[code", "<pre", "<rust", "[rust")):
        return text
    said, position, start = "", 0, None
    for tag in unquoted(_CODE_TAG, text):
        if tag["start"] and start is None:
            start = tag
        elif tag["end"] and start is not None:
            code = text[start.end() : tag.start()]
            if "\n" in code.strip() or re.search(r"\bfn\s", code):
                said += f"{text[position : start.start()]}\n{_as_fence(start, code)}"
                position = tag.end()
            start = None
    if start is not None and start["start"].lower().startswith(("<pre", "<code")):
        rest = text[start.end() :]
        if "\n" in rest.strip() and "```" not in rest:
            return f"{said}{text[position : start.start()]}\n{_as_fence(start, rest)}"
    return said + text[position:]


def _as_fence(start: re.Match[str], code: str) -> str:
    language = _LANGUAGE.search(start["start"])
    name = language["name"].lower() if language else start["box"] or ""
    name = name if name not in ("highlight", "code", "sourcecode") else ""
    code = _HTML_TAG.sub(lambda tag: "\n" if tag.group()[1:3].lower() == "br" else "", code)
    return code if "```" in code else f"```{name}\n{without_entities(code)}\n```\n"


_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,6}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_NAMED = {"lt", "gt", "amp", "quot", "apos", "nbsp"}


def without_entities(code: str) -> str:
    """Code that HTML has escaped, made plain; it has no `<` and no `>` of its own.

    A string with an entity in it is code that escapes, not code that is escaped.
    """
    if "&" not in code or re.search(r"[<>]", code) or not _ENTITY.search(code):
        return code
    words = [token.text.lower() for token in tokens(code)]
    escaped = any(
        one == "&" and (two in _NAMED or two == "#") and ";" in (three, four)
        for one, two, three, four in zip(
            words, words[1:], words[2:], [*words[3:], ""], strict=False
        )
    )
    if not escaped:
        return code
    return _ENTITY.sub(lambda entity: html.unescape(entity.group()).replace("\xa0", " "), code)


_ANSWER_TAG = re.compile(
    r"<(?P<name>(?:final_?)?(?:answer|solution|response)|final)>"
    r"(?P<text>.*?)(?:</(?P=name)>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_QUALIFIERS = re.compile(
    r"(?:#\[[^\]\n]*\]\s*|(?:pub(?:\([^)\n]*\))?|const|async|unsafe|extern|\"\w+\")\s+)*\Z"
)


def said_in_tags(text: str) -> str:
    """What an answer puts into <answer> or a tag like it; empty where it has none."""
    if "</" not in text and "<answer" not in text.lower():
        return ""
    found = [tag["text"] for tag in unquoted(_ANSWER_TAG, text)]
    return found[-1] if found else ""


def with_function_on_its_line(text: str, function: str) -> str:
    """The function that was asked for at the beginning of a line, whatever led to it."""
    said, position = "", 0
    for found in definition_of(function).finditer(text):
        start = found.start()
        line = text[max(text.rfind("\n", position, start) + 1, position) : start]
        if len(line) > 200:
            continue
        qualifiers = _QUALIFIERS.search(line)
        before = line[: qualifiers.start()] if qualifiers else line
        if before.strip() and _leads_to(before) and _has_body(text, found.end()):
            at = start - (len(line) - len(before))
            said += text[position:at] + "\n"
            position = at
    return said + text[position:]


def _leads_to(before: str) -> bool:
    """Whether what stands before a function on its line is no code that it belongs to."""
    return not re.search(r"[{};]|(?<!:)//|/\*", before) and before.count('"') % 2 == 0


_TO_BODY = re.compile(r"(?:\[[^\]\n]*\]|(?!\n[ \t]*\n|\bfn\b)[^`{;]){0,2000}\{")


def _has_body(text: str, position: int) -> bool:
    return _TO_BODY.match(text, position) is not None


def _replaced(pattern: re.Pattern[str], text: str, by: Callable[[re.Match[str]], str]) -> str:
    said, position = [], 0
    for match in unquoted(pattern, text):
        said += [text[position : match.start()], by(match)]
        position = match.end()
    return "".join([*said, text[position:]])
