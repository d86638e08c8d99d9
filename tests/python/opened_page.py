"""A report in a browser, as the tests of the page use it."""

from __future__ import annotations

from pathlib import Path

from browser import Browser
from results_fixture import good_results, make_metadata, make_row, make_run
from sigil_eval.files import Row

LISTED = "[...document.querySelectorAll('.problem:not([hidden])')].map((e) => e.dataset.task)"
PHONE, DESK = (390, 844), (1200, 900)


def choose(browser: Browser, field: str, value: str) -> list[str]:
    """Set a filter and give the problems that are then listed."""
    browser.evaluate(
        f"""new Promise((done) => {{
            const field = document.getElementById({field!r});
            field.value = {value!r};
            field.dispatchEvent(new Event("input", {{ bubbles: true }}));
            setTimeout(done, 400);
        }})"""
    )
    listed: list[str] = browser.evaluate(LISTED)
    return listed


def show(browser: Browser, size: tuple[int, int], dark: bool = False, media: str = "") -> None:
    """The page as on a screen of `size`, in light or dark, or as on paper."""
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.call("Emulation.setEmulatedMedia", media=media, features=scheme)
    width, height = size
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=size == PHONE,
    )  # fmt: skip


def press(browser: Browser, key: str, text: str = "") -> None:
    """A key as from the keyboard."""
    codes = {"j": 74, "k": 75, "Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39, "/": 191}
    typed = {"key": key, "windowsVirtualKeyCode": codes[key]} | ({"text": text} if text else {})
    browser.call("Input.dispatchKeyEvent", type="keyDown", **typed)
    browser.call("Input.dispatchKeyEvent", type="keyUp", **typed)


def active(browser: Browser) -> str:
    """What has the focus, in a few words."""
    focused: str = browser.evaluate(
        "(({id, tagName, textContent: t}) => `${tagName} ${id || t.trim().slice(0, 40)}`)"
        "(document.activeElement)"
    )
    return focused


def open_page(browser: Browser, folder: Path, results: dict[str, list[Row]] | None = None) -> None:
    """A run's report, with its first problems opened."""
    if results is None:
        results = good_results()
        results["base"][12] = make_row(
            "T/3", 0, "compile_error", stderr="error[E0308]: no\n --> answer.rs:2:5\n  |     x\n"
        )
    make_run(folder, results, make_metadata())
    browser.open(f"file://{folder / 'report.html'}")
    browser.evaluate(
        """new Promise((done) => {
            for (const entry of document.querySelectorAll("details")) {
                entry.open = !entry.dataset.task || ["T/0", "T/3"].includes(entry.dataset.task);
            }
            setTimeout(() => {
                for (const entry of document.querySelectorAll(".compare")) entry.open = true;
                done();
            }, 200);
        })"""
    )
