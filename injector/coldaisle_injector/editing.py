"""Applies the edits of an attack to the MQTT messages in a stream."""

from collections.abc import Callable, Iterator

from coldaisle_contracts.addressing import TLS_PORT
from coldaisle_contracts.topics import SENSORS, base_id, sensor_of
from coldaisle_contracts.units import Unit
from coldaisle_injector import edits, messages, mqtt
from coldaisle_injector.connection import Connection
from coldaisle_injector.edits import Edit, Reading
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import ACK, SYN, Segment
from coldaisle_injector.spoofing import Spoofer
from coldaisle_injector.translation import MASK

_OPERATIONS = {edits.Deliver: "modify", edits.Tamper: "tamper", edits.Lose: "lose", edits.Double: "double"}
"""Operation in the journal of each edit that lets its reading pass."""
ANSWERS = (messages.PUBACK, messages.PUBREC, messages.PUBCOMP)
"""Types of the messages with which a broker answers a PUBLISH, and a PUBREL."""
_APPLICATION_DATA = 23
"""Type of a TLS record with data, its first byte."""


class Editor:
    """Edits the streams between a unit and the broker.

    Args:
        unit: the victim.
        notes: the attacker's journal.
        spoofer: answers in place of the other side.
        slot_of: returns the plan's slot at a virtual time in ns.

    Attributes:
        attack: the attack whose edits apply.
        acting: whether they apply at present.
    """

    def __init__(self, unit: Unit, notes: Notes, spoofer: Spoofer, slot_of: Callable[[int], int]) -> None:
        self._unit, self._notes, self._spoofer, self._slot_of = unit, notes, spoofer, slot_of
        self.attack = edits.Editing()
        self.acting = False

    @property
    def relaying_is_the_attack(self) -> bool:
        """Whether a frame that is merely relayed is part of the anomaly."""
        return self.acting and self.attack.labels_relayed

    @property
    def slot(self) -> int:
        """The plan's slot at this time."""
        return self._slot_of(self._notes.times.now_ns())

    def edit(self, conn: Connection, segment: Segment, *, upward: bool) -> tuple[bytes, Edit]:
        """Return the payload to pass on instead of a new segment's own, and the edit of its frame.

        Every change of length is recorded in the translation of the stream.
        """
        if _is_encrypted(segment):
            return segment.payload, self._hidden(conn, segment) if upward else edits.Pass()
        out, at = b"", segment.seq
        edit: Edit = edits.Pass()
        half = conn.up if upward else conn.down
        for message in self.messages(segment):
            data = message.data
            if upward and message.type == messages.PUBLISH:
                data, edit = self._publish(conn, message)
            elif upward and message.type == messages.CONNECT:
                conn.sensor = sensor_of(base_id(mqtt.client_id(message)))
            elif upward and message.type == messages.PUBREL:
                data = self._pubrel(conn, message)
            elif not upward and message.type in ANSWERS:
                data = self._answer(conn, message)
            half.stream.edit(at, len(message.data), len(data))
            at = (at + len(message.data)) & MASK
            out += data
        return out, edit

    def refuses(self, segment: Segment) -> bool:
        """Tell whether a segment of the unit asks for a connection that the attack refuses."""
        asks = segment.flags & (SYN | ACK) == SYN
        return self.acting and asks and self.attack.refuses(segment.dport)

    def messages(self, segment: Segment) -> Iterator[mqtt.Message]:
        """Yield the messages in a segment; none where they are encrypted."""
        if _is_encrypted(segment):
            return iter(())
        return mqtt.messages(segment.payload, properties=self._unit.dialect.has_properties)

    def _hidden(self, conn: Connection, segment: Segment) -> Edit:
        """Return the edit of a segment that the attacker cannot read, and takes for a reading by what shows.

        Behind the handshake a unit sends a CONNECT and then readings, each in a record of application data (RFC 8446, section 5.1).
        """
        if segment.payload[0] != _APPLICATION_DATA:
            return edits.Pass()
        if conn.begun:
            conn.begun = False  # the CONNECT
            return edits.Pass()
        reading = Reading(self.slot, self._sensor_of(conn), "")
        conn.publish, conn.reading = (reading.slot, b"", 0), reading
        return self.attack.on_publish(reading) if self.acting else edits.Pass()

    def answer(self, datagram: bytes) -> bytes:
        """Return the NTP answer to pass on to the unit instead of the server's."""
        if not self.acting:
            return datagram
        forged = self.attack.on_answer(self.slot, datagram)
        if forged != datagram:
            self._notes.act("shift-clock", slot=self.slot)
        return forged

    def _answer(self, conn: Connection, message: mqtt.Message) -> bytes:
        """Return the broker's answer to a PUBLISH or PUBREL for the unit; it is empty where the unit does not wait for one."""
        if message.mid in conn.copies:
            self._spoofer.receive(conn, message)
            return b""
        if message.mid not in conn.renamed:
            return message.data
        renamed = mqtt.with_mid(message, conn.renamed[message.mid])
        if message.type != messages.PUBREC:  # the handshake is complete
            del conn.renamed[message.mid]
        return renamed

    def _pubrel(self, conn: Connection, message: mqtt.Message) -> bytes:
        """Return the unit's PUBREL for the broker; it is empty where the attacker took the reading in the broker's place."""
        if message.mid in conn.answered:
            self._spoofer.complete(conn, message.mid)
            return b""
        others = [there for there, here in conn.renamed.items() if here == message.mid]
        return mqtt.with_mid(message, others[0]) if others else message.data

    def _publish(self, conn: Connection, message: mqtt.Message) -> tuple[bytes, Edit]:
        """Return the bytes to pass on for a reading (its own, others or none) and the edit."""
        reading = self._reading(conn, message)
        edit: Edit = edits.Pass()
        if self.acting:
            edit = self.attack.on_publish(reading)
        else:
            self.attack.watch(reading)
        data = self._carried_out(edit, conn, message, reading)
        if data:
            conn.publish = (reading.slot, data, message.mid)
            conn.reading = reading
        return data, edit

    def _carried_out(self, edit: Edit, conn: Connection, message: mqtt.Message, reading: Reading) -> bytes:
        """Apply an edit to a reading and return the bytes to pass on; edits of frames are left to the relay."""
        match edit:
            case edits.Swallow() | edits.Hold():
                held = isinstance(edit, edits.Hold)
                self._notes.act("hold" if held else "swallow", reading, port=conn.port, mid=message.mid)
                self._spoofer.acknowledge(conn, message)
                if held:
                    self._spoofer.hold(conn, reading, message)
                return b""
            case edits.Deliver(value) if value != reading.value:
                return mqtt.with_value(message, self._unit.encode(value))
            case edits.Tamper(field, value) if field.startswith("mqtt."):
                return self._tampered(conn, message, field.removeprefix("mqtt."), value)
        return message.data

    def _tampered(self, conn: Connection, message: mqtt.Message, field: str, value: int) -> bytes:
        """Return a reading with one field of its message changed, and ensure that the unit gets its acknowledgement."""
        if field == "qos":
            self._spoofer.acknowledge(conn, message)
        if field == "msgid":
            conn.renamed[value] = message.mid
        return mqtt.tampered(message, field, value)

    def _reading(self, conn: Connection, message: mqtt.Message) -> Reading:
        """Return the reading that a PUBLISH carries.

        The CONNECT of its connection named the sensor. Connections that are older than the attacker's presence are numbered in the order
        of their first PUBLISH, because a unit reports its sensors in order.
        """
        value = self._unit.decode(message.value.decode("ascii", "replace"))
        return Reading(self.slot, self._sensor_of(conn), value)

    def _sensor_of(self, conn: Connection) -> int:
        if not conn.sensor:
            numbered = {other.sensor for other in self._spoofer.connections.values() if not other.over}
            conn.sensor = min({*SENSORS} - numbered, default=len(SENSORS))
        return conn.sensor

    def note(self, edit: Edit, conn: Connection, digest: str) -> None:
        """Journal the edit of the reading that just passed in the frame with a digest."""
        reading = conn.reading
        operation = _OPERATIONS.get(type(edit))
        after = edit.value if isinstance(edit, edits.Deliver) else reading.value
        if operation is None or (operation == "modify" and after == reading.value):
            return
        self._notes.act(operation, reading, port=conn.port, mid=conn.publish[2], after=after, digest=digest)


def _is_encrypted(segment: Segment) -> bool:
    """Tell whether a segment is one of a connection with TLS: a unit that falls back has connections without, too."""
    return TLS_PORT in (segment.sport, segment.dport)
