"""Read Rust source for names: its paths, macro calls and attributes, and the scopes around them.

Ordinary code is read off the syntax tree. Macro input has no tree, and neither has source that
doesn't parse; those are read by their tokens, and what a macro could make of them is noted.
"""

from __future__ import annotations

from sigil_eval.rust.lexed import Lexed
from sigil_eval.rust.names import Resolver, Scope
from sigil_eval.rust.surveyed import Survey
from sigil_eval.rust.syntax import parse
from sigil_eval.rust.token_reading import TokenReader
from sigil_eval.rust.tree_reading import TreeReader


def survey(text: str, std_names: frozenset[str]) -> Survey:
    """Survey a source. Raises TangledError.

    `std_names` are the names of interest below the standard library's root.
    """
    source = text.encode()
    root = Scope(None, is_module=True, end=len(source))
    result = Survey(root, Resolver(root, std_names))
    lexed = Lexed(text)
    reader = TreeReader(result, source, lexed)
    tree = parse(source)
    if tree is not None:
        reader.read(tree.root_node)
    result.macro_made = frozenset(word for word, _ in result.loose)
    if tree is None or tree.root_node.has_error or not reader.agrees_with_lexer():
        # What the parser could not read, or read otherwise than rustc will, is read by its
        # tokens, as if all of it were the input of a macro.
        TokenReader(result, lexed, (0, len(lexed.tokens)), root, plain=False).read()
    return result
