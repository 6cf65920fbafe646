"""Relaying: each frame to the other side, in that side's numbers, as often and in the shape an edit wants."""

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector import frames, mqtt
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.editing import Editor
from coldaisle_injector.edits import Double, Edit, Lose, Pass, Tamper
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import (
    ACK,
    RST,
    SYN,
    Segment,
    datagram,
    has_sack,
    is_sound,
    readdress,
    renew,
    translate,
    with_datagram,
)
from coldaisle_injector.spoofing import Spoofer
from coldaisle_injector.wire import Wire

_IN_FLIGHT = 16
"""More segments than TCP keeps unacknowledged here."""
_DISCARDED = ("tcp.checksum", "tcp.seq", "tcp.ack", "eth.dst")
"""Fields that make the broker's kernel discard a frame, or never see it."""


class Relay:
    """Passes frames on between a unit and the broker.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal.
        spoofer: knows the connections, and repeats frames.
        editor: says what becomes of what they carry.
    """

    def __init__(self, unit: Host, wire: Wire, notes: Notes, spoofer: Spoofer, editor: Editor) -> None:
        self._unit, self._wire, self._notes = unit, wire, notes
        self._spoofer, self._editor = spoofer, editor

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on what is not MQTT; the attack may put another answer of the NTP server in its place."""
        self._note_relayed(frame)
        passed = renew(frame, _macs(BROKER if upward else self._unit))
        answer = None if upward else datagram(frame)
        if answer is not None and (forged := self._editor.answer(answer)) != answer:
            passed = with_datagram(frame, _macs(self._unit), forged)
            self._notes.frame(passed, self._unit, Role.MODIFIED, "alter", anomalous=True)
        self._wire.send(passed)

    def on_segment(self, segment: Segment, *, editing: bool) -> bool:
        """Pass a segment on, edited where the attack says so.

        Args:
            segment: what arrived.
            editing: whether words in it are edited; else they only pass.

        Returns:
            Whether it carried words that are new.
        """
        upward = segment.source == self._unit.ip
        conn = self._connection(segment, upward=upward)
        half, other = (conn.up, conn.down) if upward else (conn.down, conn.up)
        fresh = half.see(segment, self._notes.times.wall_ns()) and bool(segment.payload)
        if not upward:  # the capture saw it before the attacker did
            self._note_answer(segment, conn)
        payload, edit = self._edited(conn, segment, upward=upward, editing=fresh and editing)
        frame = self._outward(segment, half, other, payload, upward=upward)
        if frame is None:
            if upward:
                self._note_swallowed(segment, edit)
        elif upward:
            self._send_up(segment, frame, conn, edit, changed=payload != segment.payload)
        else:
            self._wire.send(frame)
        return fresh

    def _edited(
        self, conn: Connection, segment: Segment, *, upward: bool, editing: bool
    ) -> tuple[bytes, Edit]:
        """Return what goes on instead of a segment's payload, the same each time it is sent, and what was done to it now."""
        rewritten = (conn.up if upward else conn.down).rewritten
        edit: Edit = Pass()
        if editing:
            rewritten[segment.seq], edit = self._editor.edit(conn, segment, upward=upward)
            if len(rewritten) > _IN_FLIGHT:
                rewritten.pop(next(iter(rewritten)))
        return rewritten.get(segment.seq, segment.payload) if segment.payload else b"", edit

    def _connection(self, segment: Segment, *, upward: bool) -> Connection:
        """Return the connection a segment belongs to; a SYN of the unit's begins one."""
        port = segment.sport if upward else segment.dport
        known = self._spoofer.connections
        if port not in known or (upward and segment.flags & (SYN | ACK) == SYN):
            known[port] = Connection(port)
        conn = known[port]
        conn.closed = conn.closed or bool(segment.flags & RST)
        return conn

    def _note_answer(self, segment: Segment, conn: Connection) -> None:
        """Note a segment of the broker: a consequence where it answers what the attacker did, else relayed."""
        caused = conn.losing or (conn.doubled and has_sack(segment))
        answers = (
            message.type == mqtt.PUBACK and message.mid in (*conn.copies, *conn.renamed)
            for message in mqtt.messages(segment.payload)
        )
        if (caused and not segment.payload) or any(answers):
            conn.doubled = conn.doubled and not has_sack(segment)
            self._notes.frame(segment.frame, BROKER, Role.CONSEQUENCE, "reply", anomalous=True)
        else:
            self._note_relayed(segment.frame)

    def _note_relayed(self, frame: bytes) -> None:
        touched = self._editor.relaying_is_the_attack
        self._notes.frame(frame, BROKER, Role.RELAYED, "relay", anomalous=touched)

    def _outward(
        self, segment: Segment, half: Half, other: Half, payload: bytes, *, upward: bool
    ) -> bytes | None:
        """Return the segment's frame in the other side's numbers, ``None`` when nothing of it is left."""
        macs = _macs(BROKER if upward else self._unit)
        seq = half.stream.outward(segment.seq)
        ack = other.stream.inward(segment.ack) if segment.flags & ACK else segment.ack
        # An acknowledgement of what the other side never sent says nothing to it.
        pure = not segment.payload and segment.flags == ACK
        hollow = pure and ack == half.acked[1] and segment.ack != half.acked[0]
        half.acked = (segment.ack, ack)
        if hollow or (segment.payload and not payload):
            return None
        if payload != segment.payload:
            return translate(segment, macs, seq, ack, payload)
        if (seq, ack) != (segment.seq, segment.ack) or not is_sound(segment):
            return translate(segment, macs, seq, ack)
        return readdress(segment.frame, *macs)

    def _note_swallowed(self, segment: Segment, edit: Edit) -> None:
        """Note a frame of the unit's that goes no further: a reading taken out, its repetition, or an acknowledgement."""
        role = Role.CONSEQUENCE if isinstance(edit, Pass) else Role.REMOVED
        self._notes.frame(segment.frame, self._unit, role, "swallow", anomalous=True)

    def _send_up(
        self, segment: Segment, frame: bytes, conn: Connection, edit: Edit, *, changed: bool
    ) -> None:
        """Send a frame to the broker, as often and in the shape the edit wants, and note it."""
        if self._lost(segment, frame, conn, edit):
            return
        role, act = _done_to(edit, changed=changed)
        side = BROKER
        if isinstance(edit, Tamper) and not edit.field.startswith("mqtt."):
            frame = frames.tampered(frame, edit.field, edit.value)
            role, act = Role.MODIFIED, "alter"
            if edit.field in _DISCARDED:
                conn.losing[segment.seq] = 0
                side = self._unit if edit.field == "eth.dst" else BROKER
        elif conn.losing.pop(segment.seq, None) is not None:
            role, act = Role.CONSEQUENCE, "repeat"
        self._wire.send(frame)
        touched = role is not Role.RELAYED or self._editor.relaying_is_the_attack
        digest = self._notes.frame(frame, side, role, act, anomalous=touched)
        if isinstance(edit, Double):
            conn.doubled = True
            self._spoofer.send(frame, BROKER, Role.DUPLICATE, "double")
        self._editor.note(edit, conn, digest)

    def _lost(self, segment: Segment, frame: bytes, conn: Connection, edit: Edit) -> bool:
        """Tell whether a segment is to be lost, now or once more, and note it where it is."""
        again = conn.losing.get(segment.seq, 0)
        if isinstance(edit, Lose):
            again = edit.times
            self._editor.note(edit, conn, "")
        if not again:
            return False
        conn.losing[segment.seq] = again - 1
        role = Role.REMOVED if isinstance(edit, Lose) else Role.CONSEQUENCE
        self._notes.frame(frame, self._unit, role, "lose", anomalous=True)
        return True


def _done_to(edit: Edit, *, changed: bool) -> tuple[Role, FrameAct]:
    """Return role and act of a segment: an edit changes it now, or changed it before and the unit's kernel repeats it."""
    if not changed:
        return Role.RELAYED, "relay"
    return (Role.CONSEQUENCE, "repeat") if isinstance(edit, Pass) else (Role.MODIFIED, "alter")


def _macs(target: Host) -> tuple[str, str]:
    return INJECTOR.mac, target.mac
