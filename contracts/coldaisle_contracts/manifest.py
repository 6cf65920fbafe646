"""The manifest of a run: its scenario, how it was made, and the hash of every file in it.

It seals the data that was played and labelled: plan, journals, captures, dataset. Results that follow from that data lie beside it,
see :mod:`analyses`, and name the manifest's own sha256.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from coldaisle_contracts.devices import DEVICES
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.validation import MismatchError, Model

MANIFEST = "manifest.json"
Engine = Literal["netns", "compose"]
"""What plays a run: the programs in network namespaces, or in containers."""
COUNTED = (
    "packets", "packets_attack", "readings", "readings_attack", "episodes", "acts", "kernel_drops", "days",
)  # fmt: skip
"""Numbers that every manifest has."""


def _all_counted(counts: dict[str, int]) -> dict[str, int]:
    if missing := [name for name in COUNTED if name not in counts]:
        remedy = f"the number of {missing[0]} is missing, so the manifest was edited: make the run again"
        raise MismatchError("", sorted(counts), remedy)
    return counts


def _inside(files: dict[str, str]) -> dict[str, str]:
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or name == ".":
            remedy = "it lies outside of the folder, so the manifest was edited: make the run again"
            raise MismatchError("", name, remedy)
    return files


Files = Annotated[dict[str, str], AfterValidator(_inside)]
"""The sha256 of files, hex, by path relative to the folder they lie in."""


class Clocks(Model):
    """The two clocks of a run: first and last packet in virtual and in wall time, UTC.

    Attributes:
        virtual_start: virtual time of the first packet.
        virtual_end: virtual time of the last packet.
        wall_start: wall time of the first packet.
        wall_end: wall time of the last packet.
        time_zone: IANA name of the scenario's local time.
        utc_offset_s: its offset from UTC during the run, in s.
    """

    virtual_start: datetime
    virtual_end: datetime
    wall_start: datetime
    wall_end: datetime
    time_zone: str
    utc_offset_s: int


class FolderManifest(Model):
    """Base of the manifests: each is the file :data:`MANIFEST` of the folder that it describes.

    Attributes:
        remedy: what would be right where it cannot be read, as the second half of a sentence.
    """

    remedy: ClassVar[str]

    def save(self, folder: Path) -> None:
        """Write it into its folder."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, place: Path) -> Self:
        """Read a manifest.

        Args:
            place: its folder, or the manifest itself.

        Raises:
            InputError: if the folder holds no manifest, or the file is none.
        """
        path = place if place.is_file() else place / MANIFEST
        return cls.check(read_text(path, cls.remedy), path)


class Manifest(FolderManifest):
    """The manifest of a finished run.

    Attributes:
        id: name of the run's folder.
        scenario: name of the scenario.
        seed: the seed from which the plan follows.
        engine: ``netns`` or ``compose``.
        shards: number of shards; on netns they ran at the same time.
        created: time at which the run was made, wall time, UTC.
        plan_digest: sha256 of the plan.
        semantic_digest: sha256 of the semantic trace: every reading with its client, value, time and fate.
        counts: numbers of packets, readings, episodes, acts, kernel drops and others.
        seconds: wall time that each stage took, in s.
        versions: version of each tool and library used.
        files: sha256 of every file that it seals, by path relative to the run's folder.
        commit: commit of the coldaisle that finished the run, followed by ``-dirty`` where files were changed; empty where there was no
            checkout.
        clocks: its clocks; ``None`` in runs of versions that did not record them.
        definition: the scenario itself in JSON, with the parameters of its site; ``None`` in runs of versions that did not keep it.
        left_out: kinds that the machine could not play; the plan is that of the scenario without their episodes.
        packages: for each kind of the plan that another package adds, the package and its version, such as ``frost==1.2``.
    """

    remedy = "name the folder of a finished run, such as runs/latest"

    id: str
    scenario: str
    seed: int
    engine: Engine
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
    packages: dict[str, str] = Field(default={})

    @property
    def made_by(self) -> str:
        """Version and commit of the coldaisle that made the run, and the packages that added kinds to it."""
        version = self.versions.get("coldaisle", "of unknown version")
        commit = [f"commit {self.commit}"] if self.commit else []
        return ", ".join([f"coldaisle {version}", *commit, *sorted(set(self.packages.values()))])

    def refuse_missing(self, place: Path | str) -> None:
        """Refuse a run with a kind of a package that is not installed here.

        Args:
            place: name of the manifest in the error.

        Raises:
            InputError: naming the package.
        """
        for kind, package in self.packages.items():
            if kind not in KINDS and kind not in DEVICES:
                remedy = (
                    f"{kind} is a kind of this package, which is not installed here: pip install {package}"
                )
                raise InputError(f"{place}: key packages.{kind}", remedy, package)


def instant(time_ns: int) -> datetime:
    """Return the instant of a time in ns since the epoch, UTC, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(run: Path) -> str:
    """Return the sha256 of a run's manifest, hex; it identifies the whole run.

    Raises:
        InputError: if the folder holds no manifest.
    """
    try:
        return sha256_of(run / MANIFEST)
    except OSError as error:
        raise InputError(run / MANIFEST, Manifest.remedy) from error
