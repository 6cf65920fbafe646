"""The units' own connections: the frames of connections that a unit opened, and the consequences of episodes on them.

A unit records why it opens and closes a connection. The kernel numbers the packets of a connection one by one (the IPv4
identification), so a packet inserted by another host is noticed.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from coldaisle_analysis.witness import payloads
from coldaisle_analysis.witness.broken import Refusals, expelled
from coldaisle_analysis.witness.frames import ACK, FIN, RST, SYN, Frame
from coldaisle_analysis.witness.journals import EARLY_NS, Journals, Line
from coldaisle_analysis.witness.mqtt_packets import CONNECT, DISCONNECT, PUBLISH, client_id
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal_lines import FALLBACK, UNWANTED
from coldaisle_contracts.kinds import expelling

_OPENING_NS = 30 * SECOND
"""The longest time from the line of a connection to its SYN, retransmissions included, in ns."""
_CLOSING_NS = 10 * SECOND
"""The longest time from the line that closes a connection to its end, in ns."""
_ACKED_NS = SECOND
"""Largest time by which a PUBLISH may seem to follow the receipt of its acknowledgement, in ns."""


@dataclass
class Connection:
    """A connection of a unit, from one SYN to the next from the same port.

    Attributes:
        line: the unit's ``connect`` line; ``None`` if no unit recorded it.
        first: initial sequence number.
        published: whether a PUBLISH was seen: a reading, or a command to a unit that is governed.
        ended_ns: time of the first FIN or RST, in ns; ``None`` before.
        last: last IPv4 identification and its time in ns, by direction; missing where the attacker sent a packet in between.
    """

    line: Line | None
    first: int
    published: bool = False
    ended_ns: int | None = None
    last: dict[bool, tuple[int, int]] = field(default_factory=dict)


class Connections:
    """Follows the units' connections through a shard's capture.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._names, self._units = journals.unit_names, journals.plan.units
        self._current: dict[tuple[str, int], Connection] = {}
        self._all: list[tuple[str, Connection]] = []
        self._lines = journals.of_units(shard)
        self._outages = {unit: journals.outages(unit) for unit in self._lines}
        self._opening, self._closing = dict[int, str](), dict[int, str]()
        self._readings: dict[tuple[str, str, int], list[Line]] = defaultdict(list)
        self._own: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self._refusals = Refusals(journals, shard)
        self._doubts, self._closed = list[Doubt](), set[int]()
        attacker = journals.attacker[shard]
        operations = expelling(episode.kind for episode in journals.plan.episodes)
        acts = [line for line in attacker if line["event"] == "act" and line["operation"] in operations]
        self._thrown = {line["client"] for line in acts}
        for unit, lines in self._lines.items():
            self._find_causes(unit, lines, acts)
            sent = [line for line in lines if line["event"] == "reading"] + journals.copies(shard, unit)
            for line in sorted(sent, key=itemgetter("sent_ns")):
                self._readings[unit, line["name"], line["mid"]].append(line)
                if line["episode"]:
                    self._own[unit, line["name"]].append(line)

    def _find_causes(self, unit: str, lines: list[Line], acts: list[Line]) -> None:
        """Determine the episode that caused each opening and closing of a unit's connections."""
        current: dict[str, Line] = {}
        acked: dict[str, int] = {}
        for line in lines:
            if line["event"] == "reading":
                acked[line["client"]] = line["acked_ns"]
            elif line["event"] == "disconnect" and line["client"] in current:
                self._closed.add(id(current[line["client"]]))
                if line["episode"]:
                    self._closing.setdefault(id(current[line["client"]]), line["episode"])
            elif line["event"] == "connect":
                client, episode = line["client"], line["episode"]
                before = current[client]["port"] if client in current and line["reason"] != "start" else 0
                if line["was"] != before:
                    contradiction = f"says that {client}'s connection from port {line['port']} replaces port {line['was']}, not {before}"
                    self._doubts.append(Doubt(f"journal/{unit}.jsonl", contradiction))
                if line["reason"] in UNWANTED:
                    episode = expelled(client, acked.get(client, -1), line["at_ns"], acts) or episode
                if episode:
                    self._opening[id(line)] = episode
                    if client in current:
                        self._closing[id(current[client])] = episode
                self._closed.add(id(current.get(client)))
                current[client] = line

    def explain(self, frame: Frame, *, touched: bool) -> tuple[str, list[str]]:
        """Return the episode that caused a frame, empty for none, and the reasons to doubt the frame.

        Args:
            frame: a TCP segment between a unit and the broker's MQTT port.
            touched: whether it passed through the attacker.
        """
        upward = frame.source in self._names
        address, port = (frame.source, frame.sport) if upward else (frame.target, frame.dport)
        unit, kind = self._names[address], payloads.kind(frame.said)
        conn = self._current.get((unit, port))
        if upward and frame.flags & (SYN | ACK) == SYN and (conn is None or conn.first != frame.seq):
            conn = self._begin(unit, port, frame)
        if conn is None or conn.line is None:
            return "", [f"belongs to no connection that {unit} says it opened"]
        doubts = [*self._numbered(conn, frame, unit, upward=upward, touched=touched)]
        if upward and kind == CONNECT and client_id(frame.said) != conn.line["name"]:
            doubts.append(f"connects another client than {conn.line['name']}, as {unit} says")
        reading, conn.published = None, conn.published or kind == PUBLISH
        if upward and kind == PUBLISH:
            reading = self._reading(conn, frame, unit)
            if not touched and (
                reading is None or frame.said not in payloads.publishes(self._units[unit], reading)
            ):
                doubts.append(f"carries no reading that {unit} recorded for this time")
        if reading is None and upward and frame.said:
            reading = self._sent_again(conn, frame, unit)
        thrown = not upward and payloads.kind(frame.payload) == DISCONNECT
        if conn.ended_ns is None and (frame.flags & (FIN | RST) or thrown):
            conn.ended_ns = frame.at_ns
        caused = not conn.published or conn.line["reason"] == FALLBACK
        episode = self._opening.get(id(conn.line), "") if caused else ""
        if conn.ended_ns is not None and not episode:
            episode = self._closing.get(id(conn.line), "")
        return episode or (reading["episode"] if reading else ""), doubts

    def carries(self, frame: Frame) -> bool:
        """Tell whether a PUBLISH of a unit carries, byte for byte, a reading that the unit recorded."""
        unit = self._names[frame.source]
        conn = self._current.get((unit, frame.sport))
        reading = self._reading(conn, frame, unit) if conn and conn.line else None
        return reading is not None and frame.said in payloads.publishes(self._units[unit], reading)

    def close(self) -> Iterator[Doubt]:
        """Yield the connections and endings that a unit recorded and the capture does not show."""
        yield from self._doubts
        yield from self._ended_in_silence()
        opened = {id(conn.line) for _, conn in self._all}
        for unit, lines in self._lines.items():
            for line in lines:
                if (
                    line["event"] == "connect"
                    and id(line) not in opened
                    and not self._out(unit, line["at_ns"], _OPENING_NS)
                    and not self._refusals.take(unit, line)
                ):
                    missing = f"says that {line['client']} connected from port {line['port']}: the capture shows no such connection"
                    yield Doubt(f"journal/{unit}.jsonl", missing)
                if line["event"] == "disconnect" and not self._has_ended(unit, line):
                    missing = f"says that {line['client']} disconnected from port {line['port']}: the capture shows no such end"
                    yield Doubt(f"journal/{unit}.jsonl", missing)

        yield from self._refusals.close()

    def _ended_in_silence(self) -> Iterator[Doubt]:
        """Yield the connections whose end is in the capture and not in the unit's journal."""
        for unit, conn in self._all:
            if conn.line is None or conn.ended_ns is None or id(conn.line) in self._closed:
                continue
            if conn.line["client"] not in self._thrown and not self._outages[unit]:
                omission = f"does not say how the connection of {conn.line['client']} from port {conn.line['port']} ended"
                yield Doubt(f"journal/{unit}.jsonl", omission)

    def _begin(self, unit: str, port: int, frame: Frame) -> Connection:
        """Begin the connection of a SYN, with the newest ``connect`` line of its port."""
        lines = [
            line
            for line in self._lines.get(unit, ())
            if line["event"] == "connect"
            and line["port"] == port
            and line["at_ns"] - EARLY_NS <= frame.at_ns <= line["at_ns"] + _OPENING_NS
        ]
        conn = self._current[unit, port] = Connection(lines[-1] if lines else None, frame.seq)
        self._all.append((unit, conn))
        return conn

    def _numbered(
        self, conn: Connection, frame: Frame, unit: str, *, upward: bool, touched: bool
    ) -> Iterator[str]:
        """Yield a reason for doubt if a packet's number does not follow that of the previous packet.

        A kernel's answers without a socket have the number 0. A pulled cable loses packets.
        """
        if touched:
            conn.last.pop(upward, None)
            return
        before = conn.last.get(upward)
        if not frame.ident and (before is None or before[0] != 0xFFFF):  # noqa: PLR2004 - 0 follows the largest number
            return
        conn.last[upward] = frame.ident, frame.at_ns
        if before is None or frame.ident == (before[0] + 1) & 0xFFFF:
            return
        if not self._out(unit, frame.at_ns, frame.at_ns - before[1]):
            speaker = unit if upward else "the broker"
            yield f"is packet {frame.ident} of its connection, after packet {before[0]}: {speaker}'s kernel did not send it, or not the one before"

    def _out(self, unit: str, at_ns: int, within_ns: int) -> bool:
        """Tell whether a unit's cable was out during a time before an instant, or shortly before that time."""
        return any(
            start - within_ns <= at_ns and at_ns - within_ns <= stop + _OPENING_NS
            for start, stop in self._outages[unit]
        )

    def _reading(self, conn: Connection, frame: Frame, unit: str) -> Line | None:
        """Return the reading that a PUBLISH carries, by client, message id and time; at QoS 0 by client, bytes and time."""
        mid = payloads.message_id(frame.said)
        assert conn.line is not None  # noqa: S101 - callers ensure it
        for line in reversed(self._readings.get((unit, conn.line["name"], mid), [])):
            if line["sent_ns"] - EARLY_NS > frame.at_ns:
                continue
            late = frame.at_ns > line["acked_ns"] + _ACKED_NS
            if mid or late or frame.said in payloads.publishes(self._units[unit], line):
                return line if not late and (line["port"] == frame.sport or line["attempts"] > 1) else None
        return None

    def _sent_again(self, conn: Connection, frame: Frame, unit: str) -> Line | None:
        """Return the reading of an episode of the unit's own whose last bytes a segment carries, such as where it was sent again in part."""
        assert conn.line is not None  # noqa: S101 - callers ensure it
        for line in self._own[unit, conn.line["name"]]:
            if line["sent_ns"] - EARLY_NS <= frame.at_ns <= line[
                "acked_ns"
            ] + _ACKED_NS and payloads.is_end_of(frame.said, self._units[unit], line):
                return line
        return None

    def _has_ended(self, unit: str, line: Line) -> bool:
        ends = [
            conn.ended_ns
            for name, conn in self._all
            if name == unit and conn.line is not None and conn.line["port"] == line["port"]
        ]
        return self._out(unit, line["at_ns"], _CLOSING_NS) or any(
            end is not None and -EARLY_NS <= end - line["at_ns"] <= _CLOSING_NS for end in ends
        )
