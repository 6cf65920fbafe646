"""Where flows and windows are cut."""

from dataclasses import dataclass

from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import CONNECT, DISCONNECT

DAY_STARTS = (CONNECT + DISCONNECT) // 2
"""A day's traffic starts so long after local midnight: between the last disconnect and the next connect, ns."""
READINGS = 12
"""Readings of a sensor in a window where its length is not given: at one every 5 min an hour. A running median looks
back as far (``values.SHORT``), an episode a scenario draws lasts up to as many, and they suffice for a deviation."""


@dataclass(frozen=True)
class Cut:
    """What ends a flow, and where a window starts.

    Attributes:
        midnight_ns: a local midnight, ns since the epoch, not after the first frame; window 0 starts
            :data:`DAY_STARTS` later.
        utc_offset_s: offset of local time from UTC, s.
        window_s: length of a window, s.
        idle_s: a flow ends when nothing came for so long, s; NFStream's default.
        active_s: a flow ends when it has lasted so long, s; NFStream's default.

    Raises:
        InputError: if a length is not positive.
    """

    midnight_ns: int = 0
    utc_offset_s: int = 0
    window_s: float = READINGS * 300.0
    idle_s: float = 120.0
    active_s: float = 1800.0

    def __post_init__(self) -> None:
        """Refuse lengths that cut nothing."""
        for name in ("window_s", "idle_s", "active_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(name, "give a length above 0 s", getattr(self, name))

    @property
    def origin_ns(self) -> int:
        """When window 0 starts, ns since the epoch."""
        return self.midnight_ns + DAY_STARTS

    @property
    def window_ns(self) -> int:
        """Length of a window, ns."""
        return round(self.window_s * SECOND)


def midnight_before(time_ns: int, utc_offset_s: int) -> int:
    """Return the last local midnight before a time, ns since the epoch."""
    local = time_ns + utc_offset_s * SECOND
    return time_ns - local % DAY
