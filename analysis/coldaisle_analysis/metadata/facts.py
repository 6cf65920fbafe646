"""The facts for the descriptions of a run: its manifest, plan and levels, and the results of its audit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS, Column, Level, columns_of_run
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.publish import Author, Publish

OWN = Publish(authors=(Author(name="The coldaisle authors"),), licence="MIT")
"""The publisher of a run whose scenario does not name one."""
ROWS: dict[Level, str] = {
    "packets": "frame captured beside the broker",
    "messages": "MQTT control packet",
    "readings": "planned reading, removed ones included",
    "flows": "bidirectional flow of TCP or UDP",
    "windows": "sensor and interval of time",
}
"""The unit of a row of each level."""


@dataclass(frozen=True)
class Facts:
    """All facts that the descriptions of a run state.

    Attributes:
        manifest: the run's manifest.
        digest: the sha256 of that manifest, hex.
        plan: its plan.
        rows: number of rows of each level.
        sizes: size of every file of the manifest and of the manifest itself, in bytes.
        checks: the audit's checks, each a row of the scorecard; none where there was no audit.
    """

    manifest: Manifest
    digest: str
    plan: Plan
    rows: dict[Level, int]
    sizes: dict[str, int]
    checks: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, run: Path, manifest: Manifest, checks: Sequence[Mapping[str, Any]] = ()) -> Self:
        """Collect the facts of a run.

        Args:
            run: its folder, with plan, dataset and manifest.
            manifest: its manifest.
            checks: the checks of its audit, see :attr:`checks`.

        Raises:
            InputError: if plan, dataset or manifest cannot be read.
        """
        return cls(
            manifest=manifest,
            digest=digest_of(run),
            plan=Plan.load(run / "plan.json"),
            rows={level: tables.rows_of(run / "dataset" / f"{level}.parquet") for level in LEVELS},
            sizes={name: (run / name).stat().st_size for name in (*manifest.files, MANIFEST)},
            checks=checks,
        )

    def columns_of(self, level: Level) -> tuple[Column, ...]:
        """Return the columns of a level of the run."""
        tls = self.plan.scenario.site.broker.tls is not None
        return columns_of_run(level, tls=tls, chained=bool(self.plan.steps))

    @property
    def kinds(self) -> Counter[str]:
        """Episodes of each kind, in the order of the taxonomy."""
        played = Counter(episode.kind for episode in self.plan.episodes)
        return Counter({kind: played[kind] for kind in KINDS.in_order(played)})

    @property
    def benign(self) -> int:
        """Episodes that are no attack."""
        return sum(count for kind, count in self.kinds.items() if KINDS[kind].benign)

    @property
    def techniques(self) -> list[str]:
        """Techniques of ATT&CK for ICS that were played, sorted."""
        return sorted({KINDS[kind].technique for kind in self.kinds} - {""})

    @property
    def publish(self) -> Publish:
        """The publisher of the run, by default coldaisle's authors."""
        return self.plan.scenario.publish or OWN

    @property
    def title(self) -> str:
        """Title of the data set."""
        return self.publish.title or f"coldaisle, run {self.manifest.id}"

    @property
    def doi(self) -> str:
        """The address of the DOI of the data set, empty if it has none."""
        return self.publish.doi_url

    @property
    def tools(self) -> list[str]:
        """Each tool and library used with its version, sorted."""
        return [f"{name} {version}" for name, version in sorted(self.manifest.versions.items())]

    @property
    def year(self) -> int:
        """Year of publication."""
        return self.publish.year or self.manifest.created.year

    @property
    def setting(self) -> str:
        """The setting of the run, as a part of a sentence."""
        scenario, units = self.plan.scenario, self.plan.units.values()
        versions = ", ".join(sorted({unit.dialect.version for unit in units}))
        beside = f", beside {scenario.site.beside}" if scenario.site.beside else ""
        return (
            f"{len(units)} cooling units with four temperature sensors each, a reading every "
            f"{scenario.intervals} over MQTT {versions}, for {scenario.duration_h:g} h from {scenario.first_day} "
            f"({scenario.time_zone}){beside}"
        )
