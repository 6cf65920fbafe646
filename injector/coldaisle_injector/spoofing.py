"""Spoofing: frames in the name of one side, with the next bytes of a connection's stream."""

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.units import Unit
from coldaisle_injector import mqtt
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.edits import Reading
from coldaisle_injector.messages import PUBACK, PUBCOMP, PUBREC, PUBREL, acknowledgement
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import RST
from coldaisle_injector.wire import Wire


class OffPathError(RunError):
    """The attacker is not on the path where the plan needs it."""

    def __init__(self, episode: str, unit: str, what: str) -> None:
        super().__init__(
            f"episode {episode}: the attacker {what} between {unit} and the broker; the run is void"
        )


class Spoofer:
    """Sends frames to the broker in a unit's name, and to the unit in the broker's.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal.

    Attributes:
        connections: the connections through the attacker, by the unit's port.
    """

    def __init__(self, unit: Unit, wire: Wire, notes: Notes) -> None:
        self._unit, self._victim, self._wire, self._notes = unit.host, unit, wire, notes
        self.connections: dict[int, Connection] = {}
        self._held: dict[tuple[int, int], tuple[Connection, mqtt.Message]] = {}

    @property
    def only_tcp_answers(self) -> bool:
        """Whether the broker answers the unit's readings by TCP alone: MQTT acknowledges none of QoS 0."""
        return self._victim.dialect.qos == 0

    def off_path(self, what: str) -> OffPathError:
        """Return the error that says why the run is void."""
        return OffPathError(self._notes.episode, self._unit.name, what)

    def live(self, sensor: int) -> Connection:
        """Return the open connection of a sensor of which both sides have sent a segment.

        Raises:
            OffPathError: if there is none.
        """
        for conn in self.connections.values():
            if conn.sensor == sensor and not conn.over and conn.up.last and conn.down.last:
                return conn
        raise self.off_path(f"has no connection of sensor {sensor}")

    # -- answers in the other side's name -----------------------------------------------------------------------

    def acknowledge(self, conn: Connection, message: mqtt.Message) -> None:
        """Acknowledge a reading to the unit in the broker's name: by PUBACK, at QoS 2 by PUBREC, at QoS 0 by TCP alone.

        Raises:
            OffPathError: if the broker has sent no segment on this connection.
        """
        if conn.down.last is None:
            raise self.off_path("has seen no segment of the broker")
        if message.qos == 2:  # noqa: PLR2004 - QoS 2
            conn.answered.add(message.mid)
        kind = (0, PUBACK, PUBREC)[message.qos]
        self._answer(conn, acknowledgement(kind, message.mid) if kind else b"")

    def complete(self, conn: Connection, mid: int) -> None:
        """Complete the handshake of a reading of QoS 2 that the broker never got, in the broker's name: the unit has released it."""
        conn.answered.remove(mid)
        self._answer(conn, acknowledgement(PUBCOMP, mid))

    def _answer(self, conn: Connection, data: bytes) -> None:
        self._send_next(conn.down, conn.up, self._unit, data, Role.INJECTED, "acknowledge")

    def receive(self, conn: Connection, answer: mqtt.Message) -> None:
        """Take the broker's answer to a message that the unit never sent, in the unit's name: after a PUBREC the handshake goes on."""
        if answer.type == PUBREC:
            release = acknowledgement(PUBREL, answer.mid)
            self._send_next(conn.up, conn.down, BROKER, release, Role.INJECTED, "proceed")
            return
        conn.copies.remove(answer.mid)
        self._send_next(conn.up, conn.down, BROKER, b"", Role.INJECTED, "acknowledge")

    # -- readings out of order ----------------------------------------------------------------------------------

    def copy(self, slot: int, sensor: int, number: int) -> None:
        """Deliver a reading again.

        Args:
            slot: the reading's slot.
            sensor: its sensor.
            number: number of the copy, from 1.

        Raises:
            OffPathError: if that reading has not passed.
        """
        conn = self.live(sensor)
        if conn.publish[0] != slot:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to copy")
        self._deliver(conn, conn.publish[1], (slot, sensor), number)

    def hold(self, conn: Connection, reading: Reading, message: mqtt.Message) -> None:
        """Keep a reading that was removed from its stream."""
        self._held[reading.slot, reading.sensor] = conn, message

    def holds(self, slot: int, sensor: int) -> bool:
        """Tell whether a reading is held."""
        return (slot, sensor) in self._held

    def passed(self, slot: int, sensor: int) -> bool:
        """Tell whether a reading is the last of its sensor that went on to the broker."""
        return any(conn.sensor == sensor and conn.publish[0] == slot for conn in self.connections.values())

    def is_free(self, sensor: int) -> bool:
        """Tell whether a copy would be a message of its own: at QoS 2 a broker takes it for the same until the handshake is complete."""
        conn = self.live(sensor)
        return not (conn.copies and self._victim.dialect.qos == 2)  # noqa: PLR2004 - QoS 2

    def release(self, slot: int, sensor: int) -> None:
        """Deliver a held reading with its own bytes.

        Raises:
            OffPathError: if it is not held, or its connection is gone.
        """
        conn, message = self._held.pop((slot, sensor), (None, None))
        if conn is None or message is None or conn.over or self.connections.get(conn.port) is not conn:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to release")
        self._deliver(conn, message.data, (slot, sensor), 0)

    def _deliver(self, conn: Connection, data: bytes, place: tuple[int, int], number: int) -> None:
        """Deliver a reading out of order; what acknowledges it must not reach the unit."""
        message = self._message(data)
        if message.qos:
            conn.copies.append(message.mid)
        role = Role.DUPLICATE if number else Role.DELAYED
        act: FrameAct = "copy" if number else "release"
        digest = self._send_next(conn.up, conn.down, BROKER, data, role, act)
        if not message.qos:
            conn.awaited = conn.up.stream.outward(conn.up.next)
        value = self._victim.decode(message.value.decode())
        reading, port, mid = Reading(*place, value), conn.port, message.mid
        self._notes.act(act, reading, port=port, mid=mid, after=value, copy=number, digest=digest)

    def _message(self, data: bytes) -> mqtt.Message:
        return next(mqtt.messages(data, properties=self._victim.dialect.has_properties))

    # -- other messages -----------------------------------------------------------------------------------------

    def clear(self, sensor: int) -> None:
        """Clear a retained message with an empty one, at QoS 0, in a sensor's stream."""
        conn = self.live(sensor)
        properties = self._victim.dialect.has_properties
        empty = mqtt.cleared(self._message(conn.publish[1]), properties=properties)
        self._send_next(conn.up, conn.down, BROKER, empty, Role.INJECTED, "clear")

    def reset(self, slot: int, sensor: int, operation: str = "reset") -> None:
        """Reset a sensor's connection: an RST to each side in the other's name.

        Args:
            slot: slot of the act.
            sensor: the sensor.
            operation: operation of the act, the name of the kind.

        Raises:
            OffPathError: if no connection of that sensor runs through the attacker.
        """
        conn = self.live(sensor)
        for half, other, target in ((conn.up, conn.down, BROKER), (conn.down, conn.up, self._unit)):
            self._send_next(half, other, target, b"", Role.INJECTED, "reset", RST)
        conn.closed = True
        victim = self._victim.client(sensor)
        self._notes.act(operation, slot=slot, sensor=sensor, port=conn.port, client=victim)

    def _send_next(
        self, half: Half, other: Half, target: Host, data: bytes, role: Role, act: FrameAct, flags: int = 0
    ) -> str:
        """Send the next bytes of a stream in one side's name, and return the digest of the frame."""
        macs = INJECTOR.mac, target.mac
        return self.send(half.forge(other, macs, self._notes.times.wall_ns(), data, flags), target, role, act)

    def send(self, frame: bytes, target: Host, role: Role, act: FrameAct) -> str:
        """Send a frame of the attacker's, and return its digest."""
        self._notes.spend()
        self._wire.send(frame)
        return self._notes.frame(frame, target, role, act, anomalous=True)
