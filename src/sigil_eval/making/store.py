"""What was read of crates and written by a model, kept in a file of SQLite.

A crate is kept with its rows or not at all, and each answer as it comes: what is killed goes on.
Memory does not grow with the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from sigil_eval.documents.dataset_made import BareRow, KeyedRow, ReadCrate, WrittenAnswer
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import json_value
from sigil_eval.making.crate_list import Crate

type Plan = Mapping[str, object]
"""What decides the rows of a crate, besides the crate."""

_TABLES = """
CREATE TABLE IF NOT EXISTS plan (value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS crates (crate TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, crate TEXT NOT NULL, value TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TEMP TABLE wanted (crate TEXT PRIMARY KEY);
"""


class Store:
    """Use as a context manager, by one thread. Raises UsageError for a file of another kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._base = sqlite3.connect(path)
        try:
            self._base.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise UsageError(f"{path}: cannot be gone on with: {error}; take it away") from None

    def agree(self, plan: Plan) -> None:
        """Begin with this plan, or see that it was begun with it; else UsageError."""
        found = self._value("SELECT value FROM plan", ())
        if found is None:
            self._put("INSERT INTO plan VALUES (?)", json.dumps(plan))
        elif found != plan:
            raise UsageError(
                f"{self.path}: was begun with another seed, writer or lock files, or by other "
                "versions; name another folder"
            )

    def crates(self) -> dict[Crate, ReadCrate]:
        """What came of the crates that were read."""
        found = self._base.execute("SELECT crate, value FROM crates")
        read = (check(json_value(value.encode()), ReadCrate, name) for name, value in found)
        return {Crate(one["name"], one["version"]): one for one in read}

    def add(self, crate: Crate, read: ReadCrate, rows: Iterable[KeyedRow]) -> None:
        """Keep a crate that was read."""
        with self._base:
            self._base.executemany(
                "INSERT INTO rows VALUES (?, ?, ?)",
                ((one["key"], str(crate), json.dumps(one["row"])) for one in rows),
            )
            self._base.execute("INSERT INTO crates VALUES (?, ?)", (str(crate), json.dumps(read)))

    def rows(self, crates: Collection[Crate]) -> Iterator[BareRow]:
        """The rows of some crates, one at a time, in the order of their keys."""
        with self._base:
            self._base.execute("DELETE FROM wanted")
            self._base.executemany(
                "INSERT INTO wanted VALUES (?)", ((str(crate),) for crate in crates)
            )
        found = self._base.execute(
            "SELECT value FROM rows WHERE crate IN (SELECT crate FROM wanted) ORDER BY key"
        )
        for (value,) in found:
            yield check(json_value(value.encode()), BareRow, str(self.path))

    def answer(self, key: str) -> WrittenAnswer | None:
        """What was answered to a request; None where it was not asked yet."""
        found = self._value("SELECT value FROM answers WHERE key = ?", (key,))
        return None if found is None else check(found, WrittenAnswer, str(self.path))

    def keep_answer(self, key: str, answer: WrittenAnswer) -> None:
        """Keep an answer under its request's key."""
        self._put("INSERT OR REPLACE INTO answers VALUES (?, ?)", key, json.dumps(answer))

    def _value(self, query: str, values: tuple[str, ...]) -> Any:
        found = self._base.execute(query, values).fetchone()
        return None if found is None else json_value(found[0].encode())

    def _put(self, statement: str, *values: str) -> None:
        with self._base:
            self._base.execute(statement, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._base.close()
