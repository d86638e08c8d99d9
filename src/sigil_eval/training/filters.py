"""Which rows are left out, and why: the finetuner's filters, for every source alike."""

from __future__ import annotations

import re

from sigil_eval.training.configuration import Dataset

_TEST_FOLDER = re.compile(r"(^|/)tests?/|(^|/)tests?\.rs$")
_TEST_CODE = re.compile(r"#\s*\[\s*(cfg\s*\(\s*test\s*\)|([a-z_]+::)*test)\s*[\](]")
_BENCH_FOLDER = re.compile(r"(^|/)benche?s?/")
_BENCH_CODE = re.compile(r"#\s*\[\s*bench\s*\]")
_EXAMPLE_FOLDER = re.compile(r"(^|/)examples?/")
_DOC_COMMENT = re.compile(r"///|//!|/\*\*[^*/]|#!?\[doc\b")
_IDIOM = tuple(
    map(
        re.compile,
        (
            r"->\s*(\w+::)*(Result|Option)\s*<",
            r"\w\)?\?[;.)\n]",
            r"\.(map|and_then|unwrap_or\w*|ok_or\w*|filter|collect|iter)\(",
            r"#\[derive\(",
            r"\bimpl\b[^{;]*\bfor\b",
            r"\bpub(\([^)]*\))?\s+(fn|struct|enum|trait|mod)\b",
        ),
    )
)
_HASTE = tuple(
    map(
        re.compile,
        (
            r"\b(TODO|FIXME|XXX|HACK)\b|\b(todo|unimplemented)!",
            r"\b(println|eprintln|dbg)!",
            r"\bunsafe\s*\{",
            r"#!?\[allow\(",
        ),
    )
)


def why_left_out(code: str, path: str, told: Dataset) -> str | None:
    """The reason in a few words, None for a row that is trained on; `path` may be empty."""
    length = len(code)
    if length < told.min_length:
        return f"shorter than min_length, {told.min_length} characters"
    if length > told.max_length:
        return f"longer than max_length, {told.max_length} characters"
    if told.exclude_tests and (_TEST_FOLDER.search(path) or _TEST_CODE.search(code)):
        return "a test (exclude_tests)"
    if told.exclude_benches and (_BENCH_FOLDER.search(path) or _BENCH_CODE.search(code)):
        return "a benchmark (exclude_benches)"
    if told.exclude_examples and _EXAMPLE_FOLDER.search(path):
        return "an example (exclude_examples)"
    if told.prefer_documented and not _DOC_COMMENT.search(code):
        return "no doc comment (prefer_documented)"
    if told.prefer_idiomatic and not _looks_idiomatic(code, told.idiomatic_quality_ratio):
        return "not idiomatic (prefer_idiomatic)"
    return None


def _looks_idiomatic(code: str, ratio: float) -> bool:
    """Whether kinds of idiom outnumber kinds of haste `ratio` to one."""
    idiom = sum(bool(sign.search(code)) for sign in _IDIOM)
    haste = sum(bool(sign.search(code)) for sign in _HASTE)
    return idiom > 0 and idiom >= ratio * haste
