"""The analyses of a finished run: their folders and their manifests.

A run is sealed before it is analysed. Each analysis has a folder of its own, ``analyses/001`` and so on. ``analyses/latest`` is a link
to the newest one, and the documented paths, such as ``report/index.html``, are links through it.
"""

from datetime import datetime
from pathlib import Path

from pydantic import Field

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Files, FolderManifest

ANALYSES, LATEST, EXPORT = "analyses", "latest", "export"
PARTS = ("models", "report", "SCORECARD.json", "DATASHEET.md")
"""Parts of the newest analysis that have a link in the run's own folder."""


class AnalysisManifest(FolderManifest):
    """The manifest of an analysis.

    Attributes:
        run: id of the run that was analysed.
        run_manifest: sha256 of that run's manifest, which identifies the data that was analysed.
        created: time of the analysis, wall time, UTC.
        seconds: wall time that each stage took, in s.
        versions: version of each tool and library used.
        commit: commit of the coldaisle that made it, as in the run's manifest.
        tuned: whether every model was tuned first.
        weeks: other runs on which models were tried: the sha256 of each manifest, by the id of the run.
        files: sha256 of every file of the analysis but this one.
    """

    remedy = "every analysis has one: remove this one, and analyse the run again"

    run: str
    run_manifest: str
    created: datetime
    seconds: dict[str, float]
    versions: dict[str, str]
    commit: str
    tuned: bool = False
    weeks: dict[str, str] = Field(default={})
    files: Files


class CampaignAnalysisManifest(FolderManifest):
    """The manifest of an analysis of a campaign.

    Attributes:
        campaign: name of the campaign.
        created: time of the analysis, wall time, UTC.
        seconds: wall time that each stage took, in s.
        versions: version of each tool and library used.
        commit: commit of the coldaisle that made it, as in a run's manifest.
        weeks: the weeks it used: the sha256 of each one's manifest, by the name of the week.
        captures: labelled captures of somebody else that models were tried on: the sha256 of each, by its file's name.
        files: sha256 of every file of the analysis but this one.
    """

    remedy = "every analysis has one: remove this one, and analyse the campaign again"

    campaign: str
    created: datetime
    seconds: dict[str, float]
    versions: dict[str, str]
    commit: str
    weeks: dict[str, str]
    captures: dict[str, str] = Field(default={})
    files: Files


def analyses_of(run: Path) -> list[Path]:
    """Return the folders of a run's analyses, oldest first, without the hidden ones of analyses that are being made."""
    return sorted(path for path in (run / ANALYSES).glob("[!.]*") if path.is_dir() and not path.is_symlink())


def sealed_around(path: Path) -> Path | None:
    """Return the finished run whose folder holds a path, ``None`` where there is none.

    The run's folder for exports may be written to, so a path in it counts as outside.
    """
    whole = path.resolve()
    for folder in (whole, *whole.parents):
        if (folder / MANIFEST).is_file() and (folder / "plan.json").is_file():
            return None if EXPORT in whole.relative_to(folder).parts[:1] else folder
    return None


def refuse_sealed(out: Path | None, place: str = "--out") -> None:
    """Refuse to write into a finished run.

    Raises:
        InputError: naming the run.
    """
    if out is not None and (run := sealed_around(out)) is not None:
        remedy = f"it lies in the finished run {run}, which may not change: name another place"
        raise InputError(place, remedy, str(out))
