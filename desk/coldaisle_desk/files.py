"""Files of a run: what may be read is shown as text, the rest is downloaded."""

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from coldaisle_desk.pages import page

_ALONE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
"""Policy of a report: it holds its own style, runs no script, and counts as a page from elsewhere."""
_TEXT = {".json", ".jsonl", ".md", ".txt", ".toml", ".csv", ".sig"}


def answer(folder: Path, path: Path, address: str) -> Response:
    """Return a file of a run, or the list of a folder in it.

    Raises:
        HTTPException: if there is no such file, or it lies outside of the run.
    """
    whole, root = (folder / path).resolve(), folder.resolve()
    if not whole.is_relative_to(root) or not whole.exists():
        raise HTTPException(404, "The run has no such file.")
    if whole.is_dir():
        return _listed(whole, root, address)
    if whole.suffix == ".html":
        return FileResponse(whole, media_type="text/html", headers={"Content-Security-Policy": _ALONE})
    if whole.suffix in _TEXT:
        return FileResponse(whole, media_type="text/plain; charset=utf-8")
    kind = mimetypes.guess_type(whole.name)[0] or "application/octet-stream"
    return FileResponse(whole, media_type=kind, filename=whole.name)


def _listed(folder: Path, root: Path, address: str) -> Response:
    inside = folder.relative_to(root)
    entries = [
        (path.name, path.is_dir(), path.stat().st_size) for path in sorted(folder.iterdir()) if path.exists()
    ]
    up = "../" * (address.count("/") - 1)
    slash = "" if address.endswith("/") else f"{address.rpartition('/')[2]}/"
    return page(
        "files", up=up, title=f"{root.name}/{inside}".removesuffix("/."), entries=entries, slash=slash
    )
