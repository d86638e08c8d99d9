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

KIND_OF_KEYWORD = {**_NAMED, "mod": "mod_item"}

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
# Macros that declare what their input says, and stand among items.
ITEM_MACROS = frozenset({"thread_local", "lazy_static"})
# Macros that take their input for expressions or a format, and put no path together from it.
EXPRESSION_MACROS = STATEMENT_MACROS | {"format_args", "thread_local", "concat", "stringify"}

# The crates under whose names those macros are called.
MACRO_CRATES = frozenset({"std", "core"})
STD_CRATES = MACRO_CRATES | {"alloc"}

INTEGER_TYPES = frozenset(
    f"{sign}{width}" for sign in "iu" for width in ("8", "16", "32", "64", "128", "size")
)
PRIMITIVE_TYPES = INTEGER_TYPES | {"bool", "char", "str", "f16", "f32", "f64", "f128"}

KEYWORDS = words(
    """as async await break const continue crate dyn else enum extern false fn for if impl in let
    loop match mod move mut pub ref return self static struct super trait true type unsafe use
    where while"""
)
# What the prelude brings, and words that stand where a name could.
PRELUDE_NAMES = (
    KEYWORDS
    | PRIMITIVE_TYPES
    | STD_CRATES
    | EXPRESSION_MACROS
    | words(
        """AsMut AsRef Box Clone Copy Default DoubleEndedIterator Drop Eq Err ExactSizeIterator
    Extend Fn FnMut FnOnce From FromIterator Into IntoIterator Iterator None Ok Option Ord PartialEq
    PartialOrd Result Self Send Sized Some String Sync ToOwned ToString TryFrom TryInto Vec drop
    _ cfg column file line module_path"""
    )
)
# Methods and functions that are there without an import, and that answers use most. One that is
# not among them may come from a trait of the answer's own.
COMMON_MEMBERS = words(
    """abs abs_diff all and_modify and_then any append as_bytes as_mut as_ref as_slice as_str
    binary_search bytes ceil chain chars checked_add checked_div checked_mul checked_pow checked_rem
    checked_sub chunks clamp clear clone clone_from cloned cmp collect concat contains contains_key
    copied cos count count_ones cycle dedup default drain end ends_with entry enumerate eq err
    expect extend extend_from_slice fill filter filter_map find find_map first flat_map flatten
    floor fold for_each fract from from_digit from_str_radix from_u32 from_utf8 from_utf8_lossy ge
    get get_mut get_or_insert_with gt insert into into_bytes into_iter into_keys into_values inspect
    is_alphabetic is_alphanumeric is_ascii is_ascii_alphabetic is_ascii_alphanumeric
    is_ascii_digit is_ascii_lowercase is_ascii_punctuation is_ascii_uppercase is_ascii_whitespace
    is_char_boundary is_digit is_empty is_err is_finite is_lowercase is_nan is_negative is_none
    is_none_or is_numeric is_ok is_positive is_some is_some_and is_uppercase is_whitespace iter
    iter_mut join keys last le len len_utf8 lines lt make_ascii_lowercase make_ascii_uppercase map
    map_err map_or map_or_else map_while max max_by max_by_key min min_by min_by_key mul_add ne new
    next next_back nth ok ok_or ok_or_else or or_default or_else or_insert or_insert_with parse
    partial_cmp partition peek peekable pop pop_back pop_front position pow powf powi product push
    push_back push_front push_str range rem_euclid remove repeat replace replacen resize retain rev
    reverse rfind rotate_left rotate_right round rposition rsplit saturating_add saturating_mul
    saturating_sub scan signum sin skip skip_while sort sort_by sort_by_cached_key sort_by_key
    sort_unstable sort_unstable_by sort_unstable_by_key splice split split_ascii_whitespace split_at
    split_at_mut split_first split_last split_once split_whitespace splitn sqrt start starts_with
    step_by strip_prefix strip_suffix sum swap take take_while tan to_ascii_lowercase
    to_ascii_uppercase to_be_bytes to_digit to_le_bytes to_lowercase to_owned to_string to_uppercase
    to_vec total_cmp trailing_zeros trim trim_end trim_end_matches trim_matches trim_start
    trim_start_matches trunc truncate try_from try_into unwrap unwrap_or unwrap_or_default
    unwrap_or_else unzip values values_mut windows with_capacity wrapping_add wrapping_mul
    wrapping_sub zip"""
)
