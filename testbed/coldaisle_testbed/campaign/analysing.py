"""The analysis of a campaign: made in a hidden folder, sealed, and moved to its place, like that of a run."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldaisle_contracts.analyses import CampaignAnalysisManifest, refuse_sealed
from coldaisle_contracts.campaign import CampaignFolder, Size
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import digest_of, sha256_of
from coldaisle_testbed import analyses, provenance
from coldaisle_testbed.campaign.cluster.addresses import checked
from coldaisle_testbed.campaign.cluster.driver import EXTRA
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import refuse_full

if TYPE_CHECKING:
    from coldaisle_analysis.campaign import Against
    from coldaisle_analysis.campaign.fits import Mapper
    from coldaisle_analysis.campaign.results import CampaignMetrics

WITHIN: Mapping[Size, tuple[Size, ...]] = {"S": ("S",), "M": ("S", "M"), "L": ("S", "M", "L")}
"""The sizes of weeks that belong to a part of a campaign."""


@dataclass(frozen=True)
class Analysed:
    """A finished analysis.

    Attributes:
        folder: its folder.
        metrics: its results.
    """

    folder: Path
    metrics: "CampaignMetrics"

    def facts(self) -> dict[str, Any]:
        """Return what it tells as JSON: the folder, the weeks, and the best model of each level."""
        roles = {role: len(self.metrics[role]) for role in ("train", "validate", "test")}
        return {
            "out": str(self.folder),
            "weeks": roles,
            "missing": len(self.metrics["missing"]),
            "best": self._best(),
        }

    def _best(self) -> dict[str, dict[str, Any]]:
        from coldaisle_analysis.campaign.findings import best_of  # noqa: PLC0415 - takes long to import

        best = {}
        for level in dict.fromkeys(row["level"] for row in self.metrics["models"]):
            row = best_of([row for row in self.metrics["models"] if row["level"] == level])
            best[level] = {"model": row["model"], "f1": row["f1"], "interval": row["intervals"]["f1"]}
        return best

    def lines(self) -> list[str]:
        """Return the same as sentences."""
        best = [
            f"{level}: {row['model']} has F1 {row['f1']:.3f} (95 %: {row['interval'][0]:.3f} to {row['interval'][1]:.3f})"
            for level, row in self._best().items()
        ]
        return [*best, f"report: {self.folder / 'report' / 'index.html'}"]


def captures_of(
    pcaps: Sequence[Path] | None, labels: Sequence[Path] | None, utc_offset_s: int
) -> "Against | None":
    """Return labelled captures of somebody else; ``None`` where there are none.

    Raises:
        InputError: if there are captures without labels, or the other way.
    """
    if not pcaps and not labels:
        return None
    if not pcaps or not labels:
        raise InputError("--against", "give captures and their labels: --against FILE… --labels FILE…")
    from coldaisle_analysis.campaign import Against  # noqa: PLC0415

    return Against(tuple(pcaps), tuple(labels), utc_offset_s)


@contextmanager
def _mapper(scheduler: str | None, folder: Path) -> Iterator["Mapper"]:
    """Yield what does the jobs of an analysis: processes of this machine, or the workers of a scheduler.

    Raises:
        InputError: if Dask is not installed, or the scheduler cannot be used.
    """
    if scheduler is None:
        from coldaisle_analysis.workers import parallel_map  # noqa: PLC0415 - takes long to import

        yield parallel_map
        return
    checked(scheduler)
    try:
        from coldaisle_testbed.campaign.cluster.mapping import mapper_at  # noqa: PLC0415 - an extra
    except ImportError as error:
        remedy = f"it needs Dask ({error}): pip install 'coldaisle[{EXTRA}]'"
        raise InputError("--scheduler", remedy, scheduler) from error
    with mapper_at(scheduler, folder, os.cpu_count() or 1) as mapper:
        yield mapper


def analyse(
    folder: Path, size: Size, out: Path | None, against: "Against | None", scheduler: str | None = None
) -> Analysed:
    """Analyse a campaign; its weeks and its older analyses do not change.

    Args:
        folder: the campaign's folder.
        size: the part of it that counts.
        out: folder of the results; by default a new one in the campaign.
        against: labelled captures of somebody else.
        scheduler: address of the scheduler whose workers prepare weeks and fit models, or ``local``; by default this machine does.

    Raises:
        InputError: if it is no campaign, weeks are missing for a role, or the results cannot be written.
    """
    folder = folder.resolve()
    campaign, progress = CampaignFolder(folder), Progress()
    refuse_sealed(out)
    if out is not None:
        refuse_full(out)
    from coldaisle_analysis import campaign as learning  # noqa: PLC0415 - its imports take 3 s

    seconds: dict[str, float] = {}
    sizes = WITHIN[size]
    with _mapper(scheduler, folder) as mapper, analyses.making(folder, out) as stage:
        with progress.step("analysing", seconds, "analysis"):
            metrics = learning.analyse(folder, stage, progress, sizes=sizes, against=against, mapper=mapper)
        names = {*metrics["train"], *metrics["validate"], *metrics["test"]}
        _seal(stage, campaign, names, seconds, against)
        return Analysed(analyses.place(stage, folder, out), metrics)


def _seal(
    stage: Path,
    campaign: CampaignFolder,
    names: set[str],
    seconds: dict[str, float],
    against: "Against | None",
) -> None:
    """Write the manifest of an analysis."""
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    CampaignAnalysisManifest(
        campaign=campaign.file.name,
        created=datetime.now(UTC),
        seconds=seconds,
        versions=provenance.versions(),
        commit=provenance.commit(),
        weeks={week.name: digest_of(campaign.run_of(week)) for week in campaign.weeks if week.name in names},
        captures={path.name: sha256_of(path) for path in (against.pcaps if against else ())},
        files={str(path.relative_to(stage)): sha256_of(path) for path in files},
    ).save(stage)
