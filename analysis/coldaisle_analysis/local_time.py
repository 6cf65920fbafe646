"""Local weekday and hour, as in the columns of the dataset."""

from typing import Any

from coldaisle_contracts.clock import DAY, HOUR, SECOND


def local_time(time_ns: Any, utc_offset_s: float) -> dict[str, Any]:
    """Return the columns ``weekday`` (0 is Monday) and ``hour`` (with its fraction) for instants.

    Args:
        time_ns: array or series of instants in UTC, in ns since the epoch.
        utc_offset_s: offset of local time from UTC, in s.
    """
    local_ns = time_ns + utc_offset_s * SECOND
    return {"weekday": (local_ns // DAY + 3) % 7, "hour": local_ns % DAY / HOUR}
