"""The forms in which models answer, each read as a person would read it."""

from __future__ import annotations

import pytest

from answer_forms import PAGE, PROMPT, Form, forms, page
from sigil_eval.answers.extraction import extract
from sigil_eval.answers.steps import STEPS, Step
from sigil_eval.answers.wording import RULES, Rule
from sigil_eval.rust.syntax import parse

FORMS = [*forms()]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.group}, {form.name}")
def test_a_form_is_read_as_a_person_would(form: Form) -> None:
    found = extract(form.answer, prompt=PROMPT, entry_point="add")
    if form.source is None:
        assert found.truncated or found.code is None
        tree = parse((found.code or "{").encode())
        assert tree is None or tree.root_node.has_error
    else:
        assert found.code == form.source
        assert not found.truncated


def test_forms_have_names_of_their_own() -> None:
    names = [(form.group, form.name) for form in FORMS]
    assert len(set(names)) == len(names) > 300


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_does_what_its_examples_say(step: Step) -> None:
    assert [step.take(before, "f") for before, _ in step.examples] == [
        after for _, after in step.examples
    ]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_comes_after_those_that_it_needs_and_leaves_plain_code_alone(step: Step) -> None:
    before = [one.name for one in STEPS[: STEPS.index(step)]]
    assert set(step.after) <= set(before)
    for source in ("fn f(x: &[i32]) -> Vec<i32> {\n    x.to_vec() // <x>\n}\n", "    x + y\n}\n"):
        assert step.take(source, "f") == source


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}, {rule.where}")
def test_a_rule_for_several_definitions_holds_in_its_examples(rule: Rule) -> None:
    right = "fn add(x: i32, y: i32) -> i32 {\n    x + y\n}"
    wrong = right.replace("+", "-")
    first, later = (wrong, right) if rule.replaces else (right, wrong)
    for example in rule.examples:
        before, between = (example, "And:") if rule.where == "first" else ("So:", example)
        for fence in ("```rust\n", ""):
            end = "\n```" if fence else "\n"
            answer = f"{before}\n{fence}{first}{end}\n{between}\n{fence}{later}{end}\n"
            found = extract(answer, prompt=PROMPT, entry_point="add")
            assert "x + y" in (found.code or ""), answer
            assert found.definitions == 2


def test_without_words_the_first_definition_is_the_answer() -> None:
    right = "fn add(x: i32, y: i32) -> i32 {\n    x + y\n}\n"
    found = extract(f"{right}\nAnd:\n\n{right.replace('+', '-')}", prompt=PROMPT, entry_point="add")
    assert found.code is not None
    assert "x + y" in found.code
    assert found.definitions == 2


def test_the_page_of_forms_is_made_of_these_tests() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
