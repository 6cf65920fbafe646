"""The times at which a subscriber with a persistent session is away: a pure function of the plan."""

from coldaisle_contracts.clock import HOUR, SECOND
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.plan import CONNECT, Plan, seed_for

MINUTE = 60 * SECOND
EVERY, AWAY = "absent_every_h", "absent_min"
"""Parameters: time in which it is away once, in h (0 for never), and for how long, in min."""
_MARGIN = MINUTE
"""Least time from the first connection of a day to an absence, and from an absence to the end of the day, in ns."""


def absences_ns(plan: Plan, companion: Companion, day: int) -> list[tuple[int, int]]:
    """Return begin and end of each absence of a companion on a day (from 0), in ns since the epoch; none where it has no such parameters.

    The day is divided into stretches of :data:`EVERY` hours, and each that holds an absence has one, at a seeded time.
    """
    every_ns = round(float(str(companion.parameters.get(EVERY, 0.0))) * HOUR)
    away_ns = round(float(str(companion.parameters.get(AWAY, 0.0))) * MINUTE)
    first_ns = plan.day_ns(day) + CONNECT + _MARGIN
    last_ns = plan.end_ns(day) - _MARGIN
    times = list[tuple[int, int]]()
    for number, begin_ns in enumerate(range(first_ns, last_ns, every_ns) if every_ns else ()):
        room_ns = min(begin_ns + every_ns - SECOND, last_ns) - begin_ns - away_ns
        if room_ns > 0:
            seed = seed_for(plan.scenario.seed, f"absence/{companion.name}/{day}/{number}")
            leave_ns = begin_ns + seed % room_ns
            times.append((leave_ns, leave_ns + away_ns))
    return times
