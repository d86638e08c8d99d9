"""Rust's own words, each list once: items, macros of the standard library, crates, types.

An item kind is the name that tree-sitter-rust gives to an item's node.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def any_of(them: frozenset[str]) -> str:
    """A regular expression for any of these words; where one begins another, the longer first."""
    return "|".join(sorted(them, reverse=True))


# Keyword and kind of the items that define a type, a trait or a value.
_DEFINING = {
    "struct": "struct_item",
    "enum": "enum_item",
    "union": "union_item",
    "trait": "trait_item",
    "type": "type_item",
    "const": "const_item",
    "static": "static_item",
}
# Those and functions: what code in another module reaches by a name.
_NAMED = {"fn": "function_item", **_DEFINING}

DEFINING_KEYWORDS = frozenset(_DEFINING)
TYPE_AND_VALUE_KINDS = frozenset(_DEFINING.values())
NAMED_KINDS = frozenset(_NAMED.values())
# Everything that may stand at the top of a file, macro calls left out.
DEFINITION_KINDS = NAMED_KINDS | {
    "impl_item",
    "mod_item",
    "use_declaration",
    "extern_crate_declaration",
    "macro_definition",
    "foreign_mod_item",
}
ITEM_KINDS = DEFINITION_KINDS | {"macro_invocation"}

# Words that begin an item once visibility and qualifiers are read; `macro_rules` needs its `!`.
ITEM_KEYWORDS = frozenset({*_NAMED, "impl", "mod", "use", "extern", "macro_rules"})
# What may stand before them, besides `extern "C"`.
ITEM_QUALIFIERS = frozenset({"default", "const", "async", "unsafe"})
# Words that are reserved everywhere, so that prose or an expression has no use for them.
RESERVED_ITEM_WORDS = (ITEM_KEYWORDS | ITEM_QUALIFIERS | {"pub"}) - {"union", "default"}
# Items that end in a semicolon even where they hold braces.
ENDING_IN_SEMICOLON = frozenset({"use", "const", "static", "type"})

# Macros that do what a function call could do, wherever they stand.
CALL_LIKE_MACROS = words(
    """assert assert_eq assert_ne debug_assert debug_assert_eq debug_assert_ne eprint eprintln
    format matches panic print println todo unimplemented unreachable vec write writeln"""
)
# Macros that make no items: `dbg` prints, besides, the file and line it stands in.
STATEMENT_MACROS = CALL_LIKE_MACROS | {"dbg"}
# Macros that take their input for expressions or a format, and put no path together from it.
EXPRESSION_MACROS = STATEMENT_MACROS | {"format_args", "thread_local", "concat", "stringify"}

# The crates under whose names those macros are called.
MACRO_CRATES = frozenset({"std", "core"})
STD_CRATES = MACRO_CRATES | {"alloc"}

INTEGER_TYPES = frozenset(
    f"{sign}{width}" for sign in "iu" for width in ("8", "16", "32", "64", "128", "size")
)
PRIMITIVE_TYPES = INTEGER_TYPES | {"bool", "char", "str", "f16", "f32", "f64", "f128"}
