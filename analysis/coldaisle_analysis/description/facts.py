"""What a run's descriptions are made of: its manifest, its plan, its levels and, once it was audited, its scorecard."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan

SCORECARD = "SCORECARD.json"

ROWS: dict[Level, str] = {
    "packets": "a frame captured beside the broker",
    "messages": "an MQTT control packet",
    "readings": "a planned reading, removed ones included",
    "flows": "a bidirectional flow of TCP or UDP",
    "windows": "a sensor and interval of time",
}
"""What a row of each level is."""


@dataclass(frozen=True)
class Check:
    """One check of the audit.

    Attributes:
        id: its id, such as ``B6``.
        status: ``ok``, ``look`` or ``bad``.
        sentence: what was found.
    """

    id: str
    status: str
    sentence: str


@dataclass(frozen=True)
class Facts:
    """Everything the descriptions of a run say comes from here.

    Attributes:
        manifest: the run's manifest.
        plan: its plan.
        rows: how many rows each level has.
        sizes: size of every file of the manifest, bytes.
        checks: the audit's checks, none where there was no audit.
    """

    manifest: Manifest
    plan: Plan
    rows: dict[Level, int]
    sizes: dict[str, int]
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, run: Path, manifest: Manifest, dataset: Path | None = None) -> Self:
        """Collect the facts of a run.

        Args:
            run: its folder, with plan and dataset.
            manifest: its manifest, perhaps not yet written.
            dataset: where its dataset lies, if not yet in that folder.

        Raises:
            InputError: if plan, dataset or scorecard cannot be read.
        """
        tabled = dataset or run / "dataset"
        return cls(
            manifest=manifest,
            plan=Plan.load(run / "plan.json"),
            rows={level: tables.rows_of(tabled / f"{level}.parquet") for level in LEVELS},
            sizes={name: (run / name).stat().st_size for name in manifest.files},
            checks=_checks(run / SCORECARD),
        )

    @property
    def kinds(self) -> Counter[str]:
        """Episodes of each kind, in the order of the taxonomy."""
        played = Counter(episode.kind for episode in self.plan.episodes)
        return Counter({kind: played[kind] for kind in KINDS if played[kind]})

    @property
    def techniques(self) -> list[str]:
        """Techniques of ATT&CK for ICS that were played, sorted."""
        return sorted({KINDS[kind].technique for kind in self.kinds} - {""})

    @property
    def made_by(self) -> str:
        """What made the run: version and commit of coldaisle."""
        version = self.manifest.versions.get("coldaisle", "of unknown version")
        return f"coldaisle {version}" + (f", commit {self.manifest.commit}" if self.manifest.commit else "")

    @property
    def setting(self) -> str:
        """In a sentence, what was played."""
        scenario = self.plan.scenario
        return (
            f"{len(scenario.units)} cooling units with four temperature sensors each, a reading every "
            f"{scenario.interval_s:g} s over MQTT 3.1, for {scenario.duration_h:g} h from {scenario.first_day} "
            f"({scenario.time_zone})"
        )


def _checks(card: Path) -> tuple[Check, ...]:
    """Return the checks of a scorecard, none where there is none."""
    if not card.exists():
        return ()
    try:
        listed = json.loads(card.read_text(encoding="utf-8"))["checks"]
        return tuple(Check(str(each["id"]), str(each["status"]), str(each["sentence"])) for each in listed)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            card, "is not a scorecard with checks of id, status and sentence: audit the run again"
        ) from error
