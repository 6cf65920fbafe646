"""What came of the export of a campaign, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.weeks.facts import CampaignFacts

_MOST_NAMED = 8


@dataclass(frozen=True)
class Exported:
    """A campaign that was exported.

    Attributes:
        folder: folder of the data set.
        facts: what it holds.
        size: bytes of all its files.
        counts: how many checks of its scorecard have each status.
    """

    folder: Path
    facts: CampaignFacts
    size: int
    counts: dict[str, int]

    def sentences(self) -> Iterator[str]:
        """Yield what was written, what is missing, and what is to be known before it is published."""
        facts = self.facts
        weeks = ", ".join(f"{len(facts.of_role(role))} {role}" for role in facts.subsets)
        yield (
            f"{self.folder}: {len(facts.weeks)} week{'s' * (len(facts.weeks) != 1)} ({weeks}), {self.size / 1e6:,.1f} MB, "
            f"split {facts.split}"
        )
        if facts.missing:
            more = len(facts.missing) - _MOST_NAMED
            named = ", ".join(facts.missing[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield f"not played, and so not in it: {named}"
        yield f"scorecard: {', '.join(f'{count} {status}' for status, count in self.counts.items())}"
        if facts.publish is None:
            yield (
                "no licence, no authors: before you publish it, add a table [publish] to a scenario in the campaign's folder "
                "(docs/scenarios.md), and export again"
            )
