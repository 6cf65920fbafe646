"""A companion whose connection is a list: what it publishes on a day, without a broker."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from coldaisle_contracts.clock import ManualClock
from coldaisle_contracts.plan import Plan, seed_for
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.players import player_of_device
from coldaisle_contracts.scenario import Scenario
from coldaisle_sensors.agenda import Agenda
from coldaisle_sensors.devices.base import BaseDevice, Context


@dataclass(frozen=True)
class Published:
    """A message that a companion published."""

    at_ns: int
    topic: str
    payload: bytes
    qos: int
    retain: bool


def plan_with(duration_h: float = 1.0, **group: Any) -> Plan:
    """Return the plan of a run with the published units and one group of companions at the address 100."""
    units = [{"number": 13, "address": 41}]
    scenario = {
        "name": "made", "seed": 11, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": duration_h,
        "site": {"devices": [*units, {"address": 100, **group}]},
    }  # fmt: skip
    return build_plan(Scenario.model_validate(scenario))


class MadeSession:
    """A connection that keeps what is published."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.published = clock, list[Published]()

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Keep a message."""
        self.published.append(Published(self.clock.now_ns(), topic, payload, qos, retain))


def published_on(
    plan: Plan, day: int = 0, amid: Callable[[BaseDevice], None] = lambda _: None
) -> list[Published]:
    """Play a day of the only companion of a plan, and return what it published.

    Args:
        plan: the plan.
        day: the day, from 0.
        amid: called before the device acts at each of its times, with the device.
    """
    companion = next(iter(plan.companions.values()))
    clock = ManualClock(plan.connect_ns(day, companion.name))
    given = Context(companion, plan, cast("Any", None), cast("Any", None), ("198.18.0.1", 1883))
    device: BaseDevice = player_of_device(companion.row)(given)
    session = MadeSession(clock)
    device.clock, device.day, device.agenda = clock, day, Agenda(clock)
    device.rng = Random(seed_for(plan.scenario.seed, f"device/{companion.name}/{day}"))  # noqa: S311 - a simulation, not a secret
    device._session = cast("Any", session)
    device.will()
    device.begin()
    for due in device.script():
        clock.advance(max(due.at_ns(), clock.now_ns()))
        amid(device)
    clock.advance(plan.disconnect_ns(day, companion.name))
    device.end()
    return session.published
