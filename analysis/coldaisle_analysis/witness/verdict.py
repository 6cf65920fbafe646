"""The verdict of the witness on a frame, and its doubts."""

from dataclasses import dataclass
from typing import NamedTuple

from coldaisle_contracts.plan import Episode

KERNEL = "kernel"


class Verdict(NamedTuple):
    """The label of a frame.

    Attributes:
        label: 1 for part of an attack.
        benign: 1 for part of a benign anomaly.
        episode: the episode it is part of; empty where both are 0.
    """

    label: int = 0
    benign: int = 0
    episode: str = ""


NORMAL = Verdict()


def part_of(episode: Episode) -> Verdict:
    """Return the verdict on a frame that is part of an episode."""
    benign = episode.row.benign
    return Verdict(int(not benign), int(benign), episode.id)


@dataclass(frozen=True)
class Doubt:
    """Something that the witness cannot explain.

    Attributes:
        where: the frame, or the journal.
        reason: the contradiction, as the second half of a sentence.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where} {self.reason}"
