"""Makes the pictures of the README anew: the live page and the report of a week that a detector has watched, as small files.

The week has a seed of its own; the detector is that of a finished run. Run it as root, in a checkout with `.venv`:
`.venv/bin/python docs/pictures.py RUN`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
COMMAND = [sys.executable, "-m", "coldaisle_testbed"]
SEED = "7"
SIZE = {"width": 1280, "height": 900}
"""Width and height of the pictures, in pixels."""
DRAWN_MS = 3000
"""Time for a page to draw itself, in ms."""


def main() -> None:
    """Play and watch a week, and write the pictures beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run with models and a report")
    run = parser.parse_args().run.resolve()
    with (
        tempfile.TemporaryDirectory() as runs,
        sync_playwright() as playwright,
    ):
        week = Path(runs) / "week"
        scenario = HERE.parent / "scenarios" / "week.toml"
        _call("up", str(scenario), "--seed", SEED, "--no-analysis", "--out", str(week))
        detector = next((run / "models").glob("packets.*.skops"))
        _call("live", str(week), "--model", str(detector), "--policy", "1 a day", "--runs", runs)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        _picture(browser, (run / "report" / "index.html").as_uri(), HERE / "report.png")
        desk = subprocess.Popen(
            [*COMMAND, "desk", str(week), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            address = next(filter(None, (re.search(r"http://\S+", line) for line in desk.stdout or ())))[0]
            _picture(browser, address, HERE / "desk.png")
        finally:
            desk.terminate()
            desk.wait()
        browser.close()


def _call(*words: str) -> None:
    subprocess.run([*COMMAND, *words], check=True)


def _picture(browser: Browser, address: str, file: Path) -> None:
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    page.goto(address)
    page.wait_for_timeout(DRAWN_MS)
    page.screenshot(path=file)


if __name__ == "__main__":
    main()
