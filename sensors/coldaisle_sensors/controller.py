"""The controller's loop: wake, ask for the time, read four sensors, report, sleep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.topics import SENSORS, client_id, encode_value
from coldaisle_sensors.link import Link, settle
from coldaisle_sensors.timesync import TimeSync


@dataclass(frozen=True)
class Controller:
    """One InRow unit on the network.

    Attributes:
        unit: its name in the plan.
        plan: what it has to do.
        values: °C by slot, four columns, from the unit's model.
        clock: its clock.
        timesync: its correction.
        journal: where every reading is written down once acknowledged.
        open_link: makes the connection of a client id.
    """

    unit: str
    plan: Plan
    values: Sequence[Sequence[float]]
    clock: Clock
    timesync: TimeSync
    journal: Journal
    open_link: Callable[[str], Link]

    def run_day(self, day: int) -> None:
        """Play one day (from 0): connect, report every slot, disconnect after midnight."""
        self.clock.advance(self.plan.connect_ns(day, self.unit))
        links = [self.open_link(client_id(self.unit, sensor)) for sensor in SENSORS]
        settle(links, {}, self.clock)
        self._note("connect", links)
        for slot in self.plan.day_slots(day):
            self.clock.advance(self.plan.reading_ns(slot, self.unit))
            if slot % self.plan.scenario.ntp_every == 0:
                self.timesync.query()
            self._report(links, slot)
        self.clock.advance(self.plan.disconnect_ns(day, self.unit))
        self._note("disconnect", links)
        for link in links:
            link.disconnect()

    def _report(self, links: Sequence[Link], slot: int) -> None:
        taken_ns, stamp_ns = self.clock.now_ns(), self.timesync.stamp_ns()
        payloads = [encode_value(celsius) for celsius in self.values[slot]]
        opened = [link.port for link in links]
        sent_ns = self.clock.now_ns()
        waiting = {link.client: link.publish(payload) for link, payload in zip(links, payloads, strict=True)}
        settle(links, waiting, self.clock)
        acked_ns = self.clock.now_ns()
        for link, payload, port in zip(links, payloads, opened, strict=True):
            self.journal.write(
                "reading",
                client=link.client,
                slot=slot,
                taken_ns=taken_ns,
                stamp_ns=stamp_ns,
                value=payload.decode("ascii"),
                mid=waiting[link.client],
                port=link.port,
                sent_ns=sent_ns,
                acked_ns=acked_ns,
                attempts=1 if link.port == port else 2,
            )
            link.acknowledged.discard(waiting[link.client])
        self.journal.flush()

    def _note(self, event: str, links: Sequence[Link]) -> None:
        for link in links:
            self.journal.write(event, client=link.client, port=link.port, at_ns=self.clock.now_ns())
