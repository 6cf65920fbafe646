"""What becomes of an attempt to play a week, and what plays many of them: the seam between a campaign and its machines."""

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from coldaisle_contracts.campaign import Week
from coldaisle_contracts.validation import Model

Ending = Literal["done", "elsewhere", "spoiled", "failed", "refused"]
"""How an attempt ended.

* ``done``: the week was played, and its run is verified and lies in its place.
* ``elsewhere``: another runner plays the week at this moment or has played it; nothing was done here, and nothing is written down.
* ``spoiled``: the run was not trustworthy, or its processes were killed; it is worth a repetition.
* ``failed``: an error that a repetition would meet again.
* ``refused``: this machine or its user cannot play it, as when a disk is full: no other week would do better.
"""


class Outcome(Model):
    """Outcome of one attempt to play a week; it crosses machines as JSON.

    Attributes:
        digest: name of the week.
        ending: how it ended.
        sentence: what was wrong, as the command said it; empty where nothing was.
        host: name of the machine.
        began: when it began, UTC.
        seconds: wall time, in s.
        cpu_s: processor time of all its processes, in s.
        load: mean load average of the machine meanwhile.
        steal: share of processor time that the host of a virtual machine gave to others meanwhile, 0 to 1.
    """

    digest: str
    ending: Ending
    sentence: str = ""
    host: str
    began: datetime
    seconds: float = 0.0
    cpu_s: float = 0.0
    load: float = 0.0
    steal: float = 0.0


class Driver(Protocol):
    """Something that plays weeks side by side: processes of this machine, or workers on many."""

    def play(self, weeks: Sequence[Week]) -> Generator[Outcome, None, None]:
        """Attempt each week once, in any order, and yield each outcome as soon as it is known.

        An attempt is :func:`coldaisle_testbed.campaign.attempt.attempt`, wherever it runs: it alone claims the week, plays it beside
        its place, verifies it and moves it there. So a driver may lose attempts and begin them again; the campaign calls it again with the
        weeks that are still missing. When the generator is closed early, the driver ends what it started.

        Args:
            weeks: weeks of the campaign's folder that are not done.

        Yields:
            One outcome for each week.

        Raises:
            ColdaisleError: if it can play nothing at all, as where it has no worker.
        """
        ...
