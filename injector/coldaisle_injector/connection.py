"""The state that the attacker keeps of one TCP connection that runs through it."""

from dataclasses import dataclass, field

from coldaisle_injector import frames
from coldaisle_injector.edits import Reading
from coldaisle_injector.segments import FIN, SYN, Segment
from coldaisle_injector.translation import MASK, Direction, ahead

MILLISECOND = 1_000_000
_NO_READING = Reading(-1, 0, "")


@dataclass
class Half:
    """One direction of a connection: its newest segment and the translation of its sequence numbers.

    Attributes:
        stream: translation of this direction's sequence numbers.
        last: newest segment seen.
        seen_wall_ns: wall time of that segment, in ns.
        data_wall_ns: wall time at which new data was last sent, by the sender or in its name, in ns; ``None`` before any.
        next: the sender's next sequence number.
        acked: last acknowledgement number that was passed on, as it came and as it went out.
        rewritten: payload that replaces the sender's, by the sender's sequence number; retransmissions need it.
        finished: whether the sender closed its side.
    """

    stream: Direction = field(default_factory=Direction)
    last: Segment | None = None
    seen_wall_ns: int = 0
    data_wall_ns: int | None = None
    next: int = 0
    acked: tuple[int, int] = (0, 0)
    rewritten: dict[int, bytes] = field(default_factory=dict)
    finished: bool = False

    def see(self, segment: Segment, wall_ns: int) -> bool:
        """Take note of a segment and tell whether it carries new data."""
        length = len(segment.payload) + bool(segment.flags & (SYN | FIN))
        fresh = self.last is None or ahead(segment.seq + length, self.next) > 0
        self.last, self.seen_wall_ns = segment, wall_ns
        self.finished = self.finished or bool(segment.flags & FIN)
        if fresh:
            self.next = (segment.seq + length) & MASK
            self.data_wall_ns = wall_ns if length else self.data_wall_ns
        return fresh

    def unacknowledged_ns(self, other: "Half", wall_ns: int) -> int:
        """Return for how long data of this half has lacked the other's acknowledgement, in ns of wall time; 0 where none does."""
        acknowledged = other.last is not None and ahead(self.stream.outward(self.next), other.last.ack) <= 0
        return 0 if acknowledged or self.data_wall_ns is None else wall_ns - self.data_wall_ns

    def forge(self, other: "Half", macs: tuple[str, str], wall_ns: int, data: bytes, flags: int = 0) -> bytes:
        """Return a frame in the sender's name with the next bytes of its stream, which acknowledges all data of the other half.

        Args:
            other: the other direction; the attacker has seen a segment of each.
            macs: source and target MAC address.
            wall_ns: wall time, in ns.
            data: the bytes; none make a pure ACK.
            flags: further TCP flags.
        """
        assert self.last is not None and other.last is not None  # noqa: S101, PT018 - the callers hold that
        elapsed_ms = max(0, wall_ns - self.seen_wall_ns) // MILLISECOND
        times = ((self.last.tsval + elapsed_ms) & MASK, other.last.tsval)
        frame = frames.forge(
            self.last, macs, (self.stream.outward(self.next), other.next), times, data, flags
        )
        self.stream.edit(self.next, 0, len(data))
        self.data_wall_ns = wall_ns
        return frame


@dataclass
class Connection:
    """A sensor's connection to the broker.

    Attributes:
        port: the unit's TCP port.
        up: from the unit to the broker.
        down: from the broker to the unit.
        sensor: sensor number, learned from the CONNECT or from the order of the unit's readings; 0 until known.
        publish: slot, bytes and message id of the last PUBLISH as it was delivered.
        reading: the reading that it carries.
        copies: message ids of messages that the attacker delivered, whose acknowledgements the unit must not get.
        answered: message ids of QoS 2 that the attacker has received in the broker's place, until the unit releases them.
        awaited: the broker's acknowledgement number that confirms a delivery of QoS 0 by the attacker; ``None`` where none is awaited.
        renamed: the sensor's message id for each one that the broker got instead.
        losing: for each segment that the attacker kept from the broker, by sequence number, how many more times it is dropped.
        doubled: whether a segment was passed on twice and the broker has not yet reported it.
        closed: whether it was reset.
        begun: whether the attacker saw its SYN and has not seen its first message since.
    """

    port: int = 0
    up: Half = field(default_factory=Half)
    down: Half = field(default_factory=Half)
    sensor: int = 0
    publish: tuple[int, bytes, int] = (-1, b"", 0)
    reading: Reading = _NO_READING
    copies: list[int] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    awaited: int | None = None
    renamed: dict[int, int] = field(default_factory=dict)
    losing: dict[int, int] = field(default_factory=dict)
    doubled: bool = False
    closed: bool = False
    begun: bool = False

    def confirms(self, segment: Segment) -> bool:
        """Tell whether a segment of the broker acknowledges a delivery of QoS 0 by the attacker, which is then not awaited any more."""
        confirmed = self.awaited is not None and ahead(segment.ack, self.awaited) >= 0
        if confirmed:
            self.awaited = None
        return confirmed

    @property
    def translated(self) -> bool:
        """Whether the connection would break without the attacker's translation."""
        return bool(self.up.stream.shift or self.down.stream.shift or self.waits) and not self.over

    @property
    def waits(self) -> bool:
        """Whether an answer to an action of the attacker is still to come."""
        answers = (
            self.copies or self.answered or self.awaited is not None
        )  # asked for each frame: seldom there
        return bool(answers or self.renamed or self.losing) and not self.over

    def unacknowledged_ns(self, wall_ns: int) -> int:
        """Return for how long data that was passed on has lacked an acknowledgement, in ns; 0 where the attack intends that."""
        silence = max(
            self.up.unacknowledged_ns(self.down, wall_ns), self.down.unacknowledged_ns(self.up, wall_ns)
        )
        return 0 if silence and (self.losing or self.over) else silence

    @property
    def closing(self) -> bool:
        """Whether a side closed and data of it is still under way.

        A broker that closes first may wait for a long time, because the unit sleeps until its next reading.
        """
        closing = self.up.finished or (self.down.finished and not self._has_all)
        return closing and not self.over

    @property
    def _has_all(self) -> bool:
        """Whether the unit acknowledged all data of the broker."""
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
