"""The journal of a samples file: what is finished survives a kill and is never drawn twice.

Beside `base.jsonl` lies `.base.journal.jsonl`. Its first line holds the settings that decide a
sample's text; each further line is one finished sample. The samples file itself is written
from it, atomically, when every sample asked for is there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, cast

from sigil_eval.documents.constraints import Count
from sigil_eval.documents.rows import SampleRow
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import Journal, Row
from sigil_eval.generation.protocol import Sample

VERSION = 1
JOURNAL_SUFFIX = ".journal.jsonl"

Settings = Mapping[str, object]
"""What decides a sample's text, by names that a person can read."""


class Header(TypedDict):
    """The first line of a journal."""

    version: int
    """Of the journal's form."""
    settings: dict[str, object]
    """Those that its samples were drawn with."""
    device: str
    """What has drawn the first of them; kept, and not compared."""


class _Line(TypedDict):
    """A finished sample, as its journal has it."""

    task_id: str
    sample_index: Count
    completion: str
    tokens: Count
    finish_reason: str | None
    prompt_sha256: str


def journal_path(output: Path) -> Path:
    """Where the journal of a samples file lies."""
    return output.with_name(f".{output.stem}{JOURNAL_SUFFIX}")


class SampleJournal:
    """Finished samples by (task id, sample index), with the settings they were drawn with.

    Use as a context manager. Only one process may hold it: a second gets a UsageError.
    """

    def __init__(self, output: Path) -> None:
        """Open the journal of a samples file, or begin one."""
        self.path = journal_path(output)
        self._output = output
        if output.exists() and not self.path.exists():
            raise UsageError(
                f"{output} exists, but the journal {self.path} that says how it was made does "
                "not; move the file away, or choose another output"
            )
        output.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise UsageError(
                f"another process is generating {output}; wait for it, or choose another output"
            ) from None
        self.header: Header | None = None
        self.samples: dict[tuple[str, int], SampleRow] = {}
        try:
            self._journal = Journal(self.path)
            self._read()
        except BaseException:
            os.close(self._lock)
            raise

    def _read(self) -> None:
        """Take over what was drawn before; nothing of it is thrown away without being asked."""
        try:
            for number, row in self._journal.rows():
                if self.header is None:
                    self.header = self._checked_header(row)
                else:
                    line = check(row, _Line, f"{self.path}:{number}")
                    self.samples[line["task_id"], line["sample_index"]] = cast(SampleRow, row)
        except UsageError as error:
            self._journal.close()
            mend = "take that line away to draw its sample again, or " if self.header else ""
            raise UsageError(f"{error}; {mend}delete it to start again") from None

    def _checked_header(self, row: Row) -> Header:
        if row.get("version") != VERSION:
            raise UsageError(f"{self.path} was not written by this version")
        return check(row, Header, f"{self.path}:1")

    def agree(self, settings: Settings, device: str) -> None:
        """Begin the journal with these settings, or check that it was begun with them.

        `device` is kept beside them but not compared. Raises UsageError naming each setting
        that differs.
        """
        if self.header is None:
            self.header = {"version": VERSION, "settings": dict(settings), "device": device}
            self._journal.append(self.header)
            return
        self.check(settings)

    def check(self, settings: Settings) -> None:
        """Compare those settings that are given with the journal's, if it has any yet."""
        if self.header is None:
            return
        earlier = self.header["settings"]
        differing = [
            f"{name} was {earlier.get(name)}, is now {value}"
            for name, value in settings.items()
            if earlier.get(name) != value
        ]
        if differing:
            # An engine may have been chosen by `auto`, so that nobody knows its option.
            engine, named = earlier.get("engine"), ""
            if settings.get("engine", engine) != engine:
                named = f" (--engine {engine})"
            raise UsageError(
                f"{self.path} holds {len(self.samples)} samples made with other settings: "
                f"{'; '.join(differing)}. Use the earlier settings{named}, choose another output, "
                f"or delete {self.path.name} and {self._output.name} there to start again"
            )

    def check_prompts(self, prompts: Mapping[str, str]) -> None:
        """Compare prompt hashes by task id with those of the samples that are there."""
        for (task_id, _), row in self.samples.items():
            if task_id in prompts and row["prompt_sha256"] != prompts[task_id]:
                raise UsageError(
                    f"{self.path} holds samples of {task_id} made from another prompt; choose "
                    "another output, or delete the journal to start again"
                )

    def add(self, sample: Sample, prompt_sha256: str) -> None:
        """Append one finished sample."""
        self.take(
            [
                {
                    "task_id": sample.task_id,
                    "sample_index": sample.sample_index,
                    "completion": sample.completion,
                    "tokens": sample.tokens,
                    "finish_reason": sample.finish_reason,
                    "prompt_sha256": prompt_sha256,
                }
            ]
        )

    def take(self, rows: Iterable[SampleRow]) -> None:
        """Append samples as another journal holds them."""
        for row in rows:
            self._journal.append(row)
            self.samples[row["task_id"], row["sample_index"]] = row

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.close()
        if self.header is None:
            self.path.unlink(missing_ok=True)  # nothing was begun: leave nothing behind
        os.close(self._lock)
