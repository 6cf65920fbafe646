"""What a machine or an image holds that takes part in a run: its base, Debian packages and Python distributions.

``software/<name>.json`` in a run's folder says it: of the ``machine`` that the run was made on, or of each image.
``python -m coldaisle_contracts.software`` writes it for an image, while that is built.
"""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site import first_problem

FOLDER = "software"
"""Folder of a run that holds these files."""
IMAGE = Path("/usr/local/share/coldaisle/software")
"""Folder of an image that holds the image's own file."""
PATIENCE_S = 30.0
"""Time there is to list packages, which takes milliseconds, s."""
_LONGEST_LICENCE = 80
"""A licence field longer than this is the text of a licence, not its name, characters."""


class Distribution(BaseModel):
    """A Python distribution.

    Attributes:
        version: its version.
        licence: its licence as it says itself, an SPDX expression or a name; empty where it says nothing.
    """

    model_config = ConfigDict(extra="forbid")

    version: str
    licence: str = ""


class Software(BaseModel):
    """What a machine or an image holds.

    Attributes:
        base: name of the system, such as ``Debian GNU/Linux``; empty where it does not say.
        base_version: its version, with the number of the point release.
        made: the day an image's base was made; ``None`` for a machine.
        packages: version of each Debian package by name, as dpkg knows it.
        python: Python distributions by normalised name (PEP 503).
    """

    model_config = ConfigDict(extra="forbid")

    base: str = ""
    base_version: str = ""
    made: date | None = None
    packages: dict[str, str] = {}
    python: dict[str, Distribution] = {}

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
        except (OSError, subprocess.SubprocessError):  # a system without os-release is one we cannot name
            return cls(python=distributions())
        return cls(**json.loads(done.stdout), python=distributions())

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


def distributions() -> dict[str, Distribution]:
    """Return the Python distributions of this environment by normalised name, sorted; pip is part of none."""
    found = {
        re.sub(r"[-_.]+", "-", one.name).lower(): Distribution(version=one.version, licence=licence(one))
        for one in importlib.metadata.distributions()
    }
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


if __name__ == "__main__":
    Software.of(Path("software"), "image").save(IMAGE / f"{sys.argv[1]}.json")
