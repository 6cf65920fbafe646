"""The playing of a campaign: what is missing is attempted, what noise has spoiled is repeated a few times."""

import time
from collections import Counter
from contextlib import closing

from coldaisle_contracts.campaign import CampaignFolder, Size, Week
from coldaisle_contracts.errors import InputError, RunError
from coldaisle_testbed.campaign import records
from coldaisle_testbed.campaign.display import Display
from coldaisle_testbed.campaign.outcome import Driver, Outcome

ATTEMPTS = 3
"""Greatest number of attempts at a week in one call."""
WAIT_S = 2.0
"""Time between two looks at weeks that other runners play, in s."""
_PARTS: dict[Size, tuple[Size, ...]] = {"S": ("S",), "M": ("S", "M"), "L": ("S", "M", "L")}


def weeks_of(folder: CampaignFolder, size: Size) -> list[Week]:
    """Return the weeks of a size: S lies in M, and M in L."""
    return [week for week in folder.weeks if week.size in _PARTS[size]]


class Playing:
    """The playing of some weeks of a campaign.

    Args:
        folder: the campaign's folder.
        weeks: the weeks.
        display: shows what becomes of them.
    """

    def __init__(self, folder: CampaignFolder, weeks: list[Week], display: Display) -> None:
        self._folder, self._display = folder, display
        self._weeks = {week.digest: week for week in weeks}
        self._spoiled: Counter[str] = Counter()
        self._failed: dict[str, Outcome] = {}

    def play(self, driver: Driver) -> None:
        """Play the weeks that are missing; return when all are done, wherever they were played.

        Raises:
            InputError: if a machine refuses to play; what is done stays done.
            RunError: if weeks are missing after all attempts.
        """
        while missing := self._missing():
            with closing(driver.play(missing)) as outcomes:
                played = [self._take(outcome) for outcome in outcomes]
            self._display.look()
            if not any(played):
                time.sleep(WAIT_S)
        failed = [week for digest, week in self._weeks.items() if not self._folder.is_done(week)]
        if failed:
            first, more = failed[0], len(failed) - 1
            others = f"; {more} more failed" if more else ""
            words = self._failed[first.digest].sentence
            raise RunError(f"{first.name} failed: {words}{others}; the same command tries again")

    def _missing(self) -> list[Week]:
        return [
            week
            for digest, week in self._weeks.items()
            if digest not in self._failed and not self._folder.is_done(week)
        ]

    def _take(self, outcome: Outcome) -> bool:
        """Take note of an outcome; return whether a week was played."""
        if outcome.ending == "elsewhere":
            return False
        week = self._weeks[outcome.digest]
        records.write(self._folder, week, outcome)
        self._display.said(week, outcome)
        if outcome.ending == "refused":
            place, colon, remedy = outcome.sentence.partition(": ")
            raise InputError(place, remedy) if colon else InputError(outcome.host, outcome.sentence)
        self._spoiled[outcome.digest] += outcome.ending == "spoiled"
        if outcome.ending == "failed" or self._spoiled[outcome.digest] >= ATTEMPTS:
            self._failed[outcome.digest] = outcome
        return True
