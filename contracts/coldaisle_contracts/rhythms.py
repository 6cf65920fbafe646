"""Rhythms: the slots in which a unit reports, and how late it may wake."""

from dataclasses import dataclass

SHARE = 4
"""The greatest jitter is the interval divided by this, so that a reading belongs to the nearest slot."""


@dataclass(frozen=True)
class Rhythm:
    """When a unit takes its readings.

    Attributes:
        every: it reports in one of so many slots.
        phase: which of these it is, from 0.
        jitter_s: greatest delay of its waking, in s; ``None`` for that of the published captures, less than a millisecond.
    """

    every: int = 1
    phase: int = 0
    jitter_s: float | None = None

    @property
    def spread_s(self) -> float:
        """The greatest delay of a waking where it counts, in s."""
        return self.jitter_s or 0.0

    def next(self, slot: int) -> int:
        """Return the first slot from a slot on in which it reports."""
        return slot + (self.phase - slot) % self.every

    def nearest(self, slot: int, end: int) -> int:
        """Return the first slot from a slot on in which it reports, or, where that is not before the end, the last one before."""
        later = self.next(slot)
        return later if later < end else later - self.every

    def slots(self, within: range) -> range:
        """Return those of consecutive slots in which it reports."""
        return range(self.next(within.start), within.stop, self.every)

    def reports(self, slot: int) -> bool:
        """Tell whether it reports in a slot."""
        return slot % self.every == self.phase

    def is_nth(self, slot: int, count: int) -> bool:
        """Tell whether of its slots this is the first one, or comes a multiple of ``count`` after it."""
        return slot // self.every % count == 0

    def span(self, onset: int, readings: int) -> range:
        """Return all slots from that of the first of some readings to that of the last."""
        return range(onset, onset + (readings - 1) * self.every + 1)


STEADY = Rhythm()
"""A unit that reports in every slot."""
