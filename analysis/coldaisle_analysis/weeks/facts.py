"""The facts that the descriptions of an exported campaign state: its weeks, their rows and episodes, and who publishes it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_analysis.metadata import responsible
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_analysis.weeks.splits import ROLES, Member
from coldaisle_contracts.campaign import SCENARIOS, Role, Size
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.publish import Publish, load_publish


@dataclass(frozen=True)
class WeekFacts:
    """What the descriptions say of a week.

    Attributes:
        role: its subset.
        member: its entry in the split.
        rows: rows of each level.
        attacks: rows of each level that are attacks.
        kinds: episodes of each kind that were played.
        setting: its setting, as a part of a sentence.
        made_by: version and commit of the coldaisle that made it.
        version: that version.
        tools: each tool and library used with its version.
        created: when it was made.
        captured: first and last instant of its captures in wall time.
        kernel_drops: packets that the kernel dropped.
    """

    role: Role
    member: Member
    rows: Mapping[Level, int]
    attacks: Mapping[Level, int]
    kinds: Mapping[str, int]
    setting: str
    made_by: str
    version: str
    tools: Sequence[str]
    created: datetime
    captured: Sequence[str]
    kernel_drops: int

    @classmethod
    def of(cls, role: Role, member: Member, facts: Facts, attacks: Mapping[Level, int]) -> Self:
        """Return the facts of a week.

        Args:
            role: its subset.
            member: its entry in the split.
            facts: the facts of its run.
            attacks: rows of each level that are attacks.
        """
        manifest = facts.manifest
        return cls(
            role=role,
            member=member,
            rows=facts.rows,
            attacks=attacks,
            kinds=facts.kinds,
            setting=facts.setting,
            made_by=manifest.made_by,
            version=manifest.versions.get("coldaisle", "0.0.0"),
            tools=facts.tools,
            created=manifest.created,
            captured=responsible.time_frame(manifest.clocks),
            kernel_drops=manifest.counts["kernel_drops"],
        )


@dataclass(frozen=True)
class CampaignFacts:
    """All facts that the descriptions of an exported campaign state.

    Attributes:
        name: name of the campaign.
        size: the part of it that is exported.
        weeks: its weeks, in the order of the tasks.
        missing: names of the weeks of that part that were not played.
        publish: who publishes it; ``None`` where no scenario says so.
        split: id of the split.
    """

    name: str
    size: Size
    weeks: Sequence[WeekFacts]
    missing: Sequence[str]
    publish: Publish | None
    split: str

    @property
    def title(self) -> str:
        """Title of the data set."""
        own = f"coldaisle campaign {self.name}, {len(self.weeks)} weeks"
        return (self.publish and self.publish.title) or own

    @property
    def key(self) -> str:
        """Its name as a key: of the entry in a bibliography, and of an archive."""
        return f"{self.name}-{self.size}"

    @property
    def rows(self) -> dict[Level, int]:
        """Rows of each level."""
        return {level: sum(week.rows[level] for week in self.weeks) for level in LEVELS}

    @property
    def attacks(self) -> dict[Level, int]:
        """Rows of each level that are attacks."""
        return {level: sum(week.attacks[level] for week in self.weeks) for level in LEVELS}

    @property
    def created(self) -> datetime:
        """When its last week was made."""
        return max(week.created for week in self.weeks)

    @property
    def year(self) -> int:
        """Year of publication."""
        return (self.publish and self.publish.year) or self.created.year

    @property
    def released(self) -> str:
        """Date of publication as far as it is known: the day its last week was made, or another year alone."""
        return f"{self.created:%Y-%m-%d}" if self.year == self.created.year else str(self.year)

    @property
    def version(self) -> str:
        """Version of the data set, by default that of the newest coldaisle that made a week."""
        newest = max(self.weeks, key=lambda week: week.created)
        return (self.publish and self.publish.version) or newest.version

    @property
    def made_by(self) -> list[str]:
        """Versions and commits of coldaisle that made its weeks, sorted."""
        return sorted({week.made_by for week in self.weeks})

    @property
    def tools(self) -> list[str]:
        """Each tool and library used with its versions, sorted."""
        return sorted({tool for week in self.weeks for tool in week.tools})

    @property
    def settings(self) -> dict[str, str]:
        """The setting of each scenario, by its name."""
        return {week.member.scenario: week.setting for week in self.weeks}

    @property
    def techniques(self) -> list[str]:
        """Techniques of ATT&CK for ICS that were played, sorted."""
        return sorted({KINDS[kind].technique for kind in self.kinds()} - {""})

    @property
    def captured(self) -> list[str]:
        """First and last instant of all captures in wall time."""
        instants = sorted(instant for week in self.weeks for instant in week.captured)
        return [instants[0], instants[-1]] if instants else []

    def of_role(self, role: Role) -> list[WeekFacts]:
        """Return the weeks of a subset."""
        return [week for week in self.weeks if week.role == role]

    def kinds(self, role: Role | None = None) -> Counter[str]:
        """Return the episodes of each kind in a subset, or in all, in the order of the taxonomy."""
        played: Counter[str] = Counter()
        for week in self.weeks:
            if role in (None, week.role):
                played.update(week.kinds)
        return Counter({kind: played[kind] for kind in KINDS.in_order(played)})

    @property
    def subsets(self) -> list[Role]:
        """The subsets that have weeks."""
        return [role for role in ROLES if self.of_role(role)]


def publisher(campaign: Path, scenarios: Iterable[str]) -> Publish | None:
    """Return who publishes a campaign, from the table ``[publish]`` of its scenarios; ``None`` where none of them has one.

    The table does not change a run, so it may be added to the campaign's own copies when all is played.

    Args:
        campaign: the campaign's folder.
        scenarios: names of its scenarios.

    Raises:
        InputError: if a scenario cannot be read, or two of them differ in this table.
    """
    first: tuple[Path, Publish] | None = None
    for name in scenarios:
        path = campaign / SCENARIOS / f"{name}.toml"
        publish = load_publish(path)
        if publish is None:
            continue
        if first is not None and publish != first[1]:
            remedy = (
                f"it differs from that of {first[0].name}, and a data set has one: write the same in both"
            )
            raise InputError(f"{path}: table publish", remedy)
        first = (path, publish)
    return first and first[1]
