"""Sources that cannot have anything in them that policy forbids, told by their words alone.

Most answers are such sources, and a survey of one takes as long as reading it. What is left is for
`policy` to survey. The rules here are coarse on purpose: each leaves no place for a meaning.

1. ASCII without `$`: no name that looks like another, none that a macro puts in its place.
2. No word that policy knows, nor one that opens a module, an `extern` or `unsafe` code: so no path
   into the standard library is forbidden, whatever it goes through, no macro and no attribute.
3. It parses, and each word before a `::` and another word is known to be harmless: so no path leads
   into another crate.
4. Imports are from the standard library, by their names, at most in one list, and none is renamed:
   so no name means anything else than itself.
5. All of that is small: following its names takes fewer steps than are allowed.
"""

from __future__ import annotations

import re

from sigil_eval.answers.policy_tables import ATTRIBUTES, FORBIDDEN_WORDS, outside_category
from sigil_eval.rust.names import MAX_STEPS
from sigil_eval.rust.syntax import parse
from sigil_eval.rust.vocabulary import PRIMITIVE_TYPES, words

_OPENING = words("unsafe extern mod macro macro_rules")
_SUSPECT = FORBIDDEN_WORDS | _OPENING
_SUSPECT_WITH_ATTRIBUTES = _SUSPECT | frozenset(ATTRIBUTES)
_ROOTS = PRIMITIVE_TYPES | words("std core self Self super crate")
_MOST_IMPORTS = 20
_MOST_CHARACTERS = 20_000

# Each of these looks at a character a few times at most, however long a text is.
_WORD = re.compile(r"\w+")
_IMPORT = re.compile(
    r"\buse (?:std|core)::(?P<names>(?:\w++::)*+"
    r"(?:\w++|\{\s*+\w++(?:\s*+,\s*+\w++)*+\s*+(?:,\s*+)?+\}));"
)
_HEAD = re.compile(r"\b(\w++)::(?=\w)")
_TURBOFISH = re.compile(r"\w::<")


def is_harmless(source: str) -> bool:
    """Whether a source surely has nothing in it that policy forbids; False where that is not told
    so easily."""
    if len(source) > _MOST_CHARACTERS or not source.isascii():
        return False
    if "$" in source or "rustc_" in source:
        return False
    found = _WORD.findall(source)
    suspect = _SUSPECT_WITH_ATTRIBUTES if "#" in source else _SUSPECT
    if not suspect.isdisjoint(found):
        return False
    imports = [match["names"] for match in _IMPORT.finditer(source)]
    rest = _IMPORT.sub("", source) if imports else source
    heads, others = _HEAD.findall(rest), len(_TURBOFISH.findall(rest))
    if len(imports) != found.count("use") or len(heads) + others != rest.count("::"):
        return False
    if not all(_is_harmless_head(head) for head in {*heads}):
        return False
    imported = [name for names in imports for name in _WORD.findall(names)]
    if not _ROOTS.isdisjoint(imported) or len(imported) > _MOST_IMPORTS:
        return False
    scopes = 1 + source.count("{") + source.count("<")
    if 2 * (1 + scopes) * (1 + len(found)) * (1 + len(imported)) > MAX_STEPS:
        return False
    tree = parse(source.encode())
    return tree is not None and not tree.root_node.has_error


def _is_harmless_head(word: str) -> bool:
    return word in _ROOTS or outside_category((word,)) is None
