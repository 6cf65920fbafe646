"""What a machine or an image holds that takes part in a run: its base, Debian packages and Python distributions.

``software/<name>.json`` in a run's folder says it: of the ``machine`` that the run was made on, or of each image, which has its
own since it was built.
"""

import importlib.metadata
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.validation import first_problem

FOLDER = "software"
"""Folder of a run that holds these files."""
IMAGE = Path("/usr/share/coldaisle")
"""Folder of an image that holds the image's own file."""
PATIENCE_S = 30.0
"""Time there is to list packages, which takes milliseconds, s."""
_LONGEST_LICENCE = 80
"""A licence field longer than this is the text of a licence, not its name, characters."""


class Software(BaseModel):
    """What a machine or an image holds.

    Attributes:
        image: name of the image; empty for a machine.
        base: the system and its version, with the number of the point release, such as ``Debian 13.2``; empty where it does not say.
        made: the day an image's base was made; ``None`` for a machine.
        debian: version of each Debian package by name, as dpkg knows it.
        python: version of each Python distribution by normalised name (PEP 503).
        licences: their licences as they say themselves, SPDX expressions or names; without those that say nothing.
    """

    model_config = ConfigDict(extra="forbid")

    image: str = ""
    base: str = ""
    made: date | None = None
    debian: dict[str, str] = {}
    python: dict[str, str] = {}
    licences: dict[str, str] = {}

    @classmethod
    def of(cls, script: Path, *what: str) -> Self:
        """Return what this system holds.

        Args:
            script: ``testbed/software``.
            what: names of Debian packages, or ``image`` for all of an image.
        """
        try:
            done = subprocess.run(  # noqa: S603 - our own script
                [script, *what], capture_output=True, text=True, check=True, timeout=PATIENCE_S
            )
            said = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError):  # a system without os-release is one we cannot name
            said = {}
        found = distributions()
        python = {name: one.version for name, one in found.items()}
        licences = {name: text for name, one in found.items() if (text := licence(one))}
        return cls(**said, python=python, licences=licences)

    def save(self, path: Path) -> None:
        """Write it into a file; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def of_run(cls, run: Path) -> dict[str, Self]:
        """Return what took part in a run, by name of machine or image.

        Raises:
            InputError: if one of its files is none of these.
        """
        found = {}
        for path in sorted((run / FOLDER).glob("*.json")):
            try:
                found[path.stem] = cls.model_validate_json(path.read_bytes())
            except ValidationError as error:
                raise first_problem(path, error) from error
            except OSError as error:
                raise InputError(path, f"cannot be read ({error.strerror})") from error
        return found


def distributions() -> dict[str, importlib.metadata.Distribution]:
    """Return the Python distributions of this environment by normalised name, sorted; pip is part of none."""
    found = {re.sub(r"[-_.]+", "-", one.name).lower(): one for one in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(found) if name != "pip"}


def licence(distribution: importlib.metadata.Distribution) -> str:
    """Return a distribution's licence: its expression (PEP 639), else its classifiers, else its field where that is a name."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classified = sorted(_classified(metadata.get_all("Classifier") or ()))
    field = metadata["License"].strip() if "License" in metadata else ""
    short = field if len(field) <= _LONGEST_LICENCE and "\n" not in field else ""
    return ", ".join(classified) or short


def _classified(classifiers: Sequence[str]) -> Iterator[str]:
    """Yield the names of licences in trove classifiers."""
    for classifier in classifiers:
        family, _, name = classifier.rpartition(" :: ")
        if family.startswith("License") and name != "OSI Approved":
            yield name
