"""Following TCP streams: from segments, whole or not, in order or not, to the MQTT messages they complete.

A message is reported on the frame that completes it. A hole in the capture is given up once the other
side has acknowledged past it, and reading resumes with the next segment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_RESERVED = (0, 15)
"""Types no MQTT message has."""
_MORE, _LONGEST = 128, 5
"""The bit that says another byte of the remaining length follows; the bytes of the longest fixed header."""
_HALF, _MASK = 1 << 31, (1 << 32) - 1

Segment = tuple[int, int, bool, int, int, bool, bytes]
"""Frame index, flow, direction, sequence and acknowledgement number, SYN flag, payload."""
Raw = tuple[int, int, bytes]
"""Frame index that completes a message, its first byte, what follows the remaining length."""


@dataclass
class _Direction:
    """One direction of a flow.

    Attributes:
        expected: next sequence number, ``None`` before the first segment.
        partial: bytes received of a message not yet complete.
        early: segments past the one expected, by sequence number.
        gaps: holes given up.
    """

    expected: int | None = None
    partial: bytes = b""
    early: dict[int, bytes] = field(default_factory=dict)
    gaps: int = 0

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits for bytes to come."""
        return not self.partial and not self.early

    def take(self, seq: int, payload: bytes) -> None:
        """Add a segment; what was seen before is dropped, what is early waits."""
        if self.expected is None:
            self.expected = seq
        if seq != self.expected:
            behind = _ahead(self.expected, seq)
            if behind < 0:
                if len(self.early.get(seq, b"")) < len(payload):
                    self.early[seq] = payload
                return
            payload = payload[behind:]
            if not payload:
                return
        self.partial += payload
        self.expected = (self.expected + len(payload)) & _MASK
        while self.early and (ready := self._ready(self.expected)) is not None:
            self.take(ready, self.early.pop(ready))

    def acknowledged(self, ack: int) -> None:
        """Give up a hole the other side acknowledged past."""
        if self.expected is None:
            return
        expected = self.expected
        first = min(self.early, key=lambda seq: _ahead(seq, expected))
        if _ahead(ack, first) < 0:  # a FIN counts too: one past what was expected gives up nothing
            return
        self.gaps += 1
        self.partial, self.expected = b"", first
        self.take(first, self.early.pop(first))

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Yield first byte and body of each whole message and keep the rest."""
        while len(self.partial) > 1:
            length, start = _remaining_length(self.partial)
            if start < 0 or self.partial[0] >> 4 in _RESERVED:
                self.partial = b""
                return
            if start == 0 or len(self.partial) < start + length:
                return
            first, body = self.partial[0], self.partial[start : start + length]
            self.partial = self.partial[start + length :]
            yield first, body

    def _ready(self, expected: int) -> int | None:
        return next((seq for seq in self.early if _ahead(seq, expected) <= 0), None)


def follow(segments: Iterable[Segment]) -> tuple[list[Raw], int]:
    """Return the messages of all flows in the order of the frames completing them, and the holes given up.

    Args:
        segments: TCP segments of the MQTT port, in the order of the capture; those without payload or SYN matter only
            where a segment is missing.
    """
    directions: dict[tuple[int, bool], _Direction] = {}
    found: list[Raw] = []
    for index, flow, forward, seq, ack, syn, payload in segments:
        side = directions.setdefault((flow, forward), _Direction())
        if syn:
            side.expected = (seq + 1) & _MASK
            continue
        other = directions.get((flow, not forward))
        if other is not None and other.early:
            other.acknowledged(ack)
            found += [(index, first, body) for first, body in other.messages()]
        if payload and seq == side.expected and side.is_calm and _is_one_message(payload):
            side.expected = (seq + len(payload)) & _MASK  # the usual case, without the detour
            found.append((index, payload[0], payload[2:]))
        elif payload:
            side.take(seq, payload)
            found += [(index, first, body) for first, body in side.messages()]
    return found, sum(side.gaps for side in directions.values())


def _is_one_message(payload: bytes) -> bool:
    """Tell whether a segment is exactly one message whose remaining length takes one byte."""
    return len(payload) > 1 and payload[1] == len(payload) - 2 < _MORE and payload[0] >> 4 not in _RESERVED


def _ahead(seq: int, other: int) -> int:
    """Return how far a sequence number lies ahead of another, bytes, across the wrap at 2^32."""
    return ((seq - other + _HALF) & _MASK) - _HALF


def _remaining_length(data: bytes) -> tuple[int, int]:
    """Return remaining length and where it ends; 0 when not yet whole, -1 when it is none (MQTT 3.1.1, 2.2.3)."""
    if data[1] < _MORE:
        return data[1], 2
    length = 0
    for index in range(1, min(len(data), _LONGEST)):
        length |= (data[index] & 127) << 7 * (index - 1)
        if data[index] < _MORE:
            return length, index + 1
    return length, 0 if len(data) < _LONGEST else -1
