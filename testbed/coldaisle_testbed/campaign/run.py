"""The command ``campaign run``: the folder, the driver and the report of progress."""

from contextlib import nullcontext
from pathlib import Path
from typing import get_args

from coldaisle_contracts.campaign import Size, Week, load_campaign_file
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster.addresses import checked
from coldaisle_testbed.campaign.cluster.driver import cluster_driver
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.local import LocalDriver
from coldaisle_testbed.campaign.outcome import Outcome
from coldaisle_testbed.campaign.playing import PARTS, play
from coldaisle_testbed.capacity import weeks_side_by_side
from coldaisle_testbed.progress import Progress


def run(
    file: Path, out: Path | None, runs: Path, workers: int | None, size: str, scheduler: str | None = None
) -> list[str]:
    """Play a campaign, and return what there is to say at the end.

    Args:
        file: file or folder of the campaign.
        out: its folder; by default a folder in ``runs`` with the campaign's name.
        runs: folder of the runs.
        workers: number of weeks at the same time; by default what this machine takes.
        size: part to play.
        scheduler: address of the scheduler whose workers play, or ``local``; by default this process plays.
    """
    if scheduler is not None:
        checked(scheduler)
    part = next((known for known in get_args(Size) if known == size), None)
    if part is None:
        raise InputError("--size", "use S, M or L", size)
    place = file if file.is_dir() else out or runs / f"campaign-{load_campaign_file(file).name}"
    folder, progress = folder_for(file, place), Progress()
    weeks = [week for week in folder.weeks if week.size in PARTS[part]]

    def said(week: Week, outcome: Outcome) -> None:
        count = sum(map(folder.is_done, weeks))
        about = f": {outcome.sentence}" if outcome.sentence else ""
        progress(f"{week.name} {outcome.ending}{about} ({count} of {len(weeks)} weeks done)")

    count = workers or weeks_side_by_side()
    with (
        nullcontext(LocalDriver(folder, count))
        if scheduler is None
        else cluster_driver(folder, scheduler, count) as driver
    ):
        play(folder, driver, part, said)
    return [f"{len(weeks)} weeks are done: {place}"]
