"""Limits of flows and windows."""

from dataclasses import dataclass

from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import CONNECT, DISCONNECT

DAY_STARTS = (CONNECT + DISCONNECT) // 2
"""Time from local midnight to the start of a day's traffic, between the last disconnect and the next connect, in ns."""
READINGS = 12
"""Default number of a sensor's readings in a window: one hour with a reading every 5 min. A short running median looks
back as far (``history.SHORT``), an episode drawn by a scenario lasts up to as long, and a deviation needs no more."""


@dataclass(frozen=True)
class Cut:
    """Limits of flows, and start and length of windows.

    Attributes:
        midnight_ns: a local midnight, ns since the epoch, not after the first frame; window 0 starts
            :data:`DAY_STARTS` later.
        utc_offset_s: offset of local time from UTC, in s.
        window_s: length of a window, in s.
        idle_s: a flow ends after this time without a frame, in s; the default is NFStream's.
        active_s: a flow ends when it has lasted this long, in s; the default is NFStream's.

    Raises:
        InputError: if a length is not positive.
    """

    midnight_ns: int = 0
    utc_offset_s: int = 0
    window_s: float = READINGS * 300.0
    idle_s: float = 120.0
    active_s: float = 1800.0

    def __post_init__(self) -> None:
        """Refuse lengths that are not positive and finite."""
        for name in ("window_s", "idle_s", "active_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(name, "give a length above 0 s", getattr(self, name))

    @property
    def origin_ns(self) -> int:
        """Start of window 0, in ns since the epoch."""
        return self.midnight_ns + DAY_STARTS

    @property
    def window_ns(self) -> int:
        """Length of a window, in ns."""
        return round(self.window_s * SECOND)


def midnight_before(time_ns: int, utc_offset_s: int) -> int:
    """Return the last local midnight before a time, in ns since the epoch."""
    local = time_ns + utc_offset_s * SECOND
    return time_ns - local % DAY
