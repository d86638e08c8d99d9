"""Every setting stands once; where the set-up has a default of its own, it is the same one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sigil_eval import settings
from sigil_eval.errors import UsageError
from sigil_eval.settings import Setting

REPOSITORY = Path(__file__).resolve().parents[2]
ALL: list[Setting[Any]] = [value for value in vars(settings).values() if isinstance(value, Setting)]
# Whoever runs eval_setup.sh rents a machine at a price.
OWN_DEFAULTS = ("PRICE_PER_HOUR",)


def defaults_of_the_setup(names: list[str]) -> dict[str, str]:
    """What eval_setup_config.sh sets where nobody sets anything."""
    shown = "".join(f'printf "%s=%s\\n" {name} "${{{name}-}}"; ' for name in names)
    said = in_the_setup(shown)
    assert said.returncode == 0, said.stderr
    return dict(line.split("=", 1) for line in said.stdout.splitlines())


def in_the_setup(command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Bash with the set-up's settings and checks, where only `given` is set."""
    sources = "".join(
        f"source {REPOSITORY}/{name}; "
        for name in ("eval_setup_config.sh", "lib/settings.sh", "lib/sandbox.sh")
    )
    script = f"usage_error() {{ exit 2; }}; {sources}{command}"
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "ROOT": str(REPOSITORY), **given}
    return subprocess.run(
        ["bash", "-eu", "-c", script], env=environment, capture_output=True, text=True
    )


def test_the_setup_has_the_same_defaults() -> None:
    by_variable = {s.variable: s for s in ALL if s.variable and s.variable not in OWN_DEFAULTS}
    said = defaults_of_the_setup(list(by_variable))
    known = {name: text for name, text in said.items() if text}
    assert set(by_variable) - set(known) == {"OPENAI_BASE_URL", "HEADLINE", "ACCEPTED_DEVIATIONS"}
    for name, text in known.items():
        assert by_variable[name].read(text) == by_variable[name].default


def test_the_setup_knows_the_same_sandboxes() -> None:
    for mode in settings.SANDBOX_MODE.choices:
        assert in_the_setup("sandbox_mode_is_known", SANDBOX_MODE=mode).returncode == 0
    assert in_the_setup("sandbox_mode_is_known", SANDBOX_MODE="docker").returncode == 1


def test_the_setup_knows_the_same_headlines() -> None:
    for column in ("", *settings.HEADLINE.choices):
        assert in_the_setup("check_headline", HEADLINE=column).returncode == 0
    assert in_the_setup("check_headline", HEADLINE="original").returncode == 2


@pytest.mark.parametrize("text", ["1", "1,10", "10,1,1", "0", "1,,2", ",1", "1.5", "one", "-1"])
@pytest.mark.parametrize("setting", [settings.NUM_SAMPLES, settings.K_VALUES])
def test_the_setup_refuses_what_the_driver_refuses(setting: Setting[Any], text: str) -> None:
    """It asks before there is a Python that could be asked."""
    given = {"NUM_SAMPLES": "10", "K_VALUES": "1"} | {str(setting.variable): text}
    try:
        setting.check(setting.read(text))
    except (ValueError, UsageError):
        expected = 2
    else:
        expected = 0
    assert in_the_setup("check_numbers", **given).returncode == expected


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.name)
def test_defaults_keep_their_own_rules(setting: Setting[Any]) -> None:
    if setting.default is not None:
        setting.check(setting.default)


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        (settings.NUM_SAMPLES, 0),
        (settings.TEMPERATURE, -0.1),
        (settings.TEMPERATURE, float("nan")),
        (settings.TOP_P, 0.0),
        (settings.TOP_P, 1.1),
        (settings.TIMEOUT, float("inf")),
        (settings.PRICE_PER_HOUR, -1.0),
    ],
)
def test_what_a_rule_refuses_is_named_by_its_option(setting: Setting[Any], wrong: float) -> None:
    with pytest.raises(UsageError, match=f"^{setting.option} must"):
        setting.check(wrong)


def test_k_values_ascend_and_stand_once() -> None:
    assert settings.k_list("10,1,10") == (1, 10)
    assert settings.k_above((1, 5, 10), 5) == 10
    assert settings.k_above((1, 5), 5) is None
    for wrong in ("", "0", "1,,2", "1.5"):
        with pytest.raises((ValueError, UsageError)):
            settings.k_list(wrong)
