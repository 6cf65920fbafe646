"""The frozen split of an exported campaign: which week is on which side, in a file for each subset."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import StringConstraints

from coldaisle_contracts.campaign import Role, Week
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.validation import Model

SPLITS = "splits"
"""The folder of the split in an exported campaign."""
ROLES: tuple[Role, ...] = get_args(Role)
"""The subsets of a campaign."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Member(Model):
    """A week of a subset.

    Attributes:
        week: its name, such as ``week-3``, which is also the name of its folders.
        scenario: name of its scenario.
        seed: its seed.
        digest: its name in the campaign.
        plan_digest: sha256 of its plan, equal for every play of it.
        semantic_digest: sha256 of what became of every reading and act, likewise.
        manifest: sha256 of the manifest of the run that the rows are from, which no other run has.
    """

    week: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")]
    scenario: str
    seed: int
    digest: str
    plan_digest: Sha256
    semantic_digest: Sha256
    manifest: Sha256

    @classmethod
    def of(cls, week: Week, manifest: Manifest, digest: str) -> Self:
        """Return the entry of a week.

        Args:
            week: the week.
            manifest: the manifest of its run.
            digest: the sha256 of that manifest.

        Raises:
            InputError: if the name of its scenario cannot be part of a path.
        """
        content = {
            "week": week.name,
            "scenario": week.scenario,
            "seed": week.seed,
            "digest": week.digest,
            "plan_digest": manifest.plan_digest,
            "semantic_digest": manifest.semantic_digest,
            "manifest": digest,
        }
        return cls.check(content, f"week {week.name}")


class SubsetFile(Model):
    """The file of a subset, ``splits/train.json`` and so on.

    Attributes:
        split: id of the split, the same in the files of all subsets.
        subset: name of the subset.
        weeks: its weeks, in the order of the campaign.
    """

    split: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    subset: Role
    weeks: tuple[Member, ...]

    @classmethod
    def load(cls, export: Path, subset: Role) -> Self:
        """Read the file of a subset of an exported campaign.

        Raises:
            InputError: if it cannot be read, or is that of another subset.
        """
        path, remedy = _path(export, subset), "export the campaign again with `coldaisle campaign export`"
        file = cls.check(read_text(path, remedy), path)
        if file.subset != subset:
            raise InputError(f"{path}: key subset", remedy, file.subset)
        return file


def split_id(subsets: Mapping[Role, Sequence[Member]]) -> str:
    """Return the id of a split, 16 hexadecimal digits: it follows from the plans of the weeks and their subsets, and from nothing else.

    So the same weeks, played again on any machine, have the same id.
    """
    lines = sorted(f"{subset} {week.plan_digest}\n" for subset, weeks in subsets.items() for week in weeks)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def write(export: Path, weeks: Iterable[tuple[Role, Member]]) -> str:
    """Write the files of all subsets into a folder, those without weeks, too, and return the id of the split.

    Raises:
        OSError: if the folder cannot be written to.
    """
    subsets: dict[Role, list[Member]] = {role: [] for role in ROLES}
    for role, member in weeks:
        subsets[role].append(member)
    split = split_id(subsets)
    (export / SPLITS).mkdir()
    for role, members in subsets.items():
        file = SubsetFile(split=split, subset=role, weeks=tuple(members))
        _path(export, role).write_text(file.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return split


def _path(export: Path, subset: Role) -> Path:
    return export / SPLITS / f"{subset}.json"
