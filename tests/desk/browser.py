"""A browser for the tests: Debian's Chromium, driven by Playwright."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.desk.conftest import TOKEN

CHROMIUM = shutil.which("chromium") or ""
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="needs Debian's chromium: apt-get install chromium")
READY_MS = 30_000
"""Longest time to wait for something on a page, in ms: the machine may be busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium for the duration of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def watched(page: Page) -> list[str]:
    """Return a list that gets every error of a page: of its scripts, and what its policy has refused."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    page.set_default_timeout(READY_MS)
    return errors


def opened(page: Page, port: int, path: str) -> None:
    """Open a page of the desk, and wait until it is connected."""
    page.goto(f"http://127.0.0.1:{port}{path}?token={TOKEN}")
    page.wait_for_selector('body[data-link="live"]')


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true on a page; its policy forbids Playwright's own way, which evaluates text in the page."""
    end = time.monotonic() + READY_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)
