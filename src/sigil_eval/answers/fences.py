"""The code fences in an answer, as Markdown has them."""

from __future__ import annotations

import re

RUST_LANGUAGES = {"", "rust", "rs"}
_FENCE = re.compile(r"(?P<mark>`{3,}|^[ \t]*~{3,})[ \t]*(?P<language>[\w+#.-]*)", re.MULTILINE)


def split_at_fences(text: str) -> tuple[str, list[tuple[str, str]]]:
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
