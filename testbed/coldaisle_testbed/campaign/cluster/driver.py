"""The driver of many machines, see :class:`coldaisle_testbed.campaign.outcome.Driver`."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from coldaisle_contracts.campaign import CampaignFolder, Week
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster.dealing import Dealer, Pool
from coldaisle_testbed.campaign.outcome import Outcome

EXTRA = "dask"
"""The extra of the package that brings what this driver needs."""


class ClusterDriver:
    """Driver that has weeks played by workers.

    Args:
        folder: the campaign's folder.
        pool: the workers.
    """

    def __init__(self, folder: CampaignFolder, pool: Pool) -> None:
        self._folder, self._dealer = folder, Dealer(pool)

    def play(self, weeks: Sequence[Week]) -> Generator[Outcome, None, None]:
        """Attempt each week once.

        Raises:
            InputError: when all is done that can be, if a worker refused to play.
        """
        yield from self._dealer.deal([week.digest for week in weeks])
        if self._dealer.struck_off and all(map(self._folder.is_done, weeks)):
            worker, outcome = next(iter(self._dealer.struck_off.items()))
            remedy = f"{outcome.sentence} (the other workers played what it did not)"
            raise InputError(f"worker {worker} on {outcome.host}", remedy)


@contextmanager
def cluster_driver(folder: CampaignFolder, address: str, workers: int) -> Iterator[ClusterDriver]:
    """Return the driver of a scheduler's workers; in the end, stop what they play.

    Args:
        folder: the campaign's folder.
        address: address of the scheduler, or ``local``.
        workers: number of workers where they are to be started.

    Raises:
        InputError: if Dask is not installed, or the scheduler cannot be used.
    """
    try:
        from coldaisle_testbed.campaign.cluster.dask_pool import pool_at  # noqa: PLC0415 - an extra
    except ImportError as error:
        remedy = f"it needs Dask ({error}): pip install 'coldaisle[{EXTRA}]'"
        raise InputError("--scheduler", remedy, address) from error
    with pool_at(address, Path(folder.path), workers) as pool:
        yield ClusterDriver(folder, pool)
