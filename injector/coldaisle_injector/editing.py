"""Editing a stream on its way: what becomes of the messages in it, and what is said in a side's name."""

from collections.abc import Callable

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS, sensor_of
from coldaisle_injector import mqtt
from coldaisle_injector.catalogue import (
    Deliver,
    Double,
    Edit,
    Hold,
    Lose,
    OnPath,
    Pass,
    Reading,
    Swallow,
    Tamper,
)
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import Segment
from coldaisle_injector.wire import Wire

_MASK = 0xFFFFFFFF


class OffPathError(ColdaisleError):
    """The attacker is not where the plan needs it."""

    exit_code = 3

    def __init__(self, episode: str, unit: str, what: str) -> None:
        super().__init__(
            f"episode {episode}: the attacker {what} between {unit} and the broker; the run is void"
        )


class Editor:
    """Edits the streams between a unit and the broker.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal.
        slot_of: the plan's slot at a virtual time, ns.

    Attributes:
        attack: whose edits are made.
        acting: whether they are made yet, and still.
        connections: the connections that run through here, by the unit's port.
    """

    def __init__(self, unit: Host, wire: Wire, notes: Notes, slot_of: Callable[[int], int]) -> None:
        self._unit, self._wire, self._notes, self._slot_of = unit, wire, notes, slot_of
        self.attack: OnPath | None = None
        self.acting = False
        self.connections: dict[int, Connection] = {}
        self._held: dict[tuple[int, int], tuple[int, bytes, int]] = {}

    @property
    def slot(self) -> int:
        """The plan's slot at this time."""
        return self._slot_of(self._notes.times.now_ns())

    def off_path(self, what: str) -> OffPathError:
        """Return the error that says why the run is void."""
        return OffPathError(self._notes.episode, self._unit.name, what)

    # -- messages that pass -------------------------------------------------------------------------------------

    def edit(self, port: int, conn: Connection, segment: Segment, *, upward: bool) -> tuple[bytes, Edit]:
        """Return what to pass on instead of a new segment's payload, and what is to be done with its frame.

        The stream's translation is told of every change of length.
        """
        out, at = b"", segment.seq
        edit: Edit = Pass()
        half = conn.up if upward else conn.down
        for message in mqtt.messages(segment.payload):
            data = message.data
            if upward and message.type == mqtt.PUBLISH:
                data, edit = self._publish(port, conn, message)
            elif upward and message.type == mqtt.CONNECT:
                conn.sensor = sensor_of(mqtt.client_id(message).partition("-")[0])[1]
            elif not upward and message.type == mqtt.PUBACK:
                data = self._puback(conn, message)
            half.stream.edit(at, len(message.data), len(data))
            at = (at + len(message.data)) & _MASK
            out += data
        return out, edit

    def _puback(self, conn: Connection, message: mqtt.Message) -> bytes:
        """Return what the unit hears of an acknowledgement: nothing of one it does not wait for."""
        if message.mid in conn.copies:
            conn.copies.remove(message.mid)
            self.say(conn.up, conn.down, BROKER, b"", Role.INJECTED, "acknowledge")
            return b""
        return mqtt.puback(conn.renamed.pop(message.mid)) if message.mid in conn.renamed else message.data

    def _publish(self, port: int, conn: Connection, message: mqtt.Message) -> tuple[bytes, Edit]:
        """Return what becomes of a reading: its own bytes, others, or none."""
        reading = self._reading(conn, message)
        edit: Edit = Pass()
        if self.attack and self.acting:
            edit = self.attack.on_publish(reading)
        elif self.attack:
            self.attack.watch(reading)
        data = self._carried_out(edit, port, conn, message, reading)
        if data:
            conn.publish = (reading.slot, data, message.mid)
            conn.reading = reading
        return data, edit

    def _carried_out(
        self, edit: Edit, port: int, conn: Connection, message: mqtt.Message, reading: Reading
    ) -> bytes:
        """Carry an edit out on a reading and return the bytes that go on; those of frames are left to the path."""
        match edit:
            case Swallow() | Hold():
                operation = "hold" if isinstance(edit, Hold) else "swallow"
                self._notes.act(operation, reading, port=port, mid=message.mid)
                self._acknowledge(conn, message.mid)
                self._held[reading.slot, reading.sensor] = (port, message.data, message.mid)
                return b""
            case Deliver(value) if value != reading.value:
                return mqtt.with_value(message, value.encode())
            case Tamper(field, value) if field.startswith("mqtt."):
                return self._tampered(conn, message, field.removeprefix("mqtt."), value)
        return message.data

    def _tampered(self, conn: Connection, message: mqtt.Message, field: str, value: int) -> bytes:
        """Return a reading with one field of its message changed, and see to it that the unit is answered."""
        if field == "qos":
            self._acknowledge(conn, message.mid)
        if field == "msgid":
            conn.renamed[value] = message.mid
        return mqtt.tampered(message, field, value)

    def _acknowledge(self, conn: Connection, mid: int) -> None:
        """Acknowledge a reading to the unit in the broker's place."""
        if conn.down.last is None:
            raise self.off_path("never heard the broker")
        self.say(conn.down, conn.up, self._unit, mqtt.puback(mid), Role.INJECTED, "acknowledge")

    def _reading(self, conn: Connection, message: mqtt.Message) -> Reading:
        """Tell which reading a PUBLISH carries.

        The CONNECT of its connection named the sensor. Of connections older than the attacker's stay the first seen is
        sensor 1: a unit reports its sensors in order.
        """
        if not conn.sensor:
            known = {each.sensor for each in self.connections.values() if not each.over}
            conn.sensor = min({*SENSORS} - known, default=len(SENSORS))
        return Reading(self.slot, conn.sensor, message.value.decode("ascii", "replace"))

    # -- what is said in a side's name --------------------------------------------------------------------------

    def copy(self, slot: int, sensor: int, number: int) -> None:
        """Deliver a reading again, as the next bytes of its connection.

        Args:
            slot: the reading's slot.
            sensor: its sensor.
            number: which copy it is, from 1.

        Raises:
            OffPathError: if that reading did not pass.
        """
        port, conn = self.live(sensor)
        if conn.publish[0] != slot:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to copy")
        _, data, mid = conn.publish
        self._again(port, conn, data, mid, (slot, sensor), number)

    def release(self, slot: int, sensor: int) -> None:
        """Deliver a reading that was held, as the next bytes of its connection.

        Raises:
            OffPathError: if it is not held, or its connection is gone.
        """
        port, data, mid = self._held.pop((slot, sensor), (0, b"", 0))
        conn = self.connections.get(port)
        if conn is None or conn.over:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to release")
        self._again(port, conn, data, mid, (slot, sensor), 0)

    def _again(
        self, port: int, conn: Connection, data: bytes, mid: int, what: tuple[int, int], number: int
    ) -> None:
        """Deliver a reading out of turn; the broker's acknowledgement is for the attacker."""
        conn.copies.append(mid)
        role, act = (Role.DUPLICATE, "copy") if number else (Role.DELAYED, "release")
        digest = self.say(conn.up, conn.down, BROKER, data, role, act)
        value = next(mqtt.messages(data)).value.decode()
        self._notes.act(
            act, Reading(*what, value), port=port, mid=mid, after=value, copy=number, digest=digest
        )

    def clear(self, sensor: int) -> None:
        """Clear a retained message: an empty one in its place, at QoS 0, in a sensor's stream."""
        _, conn = self.live(sensor)
        empty = mqtt.cleared(next(mqtt.messages(conn.publish[1])))
        self.say(conn.up, conn.down, BROKER, empty, Role.INJECTED, "clear")

    def live(self, sensor: int) -> tuple[int, Connection]:
        """Return port and connection of a sensor, both sides of which were heard.

        Raises:
            OffPathError: if none runs through here.
        """
        for port, conn in self.connections.items():
            if conn.sensor == sensor and not conn.over and conn.up.last and conn.down.last:
                return port, conn
        raise self.off_path(f"has no connection of sensor {sensor}")

    def say(self, half: Half, other: Half, target: Host, data: bytes, role: Role, act: str) -> str:
        """Say something in the name of one side of a connection, as the next bytes of its stream; return the frame's digest."""
        return self.send(
            half.speak(other, (INJECTOR.mac, target.mac), self._notes.times.wall_ns(), data),
            target,
            role,
            act,
        )

    def send(self, frame: bytes, target: Host, role: Role, act: str) -> str:
        """Send a frame the attacker made, and return its digest."""
        self._notes.spend()
        self._wire.send(frame)
        return self._notes.frame(frame, target, role, act, anomalous=True)

    def note(self, edit: Edit, port: int, conn: Connection, digest: str) -> None:
        """Note what was done to the reading that just passed, in the frame with a digest."""
        reading = conn.reading
        match edit:
            case Deliver(changed) if changed != reading.value:
                operation, after = "modify", changed
            case Tamper():
                operation, after = "tamper", reading.value
            case Lose():
                operation, after = "lose", reading.value
            case Double():
                operation, after = "double", reading.value
            case _:
                return
        self._notes.act(operation, reading, port=port, mid=conn.publish[2], after=after, digest=digest)
