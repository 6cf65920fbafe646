"""What is written down of a campaign: a line in its log for each attempt, and each outcome as a file of its own."""

from contextlib import suppress

from coldaisle_contracts import texts
from coldaisle_contracts.campaign import CampaignFolder, Week
from coldaisle_contracts.errors import plain
from coldaisle_testbed.campaign.names import LOG, OUTCOMES
from coldaisle_testbed.campaign.outcome import Outcome


def line(week: Week, outcome: Outcome) -> str:
    """Return the line of the log for an attempt."""
    facts = (
        f"{outcome.began:%Y-%m-%dT%H:%M:%SZ} {week.name} {outcome.ending} {week.digest}: {outcome.seconds:.1f} s, "
        f"{outcome.cpu_s:.1f} s of CPU, load {outcome.load:.1f}, steal {outcome.steal:.1%}, {outcome.host}"
    )
    return plain(f"{facts}: {outcome.sentence}" if outcome.sentence else facts)


def write(folder: CampaignFolder, week: Week, outcome: Outcome) -> None:
    """Write an outcome down, unless it is: whoever plays a week does it, and the campaign for a player that could not.

    Lines that two machines add at the same moment may collide on a file server; the files of the outcomes cannot.
    """
    outcomes = folder.path / OUTCOMES
    file = outcomes / f"{week.digest}.{outcome.began:%Y%m%d%H%M%S%f}.json"
    with suppress(OSError):  # a full disk: the outcome itself says it
        if not file.exists():
            outcomes.mkdir(exist_ok=True)
            texts.write(file, outcome.model_dump_json(indent=1) + "\n")
            with (folder.path / LOG).open("a", encoding="utf-8") as log:
                log.write(line(week, outcome) + "\n")


def outcomes(folder: CampaignFolder) -> list[Outcome]:
    """Return the outcomes of all attempts, in order of their beginning.

    Raises:
        InputError: if a file is none.
    """
    files = (folder.path / OUTCOMES).glob("[!.]*.json")
    read = [Outcome.check(texts.read_text(file, "remove it"), file) for file in files]
    return sorted(read, key=lambda outcome: outcome.began)
