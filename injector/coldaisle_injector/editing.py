"""Editing a stream on its way: what becomes of the messages in it."""

from collections.abc import Callable

from coldaisle_contracts.topics import SENSORS, base_id, sensor_of
from coldaisle_injector import mqtt
from coldaisle_injector.connection import Connection
from coldaisle_injector.edits import (
    Deliver,
    Double,
    Edit,
    Editing,
    Hold,
    Lose,
    Pass,
    Reading,
    Swallow,
    Tamper,
)
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import Segment
from coldaisle_injector.spoofing import Spoofer

_MASK = 0xFFFFFFFF


class Editor:
    """Edits the streams between a unit and the broker.

    Args:
        notes: the attacker's journal.
        spoofer: answers where the other side will not.
        slot_of: the plan's slot at a virtual time, ns.

    Attributes:
        attack: whose edits are made.
        acting: whether they are made yet, and still.
    """

    def __init__(self, notes: Notes, spoofer: Spoofer, slot_of: Callable[[int], int]) -> None:
        self._notes, self._spoofer, self._slot_of = notes, spoofer, slot_of
        self.attack: Editing | None = None
        self.acting = False

    @property
    def relaying_is_the_attack(self) -> bool:
        """Whether a frame that only passes is part of the anomaly."""
        return self.acting and self.attack is not None and self.attack.labels_relayed

    @property
    def slot(self) -> int:
        """The plan's slot at this time."""
        return self._slot_of(self._notes.times.now_ns())

    def edit(self, conn: Connection, segment: Segment, *, upward: bool) -> tuple[bytes, Edit]:
        """Return what to pass on instead of a new segment's payload, and what is to be done with its frame.

        The stream's translation is told of every change of length.
        """
        out, at = b"", segment.seq
        edit: Edit = Pass()
        half = conn.up if upward else conn.down
        for message in mqtt.messages(segment.payload):
            data = message.data
            if upward and message.type == mqtt.PUBLISH:
                data, edit = self._publish(conn, message)
            elif upward and message.type == mqtt.CONNECT:
                conn.sensor = sensor_of(base_id(mqtt.client_id(message)))[1]
            elif not upward and message.type == mqtt.PUBACK:
                data = self._puback(conn, message)
            half.stream.edit(at, len(message.data), len(data))
            at = (at + len(message.data)) & _MASK
            out += data
        return out, edit

    def answer(self, datagram: bytes) -> bytes:
        """Return the NTP answer that goes on to the unit instead of a server's."""
        if self.attack is None or not self.acting:
            return datagram
        forged = self.attack.on_answer(self.slot, datagram)
        if forged != datagram:
            self._notes.act("shift-clock", slot=self.slot)
        return forged

    def _puback(self, conn: Connection, message: mqtt.Message) -> bytes:
        """Return what the unit hears of an acknowledgement: nothing of one it does not wait for."""
        if message.mid in conn.copies:
            self._spoofer.receive(conn, message.mid)
            return b""
        return mqtt.puback(conn.renamed.pop(message.mid)) if message.mid in conn.renamed else message.data

    def _publish(self, conn: Connection, message: mqtt.Message) -> tuple[bytes, Edit]:
        """Return what becomes of a reading: its own bytes, others, or none."""
        reading = self._reading(conn, message)
        edit: Edit = Pass()
        if self.attack and self.acting:
            edit = self.attack.on_publish(reading)
        elif self.attack:
            self.attack.watch(reading)
        data = self._carried_out(edit, conn, message, reading)
        if data:
            conn.publish = (reading.slot, data, message.mid)
            conn.reading = reading
        return data, edit

    def _carried_out(self, edit: Edit, conn: Connection, message: mqtt.Message, reading: Reading) -> bytes:
        """Carry an edit out on a reading and return the bytes that go on; those of frames are left to the relay."""
        match edit:
            case Swallow() | Hold():
                held = isinstance(edit, Hold)
                self._notes.act("hold" if held else "swallow", reading, port=conn.port, mid=message.mid)
                self._spoofer.acknowledge(conn, message.mid)
                if held:
                    self._spoofer.hold(conn, reading, message)
                return b""
            case Deliver(value) if value != reading.value:
                return mqtt.with_value(message, value.encode())
            case Tamper(field, value) if field.startswith("mqtt."):
                return self._tampered(conn, message, field.removeprefix("mqtt."), value)
        return message.data

    def _tampered(self, conn: Connection, message: mqtt.Message, field: str, value: int) -> bytes:
        """Return a reading with one field of its message changed, and see to it that the unit is answered."""
        if field == "qos":
            self._spoofer.acknowledge(conn, message.mid)
        if field == "msgid":
            conn.renamed[value] = message.mid
        return mqtt.tampered(message, field, value)

    def _reading(self, conn: Connection, message: mqtt.Message) -> Reading:
        """Tell which reading a PUBLISH carries.

        The CONNECT of its connection named the sensor. Of connections older than the attacker's stay the first seen is
        sensor 1: a unit reports its sensors in order.
        """
        if not conn.sensor:
            known = {each.sensor for each in self._spoofer.connections.values() if not each.over}
            conn.sensor = min({*SENSORS} - known, default=len(SENSORS))
        return Reading(self.slot, conn.sensor, message.value.decode("ascii", "replace"))

    def note(self, edit: Edit, conn: Connection, digest: str) -> None:
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
        self._notes.act(operation, reading, port=conn.port, mid=conn.publish[2], after=after, digest=digest)
