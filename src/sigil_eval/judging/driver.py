"""Rust for tests that share a process with the answer: what cannot be sent is judged so.

The answer is compiled as a library of its own; the driver, written by the harness, holds the tests
and reaches the answer only through wrappers that carry the signatures the problem asks for. An
answer therefore cannot remove or redefine its own tests, nor stand in for their functions with
others. What else it does to the process is contained (ADR-011), and the verdict says that it was
one process.
"""

from __future__ import annotations

from collections.abc import Iterable

from sigil_eval.judging.candidate import PRELUDE_MODULE, prelude_module
from sigil_eval.judging.contract import Contract, contract_of
from sigil_eval.problems import Problem

# The runtime; by its name from anywhere, in the edition of 2015 as well.
RUNTIME_CRATE = "extern crate sigil_runtime;\n"


def driver_module(problem: Problem, candidate: str) -> str:
    """The driver's module for one candidate, with its TESTS for the runtime.

    `candidate` is the path of the candidate's module, such as `::answers::c7`.
    """
    contract = contract_of(problem)
    pins = "".join(f"let _: {kind} = {path};" for path, kind in contract.methods)
    return (
        f"{contract.test_source}\n{test_list(contract)}{wrappers(problem, candidate)}"
        f"#[allow(dead_code)] fn harness_methods() {{ {pins} }}\n"
    )


def driver_root(names: Iterable[str], prelude: str, library: str) -> str:
    """The driver of the candidates of these names, which lie in `library`."""
    names = list(names)
    suites = ", ".join(f"{name}::TESTS" for name in names)
    return (
        f"{RUNTIME_CRATE}extern crate {library};\n{test_modules(names, 'mod')}"
        f"{prelude_module(prelude)}\nfn main() {{ ::sigil_runtime::run(&[{suites}]) }}\n"
    )


def test_modules(names: Iterable[str], keyword: str) -> str:
    """Modules of these names, each in a file of its own."""
    return "".join(f'#[path = "{name}-tests.rs"] {keyword} {name};\n' for name in names)


def wrappers(problem: Problem, candidate: str) -> str:
    """Functions with the names and signatures of the problem's, which call the candidate's."""
    contract = contract_of(problem)
    here = _here(problem)
    functions = "".join(f.definition(f"candidate::{f.name}") for f in contract.functions)
    types = ", ".join(contract.types)
    return (
        f"{scope(problem)}use {candidate} as candidate;\n"
        f"#[allow(unused_imports)] use {here}candidate::{{{types}}};\n{functions}"
    )


def scope(problem: Problem) -> str:
    """The prelude and the imports of the prompt; as in `prelude_module`, by globs."""
    contract = contract_of(problem)
    prelude = f"#[allow(unused_imports)] use crate::{PRELUDE_MODULE}::*;\n"
    if not contract.imports:
        return prelude
    lines = " ".join(f"pub use {argument};" for argument in contract.imports)
    module = f"mod harness_imports {{ {lines} }} use {_here(problem)}harness_imports::*;"
    return f"{prelude}#[allow(unused_imports)] {module}\n"


def _here(problem: Problem) -> str:
    """How a `use` begins that names something of its own module: 2015 starts at the root."""
    return "self::" if problem.edition == "2015" else ""


def test_list(contract: Contract) -> str:
    """TESTS, for the runtime."""
    tests = "".join(
        f'    ::sigil_runtime::Test {{ name: "{test.path}", should_panic: {test.panics}, '
        f"run: || ::sigil_runtime::Finish::finish({test.path}()) }},\n"
        for test in contract.tests
    )
    return f"pub const TESTS: &'static [::sigil_runtime::Test] = &[\n{tests}];\n"
