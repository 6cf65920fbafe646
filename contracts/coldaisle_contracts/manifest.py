"""The manifest: what a run is, how it was made, and the hash of every file in it.

It seals what was played and labelled (plan, journals, captures, dataset). What is concluded from that lies beside it, in
:mod:`analyses`, and names the manifest's own sha256.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.validation import MismatchError, first_problem

MANIFEST = "manifest.json"
COUNTED = (
    "packets", "packets_attack", "readings", "readings_attack", "episodes", "acts", "kernel_drops", "days",
)  # fmt: skip
"""What a manifest counts."""


def _all_counted(counts: dict[str, int]) -> dict[str, int]:
    if missing := [name for name in COUNTED if name not in counts]:
        raise MismatchError(
            "", sorted(counts), f"the number of {missing[0]} is missing: the manifest was edited"
        )
    return counts


def _inside(files: dict[str, str]) -> dict[str, str]:
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or name == ".":
            raise MismatchError("", name, "every file lies in the run's own folder: the manifest was edited")
    return files


Files = Annotated[dict[str, str], AfterValidator(_inside)]
"""The sha256 of files, hex, by path relative to the folder they lie in."""


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
        counts: packets, readings, episodes, acts, kernel_drops and others, see :data:`COUNTED`.
        seconds: wall time each stage took, s.
        versions: version of each tool and library used.
        files: sha256 of every file it seals, by path relative to the run's folder.
        commit: the commit of coldaisle's source that finished it, ``-dirty`` behind it where files were changed; empty where there was
            no checkout.
        clocks: its clocks; ``None`` in runs made before they were noted.
        definition: the scenario itself as JSON has it, with its site's parameters, see :func:`planning.planned_again`; ``None`` in
            runs made before it was kept.
        left_out: kinds that the machine could not play: the plan is that of the scenario without their episodes.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    scenario: str
    seed: int
    engine: Literal["netns", "compose"]
    shards: int
    created: datetime
    plan_digest: str
    semantic_digest: str
    counts: Annotated[dict[str, int], AfterValidator(_all_counted)]
    seconds: dict[str, float]
    versions: dict[str, str]
    files: Files
    commit: str = ""
    clocks: Clocks | None = None
    definition: dict[str, Any] | None = None
    left_out: tuple[str, ...] = ()

    def save(self, run: Path) -> None:
        """Write it into a run's folder."""
        (run / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @property
    def made_by(self) -> str:
        """What made the run: version and commit of coldaisle."""
        version = self.versions.get("coldaisle", "of unknown version")
        return f"coldaisle {version}" + (f", commit {self.commit}" if self.commit else "")

    @classmethod
    def load(cls, run: Path) -> Self:
        """Read the manifest of a run.

        Args:
            run: the run's folder, or the manifest itself.

        Raises:
            InputError: if the folder holds none or it is not a manifest.
        """
        path = run if run.is_file() else run / MANIFEST
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


def digest_of(run: Path) -> str:
    """Return the sha256 of a run's manifest, hex: it stands for the whole run.

    Raises:
        InputError: if the folder holds no manifest.
    """
    try:
        return sha256_of(run / MANIFEST)
    except OSError as error:
        raise InputError(run / MANIFEST, "name the folder of a finished run, such as runs/latest") from error
