"""Which items of an answer need which: by the names they use, as nothing is compiled yet.

One rule for both who read answers and who stop them: an item is needed when the function that was
asked for, or what its tests call, reaches it by a name, over other items or at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, takewhile

from sigil_eval.answers.leaves import leaves_of
from sigil_eval.rust.free_names import FreeNames, defined_functions, free_names
from sigil_eval.rust.items import Item, read_items
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.vocabulary import COMMON_MEMBERS, ITEM_KEYWORDS, PRELUDE_NAMES

# What happens without being called, so that leaving it out would go unnoticed.
_NAMING = ITEM_KEYWORDS - {"impl", "use", "extern"} | {"let"}
_SILENT_TRAITS = frozenset({"Drop"})
# Words that stand before a name that the input of a macro declares; `ref` is lazy_static's.
_DECLARING = (ITEM_KEYWORDS | {"ref"}) - {"impl", "use", "extern"}


@lru_cache(maxsize=4096)
def called_by(tests: str) -> frozenset[str]:
    """The functions that a problem's tests call, and the types they use, but for their own."""
    stream = [*tokens(tests)]
    own = {name.text for word, name in pairwise(stream) if word.text in _NAMING}
    own |= _imported([token.text for token in stream])
    called = {
        token.text
        for before, token, after in zip([None, *stream], stream, stream[1:], strict=False)
        if token.kind == "ident"
        and (before is None or before.text not in (".", "::", "'"))
        and (after.text == "(" or (after.text in ("::", "{") and token.text[:1].isupper()))
    }
    return frozenset(called - own - PRELUDE_NAMES)


def _imported(words: Sequence[str]) -> set[str]:
    """All words between each `use` and its semicolon."""
    found: set[str] = set()
    in_use = False
    for word in words:
        in_use = word != ";" and (in_use or word == "use")
        if in_use:
            found.add(word)
    return found


@dataclass(frozen=True)
class Facts:
    """What an item says: what it defines, the functions in it, what it is for, what it uses.

    `holds` is what a glob of it would bring.
    """

    defines: frozenset[str]
    functions: frozenset[str]
    header: frozenset[str]
    uses: FreeNames
    holds: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def facts_of(item: Item) -> Facts:
    """The facts of an item, which are asked for again and again."""
    has_functions = item.kind in ("trait_item", "impl_item", "foreign_mod_item")
    functions = frozenset(defined_functions(item.text) if has_functions else ())
    header: frozenset[str] = frozenset()
    defines = frozenset(item.names)
    if item.kind == "impl_item":
        header = frozenset(_identifiers(item.text.partition("{")[0]))
        defines = frozenset()
    elif item.kind == "foreign_mod_item":
        defines = functions
    elif item.kind == "macro_invocation":
        defines = _made_by_macro(item.text)
    elif item.kind == "mod_item":
        words = [token.text for token in tokens(item.text)]
        macros = {c for a, b, c in zip(words, words[1:], words[2:], strict=False)
                  if (a, b) == ("macro_rules", "!")}  # fmt: skip
        defines |= macros
    holds: frozenset[str] = frozenset()
    if item.kind in ("mod_item", "enum_item"):
        holds = frozenset(_identifiers(item.text.partition("{")[2]))
    return Facts(defines, functions, header, free_names(item.text), holds)


def _made_by_macro(call: str) -> frozenset[str]:
    """What a macro call may define: what its input declares, or else all that it names."""
    words = [*_identifiers(call.partition("!")[2])]
    declared = {name for keyword, name in pairwise(words) if keyword in _DECLARING}
    return frozenset(declared or set(words) - PRELUDE_NAMES)


def _identifiers(text: str) -> Iterator[str]:
    return (token.text for token in tokens(text) if token.kind == "ident")


def defined_by(items: Iterable[Item]) -> set[str]:
    """The names that these items define."""
    return {name for item in items for name in facts_of(item).defines}


def reached(
    items: Sequence[Item], roots: Iterable[Item], names: Collection[str] = ()
) -> dict[Item, None]:
    """Those of `items` that `roots` or `names` need, roots among `items` included."""
    search = _Search(items)
    search.want(names, ())
    for root in roots:
        search.reach(root)
    search.run()
    return {item: None for item in items if item in search.found}


def is_settled(items: Iterable[Item], called: Collection[str], given: Iterable[Item] = ()) -> bool:
    """Whether these items, with those `given`, have all that they use and that is called.

    A name that is not known here counts as one that still may come.
    """
    items = [*items]
    everything = [*given, *items]
    members = COMMON_MEMBERS.union(*(facts_of(item).functions for item in everything))
    return not _missing_names(items, called, everything) and all(
        name in members or name[:1].isupper()
        for item in items
        for name in facts_of(item).uses.members
    )


def _missing_names(
    items: Iterable[Item], called: Collection[str], there: Iterable[Item]
) -> set[str]:
    defined = PRELUDE_NAMES | defined_by(there)
    used = {name for item in items for name in facts_of(item).uses.names}
    return (used | {*called}) - defined


def lacks_a_function(code: str, entry_point: str, called: Collection[str]) -> bool:
    """Whether a program calls something that is not there: a function, a macro, a module."""
    items = read_items(code, entry_point).items
    needed = _needed_in(items, called)
    return any(not name[:1].isupper() for name in _missing_names(needed, called, items))


def may_need(code: str, entry_point: str, called: Collection[str], following: str) -> bool:
    """Whether a program may need the item that begins with `following`, or one behind that.

    An import or a trait may be needed without being named, and so may an impl for what the
    program uses. All else is needed only where a name is missing, as then extraction takes it.
    """
    items = read_items(code, entry_point).items
    needed = _needed_in(items, called)
    words = [token.text for token in tokens(following)]
    if "impl" in words:
        return bool({*words} & defined_by(needed)) or not is_settled(needed, called, items)
    return bool({"use", "trait"} & {*words}) or not is_settled(needed, called, items)


def _needed_in(items: Sequence[Item], called: Collection[str]) -> list[Item]:
    return [*reached(items, [item for item in items if item.role == "entry"], called)]


def impl_head(item: Item) -> tuple[str, ...]:
    """The words of an impl up to its `{`; empty for other items."""
    words = (token.text for token in tokens(item.text if item.kind == "impl_item" else ""))
    return tuple(takewhile(lambda word: word != "{", words))


@dataclass
class _Search:
    items: Sequence[Item]
    found: dict[Item, None] = field(default_factory=dict)
    _wanted: list[tuple[bool, str]] = field(default_factory=list)
    _asked: set[tuple[bool, str]] = field(default_factory=set)
    _by: dict[tuple[bool, str], list[Item]] = field(default_factory=lambda: defaultdict(list))
    _local: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for item in self.items:
            facts = facts_of(item)
            if item.kind != "use_declaration":
                self._local |= facts.defines
            for name in facts.defines | facts.header:
                self._by[False, name].append(item)
            for name in facts.functions if item.kind != "foreign_mod_item" else ():
                self._by[True, name].append(item)
        self._note_globs()

    def _note_globs(self) -> None:
        """A glob of a module or an enum that stands here brings what that defines."""
        holders = {
            name: item for item in self.items for name in facts_of(item).holds and item.names
        }
        for item in self.items:
            for leaf in leaves_of(item):
                holder = holders.get(leaf.path[-1]) if leaf.name == "*" else None
                for name in facts_of(holder).holds if holder else ():
                    self._by[False, name].append(item)

    def want(self, names: Iterable[str], members: Iterable[str]) -> None:
        """Take note of names that are used, alone or behind a dot or a `::`."""
        fresh = {(False, name) for name in names} | {(True, name) for name in members}
        self._wanted.extend(fresh - self._asked)
        self._asked |= fresh

    def reach(self, item: Item) -> None:
        """Take an item, and note what it needs."""
        if item not in self.found:
            self.found[item] = None
            facts = facts_of(item)
            self.want(facts.defines | facts.uses.names, facts.uses.members)

    def run(self) -> None:
        """Follow all names."""
        while self._wanted:
            for item in self._by.get(self._wanted.pop(), ()):
                if item.kind != "impl_item" or self._is_implemented(item):
                    self.reach(item)

    def _is_implemented(self, item: Item) -> bool:
        """Whether type and trait are both reached, where they stand here.

        What is cut off must besides be called, or work uncalled.
        """
        facts = facts_of(item)
        if not all((False, name) in self._asked for name in facts.header & self._local):
            return False
        return item.closed or (
            bool(facts.header & self._local)
            and (
                bool(facts.header & _SILENT_TRAITS)
                or any((True, name) in self._asked for name in facts.functions)
            )
        )
