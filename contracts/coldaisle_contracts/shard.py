"""A shard: a range of days that is played in a testbed of its own."""

import itertools
from dataclasses import dataclass
from typing import Self

from coldaisle_contracts.errors import InputError


@dataclass(frozen=True)
class Shard:
    """Consecutive days of a run.

    Attributes:
        days: the days, from 0.
    """

    days: range

    def __str__(self) -> str:
        first, last = self.days[0] + 1, self.days[-1] + 1
        return f"day-{first}" if first == last else f"day-{first}-{last}"

    @classmethod
    def parse(cls, text: str, days: int) -> Self:
        """Read ``day-3`` or ``day-1-7``; an empty text means all ``days`` of the run.

        Raises:
            InputError: if the text is none of these or lies outside the run.
        """
        if not text:
            return cls(range(days))
        numbers = text.removeprefix("day-").split("-")
        if not all(number.isdecimal() for number in numbers) or not 1 <= len(numbers) <= 2:  # noqa: PLR2004
            raise InputError("shard", "write it as day-3 or day-1-7", text)
        first, last = int(numbers[0]), int(numbers[-1])
        if not 1 <= first <= last <= days:
            raise InputError("shard", f"name days from 1 to {days}", text)
        return cls(range(first - 1, last))

    @classmethod
    def split(cls, days: int, shards: int) -> list[Self]:
        """Return at most ``shards`` shards of nearly equal length that together are a run of ``days``."""
        shards = max(1, min(shards, days))
        edges = [days * number // shards for number in range(shards + 1)]
        return [cls(range(start, stop)) for start, stop in itertools.pairwise(edges)]
