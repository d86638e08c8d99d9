"""The driver: the binary that holds a problem's tests and calls candidates.

A candidate is compiled as a library of its own; the driver, written by the harness, reaches it
only through wrappers that carry the signatures the problem asks for. A candidate therefore cannot
remove, redefine or answer for its own tests.
"""

from __future__ import annotations

from collections.abc import Iterable

from sigil_eval.judging.candidate import PRELUDE_MODULE, prelude_module
from sigil_eval.judging.contract import Contract, contract_of
from sigil_eval.problems import Problem


def suite_module(problem: Problem) -> str:
    """The tests of one problem, compiled once for all its candidates.

    They call the problem's functions by their own names; what those do is installed at run time.
    The tests come first, here as in `driver_module`, so that messages name the same lines. Only
    for problems whose contract is `portable`.
    """
    contract = contract_of(problem)
    slots = "".join(
        f"thread_local! {{ static SLOT_{index}: ::std::cell::Cell<Option<{function.pointer}>> = "
        f"::std::cell::Cell::new(None) }}\n"
        + function.definition(f"SLOT_{index}.with(|slot| slot.get()).unwrap()")
        for index, function in enumerate(contract.functions)
    )
    declared = ", ".join(f"f{i}: {f.pointer}" for i, f in enumerate(contract.functions))
    stored = " ".join(
        f"SLOT_{i}.with(|slot| slot.set(Some(f{i})));" for i in range(len(contract.functions))
    )
    return (
        f"{contract.test_source}\n{_test_list(contract)}"
        f"#[allow(unused_imports)] use crate::{PRELUDE_MODULE}::*;\n{_imports(contract)}{slots}"
        f"pub fn install({declared}) {{ {stored} }}\n"
    )


def suite_root(names: Iterable[str], prelude: str) -> str:
    """The library that has suites as modules of these names."""
    modules = "".join(f'#[path = "{name}/tests.rs"] pub mod {name};\n' for name in names)
    return modules + prelude_module(prelude)


def driver_module(problem: Problem, candidate: str, suite: str | None) -> str:
    """The driver's module for one candidate; it defines CANDIDATE for the runtime.

    `candidate` is the path of the candidate's module, such as `::answers::c7`; `suite` that of
    the problem's compiled tests, or None to have the tests in this module.
    """
    contract = contract_of(problem)
    wrappers = "".join(f.definition(f"candidate::{f.name}") for f in contract.functions)
    names = ", ".join(function.name for function in contract.functions)
    if suite is None:
        install, tests = "{}", f"{contract.test_source}\n{_test_list(contract)}"
    else:
        install, tests = f"{{ {suite}::install({names}) }}", f"use {suite}::TESTS;\n"
    return (
        f"{tests}#[allow(unused_imports)] use crate::{PRELUDE_MODULE}::*;\n{_imports(contract)}"
        f"use {candidate} as candidate;\n"
        f"#[allow(unused_imports)] use candidate::{{{', '.join(contract.types)}}};\n"
        f"{wrappers}fn install() {install}\n"
        "pub const CANDIDATE: ::sigil_runtime::Candidate = "
        "::sigil_runtime::Candidate { install, tests: TESTS };\n"
    )


def driver_root(names: Iterable[str], prelude: str) -> str:
    """The driver of the candidates of these names, each with a module of its own."""
    names = list(names)
    modules = "".join(f'#[path = "{name}/tests.rs"] mod {name};\n' for name in names)
    candidates = ", ".join(f"{name}::CANDIDATE" for name in names)
    main = f"fn main() {{ ::sigil_runtime::run(&[{candidates}]) }}"
    return f"{modules}{prelude_module(prelude)}\n{main}\n"


def _imports(contract: Contract) -> str:
    """The imports of the prompt; as in `prelude_module`, by a glob."""
    if not contract.imports:
        return ""
    lines = " ".join(f"pub use {argument};" for argument in contract.imports)
    return f"#[allow(unused_imports)] mod harness_imports {{ {lines} }} use harness_imports::*;\n"


def _test_list(contract: Contract) -> str:
    tests = "".join(
        f'    ::sigil_runtime::Test {{ name: "{test.path}", should_panic: {test.panics}, '
        f"run: || ::sigil_runtime::Finish::finish({test.path}()) }},\n"
        for test in contract.tests
    )
    return f"pub const TESTS: &[::sigil_runtime::Test] = &[\n{tests}];\n"
