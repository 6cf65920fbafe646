"""Control packets out of TCP streams: a broker may send several in one segment, or one in several."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from coldaisle_analysis.witness import mqtt_packets
from coldaisle_analysis.witness.frames import SYN, TCP, Frame, ahead
from coldaisle_contracts.addressing import MQTT_PORT


@dataclass(frozen=True)
class Publish:
    """A PUBLISH as it was captured.

    Attributes:
        place: place of the frame in which it ends.
        at_ns: time of that frame, in ns.
        source, target: IPv4 addresses.
        topic: its topic.
        payload: its payload.
    """

    place: int
    at_ns: int
    source: str
    target: str
    topic: str
    payload: bytes


@dataclass
class Stream:
    """The bytes of one direction of a connection, put in order.

    Attributes:
        next: sequence number of the next byte; ``None`` before the SYN.
        held: segments that came early, by sequence number; one beyond any window stays here.
        fragment: bytes that are no whole packet yet.
    """

    next: int | None = None
    held: dict[int, bytes] = field(default_factory=dict)
    fragment: bytes = b""

    def take(self, frame: Frame) -> list[bytes]:
        """Take a segment in, and return the control packets that are whole with it."""
        if frame.flags & SYN:
            self.next = (frame.seq + 1) & 0xFFFFFFFF
        if self.next is None or not frame.payload:
            return []
        self.held[frame.seq] = max(frame.payload, self.held.get(frame.seq, b""), key=len)
        while ready := [seq for seq in self.held if ahead(seq, self.next) <= 0]:
            data = self.held.pop(ready[0])
            fresh = data[ahead(self.next, ready[0]) :]
            self.fragment += fresh
            self.next = (self.next + len(fresh)) & 0xFFFFFFFF
        packets, self.fragment = mqtt_packets.split(self.fragment)
        return packets


class Streams:
    """Reads the PUBLISH packets of some topics from segments in the order of their capture.

    Args:
        topics: the topics.
    """

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = frozenset(topics)
        self._streams: dict[tuple[str, int, str, int], Stream] = {}

    def read(self, place: int, frame: Frame) -> Iterator[Publish]:
        """Yield the packets that end in a segment; what was read before is not read again."""
        if frame.protocol != TCP or MQTT_PORT not in (frame.sport, frame.dport):
            return
        key = frame.source, frame.sport, frame.target, frame.dport
        if frame.flags & SYN:
            self._streams[key] = Stream()
        if (stream := self._streams.get(key)) is None:
            return
        for packet in stream.take(frame):
            if packet[0] >> 4 == mqtt_packets.PUBLISH:
                message = mqtt_packets.message(packet, properties=False)
                if message.topic in self._topics:
                    yield Publish(
                        place, frame.at_ns, frame.source, frame.target, message.topic, message.payload
                    )
