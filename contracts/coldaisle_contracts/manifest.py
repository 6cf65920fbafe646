"""The manifest: what a run is, how it was made, and the hash of every file in it."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.site import first_problem
from coldaisle_contracts.texts import read_text

MANIFEST = "manifest.json"


class Clocks(BaseModel):
    """The two clocks of a run: first and last packet in virtual and in wall time, UTC.

    Attributes:
        virtual_start: when the first packet was seen, in the time the programs lived in.
        virtual_end: the same of the last packet.
        wall_start: when the first packet was captured, real time.
        wall_end: the same of the last packet.
        time_zone: IANA name of the scenario's local time.
        utc_offset_s: its offset from UTC during the run, s.
    """

    model_config = ConfigDict(extra="forbid")

    virtual_start: datetime
    virtual_end: datetime
    wall_start: datetime
    wall_end: datetime
    time_zone: str
    utc_offset_s: int


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
        files: sha256 of every file of the run but this one, by path relative to its folder.
        commit: the commit of coldaisle's source that finished it, ``-dirty`` behind it where files were changed; empty where there was
            no checkout.
        clocks: its clocks; ``None`` in runs made before they were noted.
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
    commit: str = ""
    clocks: Clocks | None = None

    def save(self, run: Path) -> None:
        """Write it into a run's folder."""
        (run / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, run: Path) -> Self:
        """Read the manifest of a run.

        Raises:
            InputError: if the folder holds none or it is not a manifest.
        """
        path = run / MANIFEST
        text = read_text(path, "name the folder of a finished run, such as runs/latest")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise first_problem(path, error) from error


def instant(time_ns: int) -> datetime:
    """Return a time given in ns since the epoch, UTC, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
