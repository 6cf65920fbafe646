"""The playing of a campaign: what is missing is attempted, what noise has spoiled is repeated, and all of it is written down."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from coldaisle_contracts import texts
from coldaisle_contracts.campaign import CampaignFolder, Size, Week
from coldaisle_contracts.errors import InputError, RunError
from coldaisle_testbed.campaign.names import LOG, OUTCOMES
from coldaisle_testbed.campaign.outcome import Driver, Outcome

ATTEMPTS = 3
"""Greatest number of attempts at a week in one call."""
WAIT_S = 2.0
"""Time between two looks at weeks that other runners play, in s."""
PARTS: dict[Size, tuple[Size, ...]] = {"S": ("S",), "M": ("S", "M"), "L": ("S", "M", "L")}
"""The weeks of each size: S lies in M, and M in L."""


def play(
    folder: CampaignFolder,
    driver: Driver,
    size: Size,
    said: Callable[[Week, Outcome], None],
) -> None:
    """Play the weeks of a campaign that are missing; return when all are done, wherever they were played.

    Args:
        folder: the campaign's folder.
        driver: what plays them.
        size: the part of the campaign.
        said: called with each outcome that is none of another runner's.

    Raises:
        InputError: if a machine refuses to play; what is done stays done.
        RunError: if weeks are missing after all attempts.
    """
    weeks = {week.digest: week for week in folder.weeks if week.size in PARTS[size]}
    spoiled: Counter[str] = Counter()
    failed: dict[str, Outcome] = {}
    while missing := [
        week for digest, week in weeks.items() if digest not in failed and not folder.is_done(week)
    ]:
        played = False
        for outcome in driver.play(missing):
            if outcome.ending == "elsewhere":
                continue
            played = True
            write_down(folder, weeks[outcome.digest], outcome)
            said(weeks[outcome.digest], outcome)
            if outcome.ending == "refused":
                raise _refusal(outcome)
            spoiled[outcome.digest] += outcome.ending == "spoiled"
            if outcome.ending == "failed" or spoiled[outcome.digest] >= ATTEMPTS:
                failed[outcome.digest] = outcome
        if not played:
            time.sleep(WAIT_S)
    if failed:
        digest, outcome = next(iter(failed.items()))
        more = f", and {len(failed) - 1} more failed" if len(failed) > 1 else ""
        raise RunError(f"{weeks[digest].name} failed: {outcome.sentence}{more}; the same command tries again")


def _refusal(outcome: Outcome) -> InputError:
    place, colon, remedy = outcome.sentence.partition(": ")
    return InputError(place, remedy) if colon else InputError(outcome.host, outcome.sentence)


def write_down(folder: CampaignFolder, week: Week, outcome: Outcome) -> None:
    """Add an outcome to the campaign's log and to its outcomes, which have a file each, so that machines do not collide."""
    line = (
        f"{outcome.began:%Y-%m-%dT%H:%M:%SZ} {week.name} {outcome.ending} {week.digest} {outcome.seconds:.1f} s, "
        f"{outcome.cpu_s:.1f} s of CPU, load {outcome.load:.1f}, steal {outcome.steal:.1%}, {outcome.host}"
        f"{': ' if outcome.sentence else ''}{outcome.sentence}\n"
    )
    with suppress(OSError):  # a full disk: the command says it
        with (folder.path / LOG).open("a", encoding="utf-8") as log:
            log.write(line)
        (folder.path / OUTCOMES).mkdir(exist_ok=True)
        stamp = f"{outcome.began:%Y%m%d%H%M%S%f}"
        texts.write(
            folder.path / OUTCOMES / f"{week.digest}.{stamp}.json", outcome.model_dump_json(indent=1) + "\n"
        )
