"""Functions that people have written, from crates of the registry at fixed versions."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sigil_eval.dataset.forms import functions
from sigil_eval.rust.lexer import tokens

# The crates that thresholds were chosen on, and others to measure on.
CHOSEN_ON = """
    aho-corasick=1.1.5 bstr=1.14.0 chrono=0.4.45 clap_builder=4.6.7 hashbrown=0.17.2 heck=0.5.0
    hyper=1.12.0 image=0.25.10 indexmap=2.14.2 itertools=0.15.0 nalgebra=0.35.0 ndarray=0.17.2
    nom=8.0.0 num-bigint=0.5.1 num-integer=0.1.47 num-traits=0.2.19 pathfinding=4.16.0
    permutohedron=0.2.4 petgraph=0.8.3 primal-sieve=0.3.7 rand=0.10.4 rayon=1.12.0
    regex-automata=0.4.19 regex-syntax=0.8.12 roman=0.2.2 rustpython-parser=0.4.0
    serde_json=1.0.154 smallvec=1.16.6 statrs=0.19.1 strsim=0.11.1 syn=3.0.10 textwrap=0.16.4
    time=0.3.55 tokio=1.54.1 unicode-segmentation=1.13.3 url=2.5.8
"""
MEASURED_ON = """
    arrayvec=0.7.8 axum=0.8.9 base64=0.23.1 bitvec=1.1.1 bytes=1.12.2 chumsky=0.13.0
    crossbeam-channel=0.5.17 csv=1.4.0 edit-distance=2.2.2 evalexpr=13.1.0 fastrand=2.5.0
    fixedbitset=0.5.9 futures-util=0.3.34 geo=0.33.1 gimli=0.34.0 globset=0.4.22 h2=0.4.20
    handlebars=6.4.4 hex=0.4.3 ignore=0.4.35 kurbo=0.13.1 lru=0.19.1 md-5=0.11.0 memchr=2.8.3
    minijinja=3.1.0 miniz_oxide=0.9.1 num-rational=0.4.2 ordered-float=5.5.1 pest=2.9.6
    primes=0.4.0 priority-queue=2.7.0 pulldown-cmark=0.13.6 rand_distr=0.6.0 roaring=0.12.0
    rstar=0.14.0 rust_decimal=1.43.0 ryu=1.0.23 semver=1.0.28 sha2=0.11.1 similar=3.2.1 slab=0.4.12
    toml_edit=0.25.20 unicode-width=0.2.3 uuid=1.29.3 winnow=1.0.5
"""

_MANIFEST = (
    '[package]\nname = "corpus"\nversion = "0.0.0"\n[lib]\npath = "lib.rs"\n[dependencies]\n'
)


def rows_of(crates: str) -> list[dict[str, str]]:
    """A row for each different function of crates (`NAME=VERSION`, with spaces between): the
    comment above is its prompt. Cargo fetches what is not there."""
    rows: dict[str, dict[str, str]] = {}
    for folder in _sources(crates.split()):
        for path in sorted(folder.rglob("*.rs")):
            for row in _rows_of_file(path.read_text(encoding="utf-8", errors="replace")):
                rows.setdefault(row["gen"], row)
    return list(rows.values())


def _sources(crates: list[str]) -> Iterator[Path]:
    wanted = dict(crate.split("=") for crate in crates)
    with tempfile.TemporaryDirectory() as folder:
        lines = [f'{name} = "={version}"\n' for name, version in wanted.items()]
        Path(folder, "Cargo.toml").write_text(_MANIFEST + "".join(lines), encoding="utf-8")
        Path(folder, "lib.rs").touch()
        said = subprocess.run(
            ["cargo", "metadata", "--format-version", "1"],
            cwd=folder, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
    for package in json.loads(said.stdout)["packages"]:
        if wanted.get(package["name"]) == package["version"].partition("+")[0]:
            yield Path(package["manifest_path"]).parent


def _rows_of_file(source: str) -> Iterator[dict[str, str]]:
    stream = list(tokens(source))
    for start, _, end in functions(stream):
        text = source[stream[start].start : stream[end - 1].end]
        yield {"prompt": _comment_above(source, stream[start].start), "gen": text}


def _comment_above(source: str, start: int) -> str:
    above = source[:start].split("\n")[-2::-1]
    lines: list[str] = []
    for line in map(str.strip, above):
        if line.startswith("//"):
            lines.insert(0, line.lstrip("/! "))
        elif not line.startswith("#["):
            break
    return "\n".join(lines) or "Write a function in Rust."
