"""The weeks of a campaign that an analysis uses, by role."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from coldaisle_analysis.weeks import CampaignData
from coldaisle_contracts.campaign import Role, Size, Week
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

ROLES: tuple[Role, ...] = get_args(Role)
_NEEDED = {
    "train": "there is nothing to learn from",
    "validate": "thresholds are set on them",
    "test": "models are tested on them",
}


@dataclass(frozen=True)
class Selection:
    """The weeks of an analysis.

    Attributes:
        by_role: the weeks of each role, in order of their seeds, so that scenarios take turns.
        manifests: the manifest of each week, by its digest.
        missing: weeks that belong to the campaign and were not played.
    """

    by_role: dict[Role, tuple[Week, ...]]
    manifests: dict[str, Manifest]
    missing: tuple[Week, ...]

    @property
    def weeks(self) -> tuple[Week, ...]:
        """Return all weeks: those of training, then those of validation, then those of the test."""
        return tuple(week for role in ROLES for week in self.by_role[role])

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Return the names of the scenarios, in the order of their first weeks."""
        return tuple(dict.fromkeys(week.scenario for week in self.weeks))

    def of(self, *roles: Role, scenario: str | None = None) -> tuple[Week, ...]:
        """Return the weeks of some roles, of all scenarios or of one."""
        return tuple(
            week for role in roles for week in self.by_role[role] if scenario in (None, week.scenario)
        )

    def site_of(self, week: Week) -> str:
        """Return the name of a week's installation: scenarios with the same units and the same site parameters share one.

        It is the name of the first scenario that has it.
        """
        names: dict[str, str] = {}
        for other in self.weeks:
            names.setdefault(self._installation(other), other.scenario)
        return names[self._installation(week)]

    def _installation(self, week: Week) -> str:
        definition = self.manifests[week.digest].definition
        if definition is None:
            return week.scenario
        return json.dumps([definition.get("units"), definition.get("site")], sort_keys=True)


def select(data: CampaignData, sizes: Sequence[Size]) -> Selection:
    """Return the weeks of an analysis of a campaign.

    Args:
        data: the campaign.
        sizes: the sizes that count.

    Raises:
        InputError: if a role has no week, or none that was played, or weeks were made by different versions of coldaisle.
    """
    by_role = {
        role: tuple(sorted(data.weeks(role, sizes=sizes), key=lambda week: week.seed)) for role in ROLES
    }
    missing = data.missing(sizes)
    for role, weeks in by_role.items():
        if not weeks:
            waiting = [week.name for week in missing if week.role == role]
            remedy = f"none of its {role} weeks was played: run the campaign first, {_NEEDED[role]}"
            if not waiting:
                part = "" if set(sizes) == set(get_args(Size)) else f" of size {max(sizes)}"
                remedy = f"it has no {role} week{part}: name some under [roles], {_NEEDED[role]}"
            raise InputError(data.folder.path, remedy, waiting[0] if waiting else None)
    manifests = {week.digest: data.manifest(week) for weeks in by_role.values() for week in weeks}
    _refuse_mixed(data, manifests)
    return Selection(by_role, manifests, tuple(missing))


def _refuse_mixed(data: CampaignData, manifests: dict[str, Manifest]) -> None:
    """Refuse weeks of different versions of coldaisle: their columns may mean different things.

    Raises:
        InputError: naming a week of the version that fewer weeks have.
    """
    versions = {
        digest: manifest.versions.get("coldaisle", "unknown") for digest, manifest in manifests.items()
    }
    usual = _most_common(versions.values())
    for week in data.folder.weeks:
        if versions.get(week.digest, usual) != usual:
            remedy = f"it was played by coldaisle {versions[week.digest]}, the others by {usual}: remove it, and run the campaign again"
            raise InputError(data.folder.run_of(week), remedy, week.name)


def _most_common(values: Iterable[str]) -> str:
    counted = list(values)
    return max(sorted(set(counted)), key=counted.count)
