"""Packages made by hand, installed into a temporary folder as pip would install them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from coldaisle_contracts import extensions
from coldaisle_contracts.kinds import KINDS


class Packages:
    """Installs packages for the time of a test.

    Args:
        folder: an empty folder, which becomes part of the path.
        monkeypatch: undoes what was changed.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch = folder, monkeypatch
        monkeypatch.syspath_prepend(folder)
        self.forget()

    def install(
        self,
        name: str,
        points: Mapping[str, Mapping[str, str]],
        files: Mapping[str, str],
        version: str = "1.2",
    ) -> None:
        """Install a package with entry points by group and name, and modules by file."""
        about = self.folder / f"{name}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [
            line
            for group, entries in points.items()
            for line in (f"[{group}]", *(f"{entry} = {value}" for entry, value in entries.items()))
        ]
        (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for file, text in files.items():
            place = self.folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            self._monkeypatch.delitem(sys.modules, module, raising=False)
        self.forget()

    def env(self) -> dict[str, str]:
        """Return the environment in which another process finds the packages."""
        return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [*sys.path, self.folder]))}

    @staticmethod
    def forget() -> None:
        """Let the tables look for packages again."""
        extensions._declared.cache_clear()
        KINDS._loaded.clear()
        if models := sys.modules.get(
            "coldaisle_analysis.models"
        ):  # it takes seconds to import, for tests of models alone
            models.MODELS._loaded.clear()
