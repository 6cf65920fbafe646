"""The times at which a companion publishes: a pure function of the plan, so that both engines and any shards play the same."""

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.loops import CYCLE_DELAY_S
from coldaisle_contracts.plan import FIRST_READING, Plan, seed_for


def message_times_ns(plan: Plan, companion: Companion, day: int) -> list[int]:
    """Return the times of a companion's messages on a day (from 0), in ns since the epoch: its phase, its interval and a seeded jitter.

    A companion whose kind publishes on events has none.
    """
    first_ns = plan.day_ns(day) + FIRST_READING + round(companion.phase_s * SECOND)
    step_ns, jitter_ns = round(companion.interval_s * SECOND), round(companion.jitter_s * SECOND)
    due = range(first_ns, plan.end_ns(day), step_ns) if step_ns else ()
    seeds = (seed_for(plan.scenario.seed, f"message/{companion.name}/{day}/{at}") for at in range(len(due)))
    times = (at_ns + seed % (jitter_ns + 1) for at_ns, seed in zip(due, seeds, strict=True))
    return [time_ns for time_ns in times if time_ns < plan.end_ns(day)]


def cycle_ns(plan: Plan, slot: int) -> int:
    """Return the time at which controllers send the commands of a slot, in ns since the epoch."""
    since_start_s = slot * plan.scenario.interval_s + CYCLE_DELAY_S
    return plan.start_ns + FIRST_READING + round(since_start_s * SECOND)
