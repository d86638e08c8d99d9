"""Rust for tests in a process that has never mapped the answer's code.

The tests' side holds the tests and, in the place of the problem's functions, stubs that send their
arguments and read results. The calls' side reads arguments, calls function pointers, and sends
results; it holds no word of the tests. Both are compiled once for all answers of a problem, but for
problems with types of their own: how an answer's own types are sent is compiled with the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sigil_eval.answers.program import Program
from sigil_eval.judging.candidate import module_source, prelude_module
from sigil_eval.judging.contract import Contract, Function, contract_of, reference_source
from sigil_eval.judging.driver import RUNTIME_CRATE, scope, test_list, test_modules, wrappers
from sigil_eval.judging.own_types import own_types_of
from sigil_eval.problems import Problem

_RUNTIME = "::sigil_runtime"
_BORROWED_FOR_WRITING = re.compile(r"&\s*(?:'\w+\s+)?mut\b\s*(.*)", re.S)
_LIFETIME = re.compile(r"'(?!static\b)[A-Za-z_]\w*")


def may_be_apart(contract: Contract) -> bool:
    """Whether function pointers can stand for a problem's functions; rustc finds out the rest."""
    return all(function.portable for function in contract.functions)


def suite_module(problem: Problem) -> str:
    """The tests of one problem with its own types and stubs for its functions.

    The tests come first, as in `driver_module`, so that messages name the same lines.
    """
    contract = contract_of(problem)
    types = own_types_of(problem)
    stubs = "".join(_stub(index, f) for index, f in enumerate(contract.functions))
    return (
        f"{contract.test_source}\n{test_list(contract)}{scope(problem)}"
        f"{types.definitions}\n{types.encoders('()', as_answer=False)}{stubs}"
    )


def calls_module(problem: Problem) -> str:
    """`serve` for the functions of one problem.

    For a problem with types of its own it is only shown to rustc, so that what cannot be sent is
    known before there is an answer.
    """
    contract = contract_of(problem)
    types = own_types_of(problem)
    own = f"{types.definitions}\n{types.encoders('()', as_answer=True)}"
    return f"{scope(problem)}{own}{_serve(contract, 'harness_serve', '()')}"


def common_module(problem: Problem) -> str:
    """A problem's reference answer, so that what it instantiates of the standard library is there.

    Nothing of it can be named from elsewhere.
    """
    reference = module_source(Program(problem, reference_source(problem)))
    names = ", ".join(f"reference::{f.name} as *const ()" for f in contract_of(problem).functions)
    return (
        f"#[allow(dead_code)] mod reference {{ {reference} }}\n"
        f"pub fn harness_instances() {{ ::core::hint::black_box([{names}]); }}\n"
    )


def side_root(names: Iterable[str], prelude: str) -> str:
    """The library that has sides of problems as modules of these names."""
    return f"{RUNTIME_CRATE}{test_modules(names, 'pub mod')}{prelude_module(prelude)}\n"


def suites_main(suites: Iterable[str]) -> str:
    """The binary that runs the compiled tests at these paths, such as `::tests0::p7`."""
    suites = list(suites)
    crates = sorted({path.split("::")[1] for path in suites})
    lists = ", ".join(f"{path}::TESTS" for path in suites)
    return f"{_extern(crates)}fn main() {{ ::sigil_runtime::run(&[{lists}]) }}\n"


def answer_module(problem: Problem, candidate: str, calls: str) -> str:
    """An answers' binary's module for one candidate, with its ANSWER for the runtime.

    `calls` is the path of the problem's compiled calls' side, such as `::calls0::p7`.
    """
    contract = contract_of(problem)
    names = ", ".join(function.name for function in contract.functions)
    types = own_types_of(problem)
    if types:
        encoders = types.encoders("HarnessHere", as_answer=True)
        serve = _serve(contract, "harness_serve", "HarnessHere")
        start, own = "harness_serve", f"struct HarnessHere;\n{encoders}{serve}"
    else:
        start, own = f"{calls}::harness_serve", ""
    return (
        f"pub const ANSWER: fn() -> ! = || {start}({names});\n{wrappers(problem, candidate)}{own}"
    )


def answers_root(modules: Mapping[str, str], prelude: str, crates: Iterable[str]) -> str:
    """The answers' binary of the candidates whose `modules` these are, by their names.

    It needs these `crates`. The modules come first, so that one alone keeps its lines.
    """
    answers = ", ".join(f"{name}::ANSWER" for name in modules)
    inline = "".join(map(inline_module, modules, modules.values()))
    return (
        f"{inline}{_extern(crates)}{prelude_module(prelude)}\n"
        f"fn main() {{ ::sigil_runtime::answer(&[{answers}]) }}\n"
    )


def inline_module(name: str, source: str) -> str:
    """A module in the file of others; its first line is that of its source."""
    return f"mod {name} {{ {source}}}\n"


def _extern(crates: Iterable[str]) -> str:
    return RUNTIME_CRATE + "".join(f"extern crate {crate};\n" for crate in crates)


def _stub(index: int, function: Function) -> str:
    """A function of a problem's name and signature that asks the answer's process."""
    sent = "".join(
        f"{_RUNTIME}::Sent::<()>::send(&{_seen(a, t)}, to);" for a, t in _pairs(function)
    )
    refilled = "".join(
        f"{_RUNTIME}::sure({_RUNTIME}::Lent::<()>::refill(&mut *{name}, &mut reply));"
        for name, kind in _pairs(function)
        if _lent(kind)
    )
    body = (
        f"let mut reply = {_RUNTIME}::ask({index}, |to| {{ let _ = &to; {sent} }});"
        f"let result = {_RUNTIME}::sure({_RUNTIME}::Received::<()>::receive(&mut reply));"
        f"{refilled}{_RUNTIME}::sure(reply.ended()); result"
    )
    return f"#[allow(non_snake_case, dead_code)] {function.head} {{ {body} }}\n"


def _serve(contract: Contract, name: str, marker: str) -> str:
    pointers = ", ".join(f"f{i}: {f.pointer}" for i, f in enumerate(contract.functions))
    arms = "".join(f"{i} => {{ {_arm(i, f, marker)} }}\n" for i, f in enumerate(contract.functions))
    return (
        f"pub fn {name}({pointers}) -> ! {{ {_RUNTIME}::serve(|function, from, to| {{\n"
        f"match function {{\n{arms}_ => return None,\n}}\nSome(()) }}) }}\n"
    )


def _arm(index: int, function: Function, marker: str) -> str:
    """Read the arguments, call, and send the result and what became of `&mut` arguments."""
    read = sent = ""
    given = []
    for name, kind in _pairs(function):
        written = _LIFETIME.sub("'_", kind)
        if lent := _lent(written):
            read += f"let {name} = <{lent} as {_RUNTIME}::Lent<{marker}>>::lend(from)?;"
            sent += f"{_RUNTIME}::Sent::<{marker}>::send(&*{name}, to);"
            given.append(f"&mut *{name}")
        else:
            read += f"let {name}: {written} = {_RUNTIME}::Received::<{marker}>::receive(from)?;"
            given.append(name)
    leak = "from.leak();" if any("'static" in kind for kind in function.parameters) else ""
    call = f"let result = f{index}({', '.join(given)});"
    result = f"{_RUNTIME}::Sent::<{marker}>::send(&result, to);"
    return f"{leak}{read}from.ended()?;{call}{result}{sent}"


def _pairs(function: Function) -> list[tuple[str, str]]:
    return list(zip(function.arguments, function.parameters, strict=True))


def _lent(kind: str) -> str:
    """What a `&mut` type leads to; nothing for another type."""
    match = _BORROWED_FOR_WRITING.fullmatch(kind.strip())
    return match.group(1) if match else ""


def _seen(name: str, kind: str) -> str:
    """An argument as a stub writes it."""
    return f"*{name}" if _lent(kind) else name
