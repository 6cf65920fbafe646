"""The companions' connections: every frame of them, and every message in them, is what a companion's journal says.

Companions are on no path of the attacker, so the frames of their connections are normal, or nothing explains them. The bytes of each
direction are put in order here, because the broker may send several messages in one segment, or one in several.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from coldaisle_analysis.witness import mqtt_packets
from coldaisle_analysis.witness.frames import ACK, FIN, RST, SYN, Frame
from coldaisle_analysis.witness.journals import EARLY_NS, Journals, Line
from coldaisle_analysis.witness.numbers import Numbers
from coldaisle_analysis.witness.streams import Stream
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.journal import payload_digest

_OPENING_NS = 30 * SECOND
"""The longest time from the line of a connection to its SYN, in ns."""
_HEARD_NS = 20 * SECOND
"""The longest time from a message on the network to its line, in ns: at QoS 2 a handshake lies between."""
_CLOSING_NS = 10 * SECOND
"""The longest time from the line that closes a connection to its end, in ns."""
_AGAIN = 0x08
"""Flag DUP of a PUBLISH."""


@dataclass
class _Way(Stream):
    """One direction of a connection, with the numbers of its packets."""

    numbers: Numbers = field(default_factory=Numbers)


@dataclass
class _Connection:
    line: Line | None
    first: int
    up: _Way = field(default_factory=_Way)
    down: _Way = field(default_factory=_Way)
    ended_ns: int | None = None


class Companions:
    """Follows the companions' connections through a shard's capture.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.

    Attributes:
        addresses: the companions' addresses.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._companions = {companion.host.ip: companion for companion in journals.plan.companions.values()}
        self.addresses = set(self._companions)
        self._lines = journals.of_companions(shard)
        self._current: dict[tuple[str, int], _Connection] = {}
        self._all: list[tuple[str, _Connection]] = []
        self._said: dict[tuple[object, ...], deque[Line]] = defaultdict(deque)
        for name, lines in self._lines.items():
            for line in lines:
                if line["event"] == "message":
                    self._said[_key(name, line, upward=True, mid=line["mid"])].append(line)
                elif line["event"] == "received":
                    self._said[_key(name, line, upward=False)].append(line)

    def explain(self, frame: Frame) -> list[str]:
        """Return the reasons to doubt a frame between a companion and the broker's MQTT port."""
        upward = frame.source in self._companions
        companion = self._companions[frame.source if upward else frame.target]
        place = companion.name, frame.sport if upward else frame.dport
        conn = self._current.get(place)
        if upward and frame.flags & (SYN | ACK) == SYN and (conn is None or conn.first != frame.seq):
            conn = self._begin(place, frame)
        if conn is None or conn.line is None:
            return [f"belongs to no connection that {companion.name} says it opened"]
        stream, doubts = conn.up if upward else conn.down, list[str]()
        if not stream.numbers.follows(frame.ident):
            speaker = companion.name if upward else "the broker"
            doubts.append(
                f"is packet {frame.ident} of its connection, out of turn: {speaker}'s kernel did not send it, or not the one before"
            )
        for packet in stream.take(frame):
            doubts += self._examine(companion, packet, frame.at_ns, upward=upward)
        if conn.ended_ns is None and frame.flags & (FIN | RST):
            conn.ended_ns = frame.at_ns
        return doubts

    def close(self) -> Iterator[Doubt]:
        """Yield what the companions recorded and the capture does not show, and the endings that they did not record."""
        for (name, upward, topic, *_), unseen in self._said.items():
            if unseen:
                action = "published" if upward else "received"
                missing = f"says that it {action} a message on {topic}: the capture shows no such message"
                yield Doubt(f"journal/{name}.jsonl", missing)
        yield from self._lost()
        opened = {id(conn.line) for _, conn in self._all}
        for name, lines in self._lines.items():
            for line in lines:
                if line["event"] == "connect" and id(line) not in opened:
                    yield Doubt(
                        f"journal/{name}.jsonl",
                        f"says that it connected from port {line['port']}: the capture shows no such connection",
                    )
                elif line["event"] == "disconnect" and not self._has_ended(name, line):
                    yield Doubt(
                        f"journal/{name}.jsonl",
                        f"says that it disconnected from port {line['port']}: the capture shows no such end",
                    )
        for name, conn in self._all:
            if conn.line is not None and conn.ended_ns is not None and not self._says_end(name, conn):
                yield Doubt(
                    f"journal/{name}.jsonl",
                    f"does not say how the connection from port {conn.line['port']} ended",
                )

    def _lost(self) -> Iterator[Doubt]:
        """Yield the packets that were overtaken and never came."""
        for name, conn in self._all:
            for speaker, stream in ((name, conn.up), ("the broker", conn.down)):
                if conn.line is not None and (lost := stream.numbers.lost):
                    reason = f"says that it connected from port {conn.line['port']}: packet {lost[0]} of {speaker}'s kernel is not in the capture"
                    yield Doubt(f"journal/{name}.jsonl", reason)

    def _examine(self, companion: Companion, packet: bytes, at_ns: int, *, upward: bool) -> Iterator[str]:
        """Yield the reasons to doubt a control packet."""
        if upward and packet[0] >> 4 == mqtt_packets.CONNECT:
            client = mqtt_packets.client_id(packet)
            if client != companion.client:
                yield f"connects client {client}, and {companion.name} is {companion.client}"
        if packet[0] >> 4 != mqtt_packets.PUBLISH or packet[0] & _AGAIN:
            return
        message = mqtt_packets.message(packet, properties=companion.version == "5")
        fields = {
            "topic": message.topic,
            "qos": message.qos,
            "digest": payload_digest(message.payload),
            "size": len(message.payload),
        }
        lines = self._said[_key(companion.name, fields, upward=upward, mid=message.mid if upward else 0)]
        if not lines:
            yield f"carries a message on {message.topic} that {companion.name} did not record"
            return
        line = lines.popleft()
        least, most = (
            (line["sent_ns"], line["acked_ns"] + SECOND)
            if upward
            else (line["at_ns"] - _HEARD_NS, line["at_ns"])
        )
        if not least - EARLY_NS <= at_ns <= most + EARLY_NS:
            yield f"carries a message on {message.topic} that {companion.name} recorded for another time"
        if upward and line["retain"] != message.retain:
            yield f"carries a message on {message.topic} whose retain flag {companion.name} recorded otherwise"

    def _begin(self, place: tuple[str, int], frame: Frame) -> _Connection:
        """Begin the connection of a SYN, with the newest ``connect`` line of its port."""
        name, port = place
        lines = [
            line
            for line in self._lines[name]
            if line["event"] == "connect"
            and line["port"] == port
            and line["at_ns"] - EARLY_NS <= frame.at_ns <= line["at_ns"] + _OPENING_NS
        ]
        conn = self._current[place] = _Connection(lines[-1] if lines else None, frame.seq)
        self._all.append((name, conn))
        return conn

    def _has_ended(self, name: str, line: Line) -> bool:
        ends = [
            conn.ended_ns
            for owner, conn in self._all
            if owner == name and conn.line is not None and conn.line["port"] == line["port"]
        ]
        return any(end is not None and -EARLY_NS <= end - line["at_ns"] <= _CLOSING_NS for end in ends)

    def _says_end(self, name: str, conn: _Connection) -> bool:
        """Tell whether a companion recorded the end of a connection, or that another one replaced it."""
        assert conn.line is not None  # noqa: S101 - callers ensure it
        port, since_ns = conn.line["port"], conn.line["at_ns"]
        return any(
            line["at_ns"] >= since_ns
            and ((line["event"] == "disconnect" and line["port"] == port) or line.get("was") == port)
            for line in self._lines[name]
            if line["event"] in ("connect", "disconnect")
        )


def _key(name: str, said: Line, *, upward: bool, mid: int = 0) -> tuple[object, ...]:
    return name, upward, said["topic"], said["qos"], said["digest"], said["size"], mid
