"""Translation of the sequence numbers of a TCP connection whose stream was edited.

An edit replaces ``old`` bytes at a position of one direction's stream by ``new`` bytes. From then on every sequence number of
that direction, and every acknowledgement of it, is shifted by the difference. All arithmetic is modulo 2^32 (RFC 9293).
"""

from dataclasses import dataclass, field

MASK = 0xFFFFFFFF


def ahead(left: int, right: int) -> int:
    """Return how far ``left`` is ahead of ``right`` in sequence space; negative when behind."""
    return ((left - right + 0x80000000) & MASK) - 0x80000000


@dataclass(frozen=True)
class _Edit:
    at: int
    old: int
    new: int


@dataclass
class Direction:
    """One direction of a connection: the sender's stream and the edits with which the receiver got it."""

    _edits: list[_Edit] = field(default_factory=list)
    shift: int = 0
    """Shift of the newest sequence numbers, in bytes."""

    def edit(self, at: int, old: int, new: int) -> None:
        """Note that ``old`` bytes at the sender's position ``at`` became ``new`` bytes; edits come in order."""
        if old != new:
            self._edits.append(_Edit(at, old, new))
            self.shift += new - old

    def outward(self, seq: int) -> int:
        """Return the receiver's number for a sequence number of the sender."""
        if not self._edits or ahead(seq, self._edits[-1].at) >= self._edits[-1].old:
            return (seq + self.shift) & MASK  # the usual case: the stream is past its newest edit
        shift = 0
        for edit in self._edits:
            if ahead(seq, edit.at) >= edit.old:  # the sender's next byte follows an insertion
                shift += edit.new - edit.old
        return (seq + shift) & MASK

    def inward(self, ack: int) -> int:
        """Return the sender's number for an acknowledgement by the receiver.

        An acknowledgement that ends within an edit acknowledges nothing of it.
        """
        if not self._edits or ahead(ack, self._edits[-1].at + self._edits[-1].old + self.shift) >= 0:
            return (ack - self.shift) & MASK
        shift = 0
        for edit in self._edits:
            start = (edit.at + shift) & MASK
            reached = ahead(ack, start)
            if reached >= edit.new:
                shift += edit.new - edit.old
            elif reached > 0:
                return edit.at
            else:
                break
        return (ack - shift) & MASK
