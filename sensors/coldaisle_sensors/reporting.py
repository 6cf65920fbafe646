"""Reports: readings are published, acknowledged, and then journalled."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import ReadingLine
from coldaisle_contracts.units import Unit
from coldaisle_sensors.connections import Connections


@dataclass(frozen=True)
class Reading:
    """A reading of one sensor.

    Attributes:
        sensor: number of the sensor, from 1.
        slot: slot of the plan.
        taken_ns: true time at which it was taken, in ns since the epoch.
        stamp_ns: the same by the unit's corrected clock.
        synced: slot of the time query that the stamp relies on, -1 for none.
        value: what the sensor measured, as text, in °C.
        episode: id of the unit's own episode under which it was taken, empty for none.
    """

    sensor: int
    slot: int
    taken_ns: int
    stamp_ns: int
    synced: int
    value: str
    episode: str = ""


@dataclass(frozen=True)
class Delivery:
    """A PUBLISH that was acknowledged, at QoS 0 by the broker's TCP.

    Attributes:
        client: client id of the sensor.
        name: client id on the wire.
        port: TCP port of the connection on which it was acknowledged.
        mid: its message id; 0 at QoS 0, which has none.
        sent_ns: virtual time at which it was first sent, in ns since the epoch.
        acked_ns: virtual time at which everything that was sent with it was acknowledged.
        attempts: 2 where it was sent again on a new connection, else 1.
    """

    client: str
    name: str
    port: int
    mid: int
    sent_ns: int
    acked_ns: int
    attempts: int


@dataclass(frozen=True)
class Reporter:
    """Publishes the readings of a unit.

    Attributes:
        clock: the unit's clock.
        journal: the unit's journal.
        connections: the unit's connections.
        unit: the unit, which says to which topics and in which form it publishes.
    """

    clock: Clock
    journal: Journal
    connections: Connections
    unit: Unit

    def report(self, readings: Sequence[Reading]) -> None:
        """Publish readings together, and journal each once all are acknowledged."""
        for reading, delivery in zip(readings, self.publish(readings), strict=True):
            line = ReadingLine(
                client=delivery.client,
                name=delivery.name,
                slot=reading.slot,
                taken_ns=reading.taken_ns,
                stamp_ns=reading.stamp_ns,
                synced=reading.synced,
                value=reading.value,
                mid=delivery.mid,
                port=delivery.port,
                sent_ns=delivery.sent_ns,
                acked_ns=delivery.acked_ns,
                attempts=delivery.attempts,
                episode=reading.episode,
            )
            self.journal.write(line)
        self.journal.flush()

    def publish(self, readings: Sequence[Reading]) -> list[Delivery]:
        """Publish readings together, at most one of each sensor, wait until all are acknowledged, and journal nothing."""
        links = [self.connections.links[reading.sensor - 1] for reading in readings]
        opened = [link.port for link in links]
        sent_ns = self.clock.now_ns()
        numbers = [
            link.publish(self.unit.topic(reading.sensor), self.unit.encode(reading.value))
            for link, reading in zip(links, readings, strict=True)
        ]
        self.connections.settle({link.client: number for link, number in zip(links, numbers, strict=True)})
        acked_ns = self.clock.now_ns()
        for link, number in zip(links, numbers, strict=True):
            link.acknowledged.discard(number)
        mids = numbers if self.unit.dialect.qos else [0] * len(numbers)
        return [
            Delivery(link.client, link.name, link.port, mid, sent_ns, acked_ns, 1 if link.port == port else 2)
            for link, mid, port in zip(links, mids, opened, strict=True)
        ]
