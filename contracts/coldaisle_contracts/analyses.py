"""Analyses of a finished run: where they lie in its folder, and what each says of itself.

A run is sealed before anything is concluded from it. Each analysis is a folder of its own, ``analyses/001`` and on; ``analyses/latest``
is a link to the newest, and the paths everybody knows, such as ``report/index.html``, lead through that.
"""

from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Files
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.validation import first_problem

ANALYSES, LATEST, EXPORT = "analyses", "latest", "export"
PARTS = ("models", "report", "SCORECARD.json", "DATASHEET.md")
"""What of the newest analysis has a link in the run's own folder."""


class AnalysisManifest(BaseModel):
    """What an analysis says of itself.

    Attributes:
        run: id of the run that was analysed.
        run_manifest: sha256 of that run's manifest, which says exactly what was analysed.
        created: when, wall time, UTC.
        seconds: wall time each stage took, s.
        versions: version of each tool and library used.
        commit: the commit of coldaisle's source that made it, as in the run's manifest.
        tuned: whether every model was tuned first.
        weeks: other runs that models were tried on: the sha256 of each one's manifest, by its id.
        files: sha256 of every file of the analysis but this one.
    """

    model_config = ConfigDict(extra="forbid")

    run: str
    run_manifest: str
    created: datetime
    seconds: dict[str, float]
    versions: dict[str, str]
    commit: str
    tuned: bool = False
    weeks: dict[str, str] = {}
    files: Files

    def save(self, folder: Path) -> None:
        """Write it into an analysis' folder."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest of an analysis.

        Raises:
            InputError: if the folder holds none or it is not one.
        """
        path = folder / MANIFEST
        text = read_text(path, "every analysis has one: remove this one, and analyse the run again")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise first_problem(path, error) from error


def analyses_of(run: Path) -> list[Path]:
    """Return the folders of a run's analyses, oldest first; those being made are hidden and not among them."""
    return sorted(path for path in (run / ANALYSES).glob("[!.]*") if path.is_dir() and not path.is_symlink())


def sealed_around(path: Path) -> Path | None:
    """Return the finished run that a path leads into, ``None`` where it leads into none.

    A run's folder for exports and what lies outside of runs are free to write to.
    """
    whole = path.resolve()
    for folder in (whole, *whole.parents):
        if (folder / MANIFEST).is_file() and (folder / "plan.json").is_file():
            return None if EXPORT in whole.relative_to(folder).parts[:1] else folder
    return None


def refuse_sealed(out: Path | None, place: str = "--out") -> None:
    """Refuse a folder or file to write to that lies in a finished run.

    Raises:
        InputError: naming the run.
    """
    if out is not None and (run := sealed_around(out)) is not None:
        raise InputError(
            place, f"lies in the finished run {run}, which stays as it is: name another place", str(out)
        )
