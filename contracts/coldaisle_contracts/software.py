"""The software of a machine or an image that takes part in a run: base, Debian packages and Python distributions.

A run keeps it in ``software/<name>.json``, for the ``machine`` that made the run or for each image. An image gets its own file when it
is built.
"""

import importlib.metadata
import json
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import Field

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.validation import Model

FOLDER = "software"
"""Folder of a run that holds these files."""
IMAGE = Path("/usr/share/coldaisle")
"""Folder of an image that holds the image's own file."""
PATIENCE_S = 30.0
"""Longest time for listing packages, in s; it takes milliseconds."""
_LONGEST_LICENCE = 80
"""Greatest length of a licence's name, in characters; a longer field holds the text of the licence."""


class Software(Model):
    """The software of a machine or an image.

    Attributes:
        image: name of the image; empty for a machine.
        base: the system and its version with the point release, such as ``Debian 13.2``; empty where unknown.
        made: the day on which an image's base was made; ``None`` for a machine.
        debian: version of each Debian package by name, as dpkg knows it.
        python: version of each Python distribution by normalised name (PEP 503).
        licences: their licences as they declare them, SPDX expressions or names; without those that declare none.
    """

    image: str = ""
    base: str = ""
    made: date | None = None
    debian: dict[str, str] = Field(default={})
    python: dict[str, str] = Field(default={})
    licences: dict[str, str] = Field(default={})

    @classmethod
    def of(cls, script: Path, *packages: str) -> Self:
        """Return the software of this system.

        Args:
            script: ``testbed/software``.
            packages: names of Debian packages, or ``image`` for all of an image.
        """
        try:
            done = subprocess.run(  # noqa: S603 - our own script
                [script, *packages], capture_output=True, text=True, check=True, timeout=PATIENCE_S
            )
            system = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError):  # a system without os-release has no name
            system = {}
        installed = distributions()
        python = {name: distribution.version for name, distribution in installed.items()}
        licences = {name: text for name, distribution in installed.items() if (text := licence(distribution))}
        return cls(**system, python=python, licences=licences)

    def save(self, path: Path) -> None:
        """Write it into a file; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def of_run(cls, run: Path) -> dict[str, Self]:
        """Return the software that took part in a run, by name of machine or image.

        Raises:
            InputError: if one of the files is not valid.
        """
        by_name = {}
        for path in sorted((run / FOLDER).glob("*.json")):
            try:
                by_name[path.stem] = cls.check(path.read_bytes(), path)
            except OSError as error:
                raise InputError(path, f"it cannot be read ({error.strerror}): make the run again") from error
        return by_name


def distributions() -> dict[str, importlib.metadata.Distribution]:
    """Return the Python distributions of this environment without pip, sorted, by normalised name."""
    by_name = {re.sub(r"[-_.]+", "-", item.name).lower(): item for item in importlib.metadata.distributions()}
    return {name: by_name[name] for name in sorted(by_name) if name != "pip"}


def licence(distribution: importlib.metadata.Distribution) -> str:
    """Return a distribution's licence: its expression (PEP 639), else its classifiers, else its field where that is a name."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    families = (classifier.rpartition(" :: ") for classifier in metadata.get_all("Classifier") or ())
    names = {name for family, _, name in families if family.startswith("License")} - {"OSI Approved"}
    field = metadata["License"].strip() if "License" in metadata else ""
    short = field if len(field) <= _LONGEST_LICENCE and "\n" not in field else ""
    return ", ".join(sorted(names)) or short
