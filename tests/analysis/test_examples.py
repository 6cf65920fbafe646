"""The Python that README and documentation show runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PAGES = {
    page: blocks
    for page in (HOUSE / "README.md", *sorted((HOUSE / "docs").glob("*.md")))
    if (blocks := re.findall(r"^```python\n(.+?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE))
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(
    page: Path, made_week: Path, analysed_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of a page, one after another, run where ``runs/latest`` is a finished run and ``site.pcapng`` a capture."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(made_week)
    (tmp_path / "site.pcapng").symlink_to(next((analysed_run / "capture").glob("*.pcap")))
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for block in PAGES[page]:
        exec(compile(block, str(page), "exec"), known)  # noqa: S102 - our own pages
    assert known


def test_there_are_examples() -> None:
    """README shows how to score a classifier, and so does the page on early detection."""
    for name in ("README.md", "docs/early-detection.md"):
        assert any("score_early(" in block for block in PAGES[HOUSE / name])
