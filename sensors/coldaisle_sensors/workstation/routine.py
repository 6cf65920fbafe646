"""The day of a workstation: what it does is repeated with a period and a seeded phase of its own."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coldaisle_contracts.background import Background, name_of
from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import CONNECT, DISCONNECT, Plan, seed_for
from coldaisle_sensors.agenda import Agenda, Script, at
from coldaisle_sensors.timesync import TimeSync
from coldaisle_sensors.workstation.lease import Leases
from coldaisle_sensors.workstation.names import look_up
from coldaisle_sensors.workstation.pages import fetch

_UP = 3 * SECOND
"""Time from the units' connection to the first thing that workstations do, in ns."""
_STAGGER = SECOND // 4
"""Time between the starts of two workstations, in ns."""


@dataclass(frozen=True)
class Workstation:
    """One workstation on the network.

    Attributes:
        name: its name in the plan.
        plan: the plan of the run.
        background: what it does.
        clock: its clock.
        timesync: asks the time server.
        leases: its DHCP client.
        journal: its journal.
    """

    name: str
    plan: Plan
    background: Background
    clock: Clock
    timesync: TimeSync
    leases: Leases
    journal: Journal

    def run_day(self, day: int) -> None:
        """Play one day (from 0): get an address, and then do everything that has a period until the day ends."""
        agenda, background = Agenda(self.clock), self.background
        names = [name_of(host.name) for host in self.plan.hosts]
        draw = random.Random(seed_for(self.plan.scenario.seed, f"background/{self.name}/{day}"))  # noqa: S311 - a simulation, not a secret
        if background.dhcp_s:
            renews = self._times(day, background.dhcp_s / 2, 0)
            agenda.add(self._repeat([renews[0]], lambda _: self.leases.obtain()))
            agenda.add(self._repeat(renews[1:], lambda _: self.leases.renew()))
        for period_s, act in (
            (background.dns_s, lambda _: look_up(draw.choice(names), self.clock, self.journal)),
            (background.ntp_s, self.timesync.query),
            (background.http_s, lambda _: fetch(self.clock, self.journal)),
        ):
            if period_s:
                times = self._times(day, period_s, draw.randrange(round(period_s * SECOND)))
                agenda.add(self._repeat(times, act))
        agenda.play()
        self.journal.flush()

    def _times(self, day: int, period_s: float, phase_ns: int) -> Sequence[int]:
        """Return the times on a day that are whole periods apart, in ns since the epoch; the first is a phase after it is up."""
        place = list(self.plan.workstations).index(self.name)
        day_ns = self.plan.day_ns(day)
        last_ns = day_ns + round(len(self.plan.day_slots(day)) * self.plan.scenario.interval_s * SECOND)
        first_ns = day_ns + CONNECT + _UP + place * _STAGGER + phase_ns
        return range(first_ns, last_ns - DISCONNECT, round(period_s * SECOND))

    def _repeat(self, times: Sequence[int], act: Callable[[int], object]) -> Script:
        for number, time_ns in enumerate(times):
            yield at(time_ns)
            act(number)
            self.journal.flush()
