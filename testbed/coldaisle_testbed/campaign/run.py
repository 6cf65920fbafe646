"""The command ``campaign run``: the folder, the driver and what is shown."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from coldaisle_contracts.campaign import CampaignFolder, Size, load_campaign_file
from coldaisle_testbed.campaign.cluster.addresses import checked
from coldaisle_testbed.campaign.cluster.driver import cluster_driver
from coldaisle_testbed.campaign.display import Display
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.local import LocalDriver
from coldaisle_testbed.campaign.outcome import Driver
from coldaisle_testbed.campaign.playing import Playing, weeks_of
from coldaisle_testbed.capacity import weeks_side_by_side


def run(
    file: Path, out: Path | None, runs: Path, workers: int | None, size: Size, scheduler: str | None = None
) -> list[str]:
    """Play a campaign, and return what there is to say at the end.

    Args:
        file: file or folder of the campaign.
        out: its folder; by default a folder in ``runs`` with the campaign's name.
        runs: folder of the runs.
        workers: number of weeks at the same time; by default what this machine takes.
        size: part to play.
        scheduler: address of the scheduler whose workers play, or ``local``; by default this process plays.

    Raises:
        InputError: if the campaign or the folder is not valid, or a machine cannot play.
        RunError: if weeks are missing after all attempts.
    """
    if scheduler is not None:
        checked(scheduler)
    place = file if file.is_dir() else out or runs / f"campaign-{load_campaign_file(file).name}"
    folder = folder_for(file, place)
    weeks = weeks_of(folder, size)
    with _driver(folder, workers, scheduler) as driver, Display(folder, weeks) as display:
        Playing(folder, weeks, display).play(driver)
    return [f"{len(weeks)} weeks are done: {place}"]


def _driver(
    folder: CampaignFolder, workers: int | None, scheduler: str | None
) -> AbstractContextManager[Driver]:
    count = workers or weeks_side_by_side()
    if scheduler is None:
        return nullcontext(LocalDriver(folder, count))
    return cluster_driver(folder, scheduler, count)
