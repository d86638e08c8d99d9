"""What HumanEval-X writes above each problem: imports, most of them not needed, and a `main`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.syntax import own_text, parse
from sigil_eval.rust.vocabulary import STD_CRATES


@dataclass(frozen=True)
class Header:
    """The imports that a problem needs, the crates among them, and the prompt without the rest."""

    prelude: str
    crates: tuple[str, ...]
    prompt: str


def read_header(declarations: Sequence[str], prompt: str, used: str) -> Header:
    """Read the imports of `declarations`; of those from crates, the ones that `used` names.

    An import that nothing uses would make every answer need its crate.
    """
    words = {token.text for token in tokens(used) if token.kind == "ident"}
    imports = dict.fromkeys(one for text in declarations for one in _imports(text))
    kept = [one for one in imports if _root(one) in STD_CRATES or words & _names(one)]
    crates = dict.fromkeys(_root(one) for one in kept if _root(one) not in STD_CRATES)
    # What is named by its crate needs no import, and `use NAME;` cannot be handed on.
    prelude = " ".join(f"use {one};" for one in kept if "::" in one)
    return Header(prelude, tuple(crates), _without_header(prompt, imports.keys() - set(kept)))


def _imports(text: str) -> Iterator[str]:
    """What the `use` declarations of a text name."""
    return (imported for node in _top(text) if (imported := _imported(node)))


def _imported(node: Node) -> str:
    return own_text(node.child_by_field_name("argument")) if node.type == "use_declaration" else ""


def _top(text: str) -> Sequence[Node]:
    """The items of a text whose last function is open."""
    tree = parse(f"{text}\n}}".encode("utf-8", "replace"))
    return tree.root_node.children if tree is not None else []


def _root(declaration: str) -> str:
    """The crate that an import begins with."""
    return next((word.text for word in tokens(declaration) if word.kind == "ident"), "")


def _names(declaration: str) -> set[str]:
    """The words of an import: its crate, and what it takes from there."""
    return {word.text for word in tokens(declaration) if word.kind == "ident"} - {"self"}


def _without_header(prompt: str, unused: set[str]) -> str:
    """The prompt without imports that nothing uses, and without an empty `main`."""
    data = prompt.encode("utf-8", "replace")
    for node in reversed(_top(prompt)):
        body = node.child_by_field_name("body")
        is_main = own_text(node.child_by_field_name("name")) == "main" and node.end_byte < len(data)
        is_empty = body is not None and body.type == "block" and not body.named_child_count
        if (is_main and is_empty) or _imported(node) in unused:
            data = data[: node.start_byte] + data[node.end_byte :]
    return data.decode("utf-8", "replace")
