"""The folder that the desk shows: runs, runs in the making and campaigns, found by the names in addresses."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts.campaign import TASKS, WEEKS, CampaignFolder
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST

ALARMS = "alarms"
"""Folder beside the runs in which ``coldaisle live`` keeps its alarms."""
PLAN, SHARDS = "plan.json", "shards"
_OF_CAMPAIGN = ":"
"""Stands in a name between a campaign and the folder of one of its weeks."""


@dataclass(frozen=True)
class Place:
    """Where a run lies.

    Attributes:
        name: its name in addresses: that of its final folder, for a week ``CAMPAIGN:FOLDER``.
        final: the folder that it has when it is finished.
    """

    name: str
    final: Path

    @property
    def stage(self) -> Path:
        """The hidden folder in which it is made."""
        return self.final.with_name(f".{self.final.name}")

    @property
    def folder(self) -> Path | None:
        """The folder it has now: the final one, else the hidden one, else ``None``."""
        return next((folder for folder in (self.final, self.stage) if is_run(folder)), None)

    @property
    def alarms(self) -> Path:
        """The folder in which ``coldaisle live`` keeps its alarms by default."""
        return self.final.parent / ALARMS / self.final.name


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds a run, finished or in the making."""
    return (folder / PLAN).is_file() or (folder / SHARDS).is_dir()


@dataclass(frozen=True)
class Shelf:
    """A folder of runs.

    Args:
        folder: the folder.
        only: name of the one run or campaign in it that is shown; all where it is empty.
        is_held: tells whether a process works in a folder now.
    """

    folder: Path
    only: str = ""
    is_held: Callable[[Path], bool] = lambda _: True

    def place(self, name: str) -> Place | None:
        """Return where the run of a name lies or would lie; ``None`` for a name that is none."""
        campaign, _, week = name.rpartition(_OF_CAMPAIGN)
        if not all(map(_is_name, (campaign, week) if campaign else (week,))) or not self._shows(
            campaign or week
        ):
            return None
        if campaign:
            return Place(name, self.folder / campaign / WEEKS / week)
        return Place(name, self.folder / week)

    def campaign(self, name: str) -> CampaignFolder | None:
        """Return the campaign of a name, ``None`` where there is none that can be read."""
        if not _is_name(name) or not self._shows(name):
            return None
        try:
            return CampaignFolder(self.folder / name)
        except InputError:
            return None

    def runs(self) -> list[Place]:
        """Return the runs, the newest first: those in the making, then by the time of their manifest or plan."""
        names = {path.name.removeprefix(".") for path in self._folders() if is_run(path)}
        places = [Place(name, self.folder / name) for name in names if _is_name(name) and self._shows(name)]
        return sorted(places, key=_recency, reverse=True)

    def campaigns(self) -> list[str]:
        """Return the names of the campaigns."""
        return sorted(
            path.name for path in self._folders() if (path / TASKS).is_file() and self._shows(path.name)
        )

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.is_dir() and not path.is_symlink()]
        except OSError:
            return []

    def _shows(self, name: str) -> bool:
        return self.only in ("", name)


def _is_name(name: str) -> bool:
    return bool(name) and not name.startswith(".") and not set(name) & {"/", "\\", "\0"}


def _recency(place: Place) -> tuple[bool, float, str]:
    folder = place.folder
    times = [0.0]
    for name in (MANIFEST, PLAN):
        try:
            times.append((folder / name).stat().st_mtime if folder else 0.0)
        except OSError:
            continue
    return folder == place.stage, max(times), place.name
