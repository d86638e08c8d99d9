"""Pictures of a report for the documentation: python tests/python/screenshots.py RUN OUT.

The head as on a desk, the scores, the migration in dark mode, an opened problem, the verdict on a
phone; of a sweep, its curve and table.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from browser import Browser
from sigil_eval.reporting.run import load_run

DESK, PHONE = (1200, 900), (390, 844)
AT = "document.querySelector('%s').scrollIntoView(); scrollBy(0, -20)"
OPEN_FIRST_WORSE = """
    const entry = document.querySelector(".problem[data-change=worse]");
    location.hash = entry.id;
    setTimeout(() => {
        const [tests] = entry.querySelectorAll(".folded");
        for (const part of [tests, entry.querySelector(".compare")]) part.open = true;
        entry.scrollIntoView();
    }, 200);
"""


def take(browser: Browser, target: Path, size: tuple[int, int], dark: bool, script: str) -> None:
    """Write one picture of the page as it looks after `script`."""
    width, height = size
    features = {
        "prefers-color-scheme": "dark" if dark else "light",
        "prefers-reduced-motion": "reduce",  # or the picture shows a page on its way
    }
    browser.call(
        "Emulation.setEmulatedMedia",
        features=[{"name": name, "value": value} for name, value in features.items()],
    )
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=size == PHONE,
    )  # fmt: skip
    browser.evaluate(f"new Promise((done) => {{ {script}; setTimeout(done, 700); }})")
    picture = browser.call("Page.captureScreenshot", format="png")["data"]
    target.write_bytes(base64.b64decode(picture))


SWEEP = {"sweep.png": ((1200, 1000), False, AT % "#no-policy")}
PAIR = {
    "report.png": (DESK, False, "scrollTo(0, 0)"),
    "report-scores.png": (DESK, False, AT % "#scores"),
    "report-dark.png": (DESK, True, AT % ".heat"),
    "report-problem.png": (DESK, False, OPEN_FIRST_WORSE),
    "report-phone.png": (PHONE, False, "scrollTo(0, 0)"),
}


def main(run: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pictures = SWEEP if "sweep" in load_run(run).first_metrics else PAIR
    with tempfile.TemporaryDirectory() as profile, Browser(Path(profile)) as browser:
        browser.open(f"file://{(run / 'report.html').resolve()}")
        for name, (size, dark, script) in pictures.items():
            take(browser, out / name, size, dark, script)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
