"""Why the verdicts of a run can be believed, fact by fact, with what was not checked among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sigil_eval.console import format_duration
from sigil_eval.documents.metadata import Rescored
from sigil_eval.reporting.blocks import Block, Table, linked, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import agreement_text, listed, model_title

STATES = {"holds": "holds", "fails": "DOES NOT HOLD", "unknown": "not checked", "noted": "noted"}
TIMEOUTS = ("compile_timeout", "test_timeout")


@dataclass(frozen=True)
class Fact:
    """One line of the certificate; `state` is a key of STATES."""

    what: str
    result: str
    detail: str
    state: str


def certificate(run: Run) -> list[Fact]:
    """The trust certificate of a run."""
    rescored = run.metadata.get("rescored") if run.metadata else None
    return [
        *_proof(run),
        *_rescored("Judged again by the run itself", rescored),
        *_reproduction(run),
        *_counts(run),
    ]


def certificate_table(run: Run) -> Table:
    """The certificate as text."""
    rows = [[fact.what, STATES[fact.state], fact.result, fact.detail] for fact in certificate(run)]
    return Table(["What", "", "Result", ""], rows, 4)


def _proof(run: Run) -> Iterator[Fact]:
    proof = run.metadata.get("proof") if run.metadata else None
    if proof is None:
        yield Fact("Proof of the judge", "none was recorded", "", "unknown")
        return
    if not proof["ok"]:
        yield Fact("Proof of the judge", "a known answer got the wrong verdict", "", "fails")
        return
    answers, controls = proof["reference_answers"], proof["controls"]
    lacking = proof.get("without_reference", [])
    yield Fact(
        "Reference answers",
        f"{answers} of {answers} pass" if answers else "there are none",
        f"{proof['scorable'] - len(lacking)} of {proof['problems']} problems, in the forms in "
        "which models answer",
        "holds" if answers else "unknown",
    )
    if lacking:
        detail = f"only wrong answers were tried; no right one is known: {listed(lacking)}"
        yield Fact("Problems without a reference answer", str(len(lacking)), detail, "unknown")
    yield Fact("Wrong answers", f"{controls} of {controls} fail", "as they must", "holds")
    if "seconds_ago" in proof:
        when = f"{format_duration(proof['seconds_ago'])} before this run"
        detail = "the same judge, by its code, compiler, sandbox and problems, on the same machine"
        yield Fact("When that was proved", when, detail, "noted")
    if proof["unscorable"]:
        detail = f"left out for every model: {listed(proof['unscorable'])}"
        yield Fact("Problems without a judge here", str(len(proof["unscorable"])), detail, "noted")
    for fact in proof["sandbox"]:
        yield Fact("Containment, tested at the start", "contained", fact, "holds")
    if not proof["sandbox"]:
        yield Fact("Containment", "no sandbox was tested", "", "fails")


def _rescored(what: str, rescored: Rescored | None) -> Iterator[Fact]:
    if not rescored or not rescored["samples"]:
        yield Fact(what, "not done", "sigil-eval reproduce DIR does it", "unknown")
        return
    agree, samples = rescored["agree"], rescored["samples"]
    of_all = agreement_text(rescored["low"], rescored["high"])
    detail = f"drawn at random; of all results agree {of_all}"
    if "seconds_ago" in rescored:
        detail += f"; {format_duration(rescored['seconds_ago'])} before this run"
    state = "holds" if agree == samples else "fails"
    yield Fact(what, f"{agree} of {samples} verdicts agree", detail, state)


def _reproduction(run: Run) -> Iterator[Fact]:
    if run.changed:
        yield Fact("Files of the run", "changed", listed(run.changed), "fails")
    elif run.metadata and run.metadata.get("files"):
        yield Fact("Files of the run", "as recorded", "sha256 of samples and results", "holds")
    else:
        yield Fact("Files of the run", "no hashes were recorded", "", "unknown")
    found = run.reproduction
    if found is None:
        return
    states = [check["state"] for check in found["pins"]]
    yield Fact(
        "Pins on the machine that reproduced it",
        f"{states.count('same')} as recorded, {states.count('differs')} differ",
        found["created_at"],
        "noted",
    )
    if found["rescored"] is not None:
        yield from _rescored("Judged again to reproduce it", found["rescored"])


def _counts(run: Run) -> Iterator[Fact]:
    mode, models = run.first_metrics["mode"], run.first_metrics["models"].items()
    scored = sum(model["samples"]["scored"] for _, model in models)
    failures = sum(model["samples"]["infrastructure"] for _, model in models)
    total = sum(model["samples"]["total"] for _, model in models)
    yield Fact(
        "Samples without a verdict",
        linked(f"{failures} of {total}", mode=mode, verdict="infrastructure"),
        "infrastructure failures, in no score" if failures else "",
        "fails" if failures else "holds",
    )
    slow = {label: sum(m["error_types"].get(t, 0) for t in TIMEOUTS) for label, m in models}
    yield Fact(
        "Time-outs",
        linked(f"{sum(slow.values())} of {scored}", mode=mode, verdict="is:too slow"),
        "; ".join(f"{model_title(label)} {count}" for label, count in slow.items())
        + ". By processor time; what the wall clock stopped was tried again alone.",
        "noted",
    )
    scoring = run.metadata.get("scoring") if run.metadata else None
    if scoring and (retries := scoring.get("retries")) is not None:
        yield Fact("Programs tried again", str(retries), "before their verdict counted", "noted")
    unsafe = [model["rates"]["uses_unsafe"] for _, model in models]
    count, known = sum(rate["count"] for rate in unsafe), sum(rate["of"] for rate in unsafe)
    detail = f"of {scored - known} others that is not known" if known < scored else ""
    found = linked(f"{count} of {known}", mode=mode, verdict="is:unsafe")
    yield Fact("Programs with unsafe code", found, detail, "noted")
    shared = sum(model["rates"]["one_process"]["count"] for _, model in models)
    detail = "in their tests' process, which they could reach into: such passes are worth less"
    yield Fact(
        "Answers in one process with their tests",
        linked(f"{shared} of {scored}", mode=mode, verdict="is:in one process"),
        detail if shared else "",
        "noted",
    )


def _blocks(run: Run) -> Iterator[Block]:
    return titled("Why the verdicts can be trusted", certificate_table(run))


SECTION = Section("certificate", lambda run, _: _blocks(run), _blocks, about_scores=False)
