"""What the attacker keeps of one TCP connection that runs through it."""

from dataclasses import dataclass, field

from coldaisle_injector.edits import Reading
from coldaisle_injector.frames import forge
from coldaisle_injector.segments import FIN, SYN, Segment
from coldaisle_injector.translation import Direction, ahead

_MASK = 0xFFFFFFFF
MILLISECOND = 1_000_000
_NO_READING = Reading(-1, 0, "")


@dataclass
class Half:
    """One direction of a connection: who sends, what was sent last, how its numbers are translated.

    Attributes:
        stream: translation of this direction's sequence numbers.
        last: newest segment seen.
        seen_wall_ns: when, wall time.
        spoken_wall_ns: when new words were sent last, by the sender or in its name, wall time.
        next: sequence number the sender uses next.
        acked: last acknowledgement passed on, as it came and as it went out.
        rewritten: payload passed on instead, by the sender's sequence number, for retransmissions.
        finished: whether the sender closed its side.
    """

    stream: Direction = field(default_factory=Direction)
    last: Segment | None = None
    seen_wall_ns: int = 0
    spoken_wall_ns: int | None = None
    next: int = 0
    acked: tuple[int, int] = (0, 0)
    rewritten: dict[int, bytes] = field(default_factory=dict)
    finished: bool = False

    def see(self, segment: Segment, wall_ns: int) -> bool:
        """Take note of a segment; tell whether it carries something new."""
        length = len(segment.payload) + bool(segment.flags & (SYN | FIN))
        fresh = self.last is None or ahead(segment.seq + length, self.next) > 0
        self.last, self.seen_wall_ns = segment, wall_ns
        self.finished = self.finished or bool(segment.flags & FIN)
        if fresh:
            self.next = (segment.seq + length) & _MASK
            self.spoken_wall_ns = wall_ns if length else self.spoken_wall_ns
        return fresh

    def unheard_ns(self, other: "Half", wall_ns: int) -> int:
        """Return for how long words of this half have gone without an acknowledgement by the other, ns; 0 where none have."""
        heard = other.last is not None and ahead(self.stream.outward(self.next), other.last.ack) <= 0
        return 0 if heard or self.spoken_wall_ns is None else wall_ns - self.spoken_wall_ns

    def speak(self, other: "Half", macs: tuple[str, str], wall_ns: int, data: bytes, flags: int = 0) -> bytes:
        """Return a frame in the sender's name: the next bytes of its stream, all of the other half acknowledged.

        Args:
            other: the other direction; a segment of each has been seen.
            macs: source and target MAC address.
            wall_ns: wall time, ns.
            data: what to say; nothing makes a pure ACK.
            flags: further TCP flags.
        """
        assert self.last is not None and other.last is not None  # noqa: S101, PT018 - the callers hold that
        elapsed_ms = max(0, wall_ns - self.seen_wall_ns) // MILLISECOND
        times = ((self.last.tsval + elapsed_ms) & _MASK, other.last.tsval)
        frame = forge(self.last, macs, (self.stream.outward(self.next), other.next), times, data, flags)
        self.stream.edit(self.next, 0, len(data))
        self.spoken_wall_ns = wall_ns
        return frame


@dataclass
class Connection:
    """A sensor's connection to the broker.

    Attributes:
        port: the unit's TCP port.
        up: from the unit to the broker.
        down: from the broker to the unit.
        sensor: sensor number, learned from the order of the unit's readings; 0 until known.
        publish: slot and bytes of the last PUBLISH as it was delivered.
        reading: the reading it carries.
        copies: message ids of copies whose PUBACK is still to be swallowed.
        renamed: message ids the broker knows, and what the sensor calls them.
        losing: sequence numbers of segments the broker has not got because of the attacker, with how often more they are lost.
        doubled: whether a segment was passed on twice and the broker has not yet said so.
        closed: whether it was reset.
    """

    port: int = 0
    up: Half = field(default_factory=Half)
    down: Half = field(default_factory=Half)
    sensor: int = 0
    publish: tuple[int, bytes, int] = (-1, b"", 0)
    reading: Reading = _NO_READING
    copies: list[int] = field(default_factory=list)
    renamed: dict[int, int] = field(default_factory=dict)
    losing: dict[int, int] = field(default_factory=dict)
    doubled: bool = False
    closed: bool = False

    @property
    def translated(self) -> bool:
        """Whether unit and broker would lose each other without the attacker."""
        return not self.over and bool(self.up.stream.shift or self.down.stream.shift or self.waits)

    @property
    def waits(self) -> bool:
        """Whether something the attacker did is still to be answered."""
        return not self.over and bool(self.copies or self.renamed or self.losing)

    def unheard_ns(self, wall_ns: int) -> int:
        """Return for how long words that were passed on have gone without an acknowledgement, ns; 0 where that is meant so."""
        if self.over or self.losing:
            return 0
        return max(self.up.unheard_ns(self.down, wall_ns), self.down.unheard_ns(self.up, wall_ns))

    @property
    def closing(self) -> bool:
        """Whether a side closed and words of it are still on their way.

        A broker that closes first may wait for long: the unit sleeps until its next reading.
        """
        return not self.over and (self.up.finished or (self.down.finished and not self._heard_the_end))

    @property
    def _heard_the_end(self) -> bool:
        """Whether the unit acknowledged all that the broker sent."""
        if self.up.last is None:
            return False
        return ahead(self.up.last.ack, self.down.stream.outward(self.down.next)) >= 0

    @property
    def over(self) -> bool:
        """Whether both sides closed and the last one's FIN was acknowledged."""
        if self.closed:
            return True
        if not (self.up.finished and self.down.finished) or self.up.last is None or self.down.last is None:
            return False
        return not self.up.last.flags & FIN or not self.down.last.flags & FIN
