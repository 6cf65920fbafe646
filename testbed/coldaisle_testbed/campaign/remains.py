"""The campaigns in a folder of runs, and what runners of them that were killed have left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts.campaign import MAKING, TASKS, CampaignFolder
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign import claims
from coldaisle_testbed.leftovers import Leftover, size_of


@dataclass(frozen=True)
class ListedCampaign:
    """A campaign in the list of runs; its attributes are keys of ``runs --json``.

    Attributes:
        campaign: name of its folder.
        done: number of its weeks that were played; ``None`` of a broken folder.
        weeks: number of its weeks; ``None`` of a broken folder.
        size: of its folder, in bytes.
        problem: why it cannot be read; ``None`` where it can.
    """

    campaign: str
    done: int | None
    weeks: int | None
    size: int
    problem: str | None = None

    def __str__(self) -> str:
        state = self.problem or f"campaign, {self.done} of {self.weeks} weeks done, {self.size / 1e6:,.0f} MB"
        return f"{self.campaign}: {state}"


def campaigns(runs: Path) -> list[ListedCampaign]:
    """Return the campaigns in a folder of runs, in order of their names."""
    return [_listed(path) for path in _folders(runs) if path != runs]


def _listed(path: Path) -> ListedCampaign:
    size = size_of(path)
    try:
        folder = CampaignFolder(path)
    except InputError as error:
        return ListedCampaign(path.name, None, None, size, str(error))
    return ListedCampaign(path.name, len(folder.done()), len(folder.weeks), size)


def find(runs: Path) -> list[Leftover]:
    """Return the leftovers of the campaigns in a folder of runs, and of the campaign that the folder itself is."""
    return [leftover for folder in _folders(runs) for leftover in _in_campaign(folder)]


def _folders(runs: Path) -> list[Path]:
    return [path.parent for path in (runs / TASKS, *sorted(runs.glob(f"[!.]*/{TASKS}"))) if path.is_file()]


def _in_campaign(folder: Path) -> Iterator[Leftover]:
    for place in sorted((folder / MAKING).glob("*")):
        machine = claims.holder(folder, place.name.partition(".")[0])
        if machine:
            yield Leftover((place,), f"a week that is being played on {machine}", busy=True)
        else:
            yield Leftover((place,), "the beginning of a week", f"coldaisle campaign run {folder}")
