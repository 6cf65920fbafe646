"""The manifest: what a run is, how it was made, and the hash of every file in it."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site import first_problem

MANIFEST = "manifest.json"


class Manifest(BaseModel):
    """What a finished run says of itself.

    Attributes:
        id: name of the run's folder.
        scenario: name of the scenario.
        seed: the seed the plan followed from.
        engine: ``netns`` or ``compose``.
        shards: how many stretches of days ran, side by side on netns.
        created: when the run was made, wall time, UTC.
        plan_digest: sha256 of the plan.
        semantic_digest: sha256 of the semantic trace: who published what when, and what became of it.
        counts: packets, readings, episodes, acts, kernel_drops and others.
        seconds: wall time each stage took, s.
        versions: version of each tool and library used.
        files: sha256 of every file of the run, by path relative to its folder.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    scenario: str
    seed: int
    engine: str
    shards: int
    created: datetime
    plan_digest: str
    semantic_digest: str
    counts: dict[str, int]
    seconds: dict[str, float]
    versions: dict[str, str]
    files: dict[str, str]

    @classmethod
    def load(cls, run: Path) -> Self:
        """Read the manifest of a run.

        Raises:
            InputError: if the folder holds none or it is not a manifest.
        """
        path = run / MANIFEST
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(path, "name the folder of a finished run, such as runs/latest") from error
        except ValidationError as error:
            raise first_problem(path, error) from error


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
