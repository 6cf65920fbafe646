"""The driver of one machine: programs side by side, as many as its processors and its memory take."""

import select
from collections.abc import Generator, Sequence

from coldaisle_contracts.campaign import CampaignFolder, Week
from coldaisle_testbed.campaign.attempt import LOOK_S, Attempt
from coldaisle_testbed.campaign.outcome import Outcome


class LocalDriver:
    """Driver that plays weeks on this machine.

    Args:
        folder: the campaign's folder.
        workers: number of weeks at the same time.
    """

    def __init__(self, folder: CampaignFolder, workers: int) -> None:
        self._folder, self._workers = folder, workers

    def play(self, weeks: Sequence[Week]) -> Generator[Outcome, None, None]:
        """Attempt each week once, see :class:`~coldaisle_testbed.campaign.outcome.Driver`."""
        waiting, running = list(weeks), list[Attempt]()
        try:
            while waiting or running:
                while waiting and len(running) < self._workers:
                    running.append(Attempt(self._folder, waiting.pop(0)))
                for trying in list(running):
                    if outcome := trying.look():
                        running.remove(trying)
                        trying.end()
                        yield outcome
                        break  # and start the next week before another look
                else:
                    select.select([trying.watch for trying in running], [], [], LOOK_S)
        finally:
            for trying in running:
                trying.stop()
            for trying in running:
                trying.end()
