"""Workstations: every captured look-up, DHCP message and request of a page is one that a workstation recorded, and every answer has its request.

It shares nothing with :mod:`coldaisle_analysis.truth.background`: it reads the messages themselves.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from coldaisle_analysis.witness.frames import ACK, BROADCAST, SYN, TCP, UDP, Frame, ahead
from coldaisle_analysis.witness.journals import EARLY_NS, Journals, Line
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.background import DHCP_CLIENT_PORT, DHCP_PORT, DNS_PORT, HTTP_PORT, NOWHERE
from coldaisle_contracts.clock import SECOND

_PATIENCE_NS = 20 * SECOND
"""Longest time from a line to its last frame, in ns: a workstation waits 10 s for an answer."""
_STEPS = {1: "discover", 3: "request"}
_ANSWERS = {2: "offer", 5: "ack", 6: "nak"}
"""Kinds of DHCP messages (RFC 2132, section 9.6)."""
_NUMBERS = {"lookup": "port", "lease": "number", "fetch": "port"}
"""Key by which a frame finds its line, by event."""
_COOKIE = bytes((99, 130, 83, 99))
_EVERYBODY = "255.255.255.255"


@dataclass
class _Asked:
    """A line of a workstation's journal, and what the capture showed of it.

    Attributes:
        host: name of the workstation.
        line: the line.
        asked: whether its request was seen.
        answered: whether its answer was seen.
        next: by direction, the next sequence number of its connection.
    """

    host: str
    line: Line
    asked: bool = False
    answered: bool = False
    next: dict[bool, int] | None = None


class Stations:
    """Follows the workstations through a shard's capture.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._hosts = journals.plan.workstations
        self._by_ip = {host.ip: host for host in self._hosts.values()}
        self._lines = [
            _Asked(name, line)
            for name, lines in journals.of_stations(shard).items()
            for line in lines
            if line["event"] in _NUMBERS
        ]
        self._numbered: dict[tuple[str, str, int], list[_Asked]] = defaultdict(list)
        for entry in self._lines:
            event = entry.line["event"]
            self._numbered[entry.host, event, entry.line[_NUMBERS[event]]].append(entry)

    def concerns(self, frame: Frame) -> bool:
        """Tell whether a frame is one between a workstation and a service, by its addresses and ports."""
        ports = {frame.sport, frame.dport}
        if frame.protocol == UDP and ports == {DHCP_PORT, DHCP_CLIENT_PORT}:
            return bool(self._hosts)
        service = {TCP: HTTP_PORT, UDP: DNS_PORT}.get(frame.protocol)
        there = (frame.target, frame.dport), (frame.source, frame.sport)
        return (BROKER.ip, service) in there and bool({frame.source, frame.target} & self._by_ip.keys())

    def explain(self, frame: Frame) -> list[str]:
        """Return the reasons to doubt a frame that :meth:`concerns` workstations."""
        upward = frame.dport in (DHCP_PORT, DNS_PORT, HTTP_PORT)
        if frame.protocol == TCP:
            return self._fetched(frame, upward=upward)
        if DHCP_PORT in (frame.sport, frame.dport):
            return self._leased(frame, upward=upward)
        return self._looked_up(frame, upward=upward)

    def close(self) -> Iterator[Doubt]:
        """Yield the requests that workstations recorded and the capture does not show, and answers that were not as they say."""
        for entry in self._lines:
            line = entry.line
            got = bool(line["status"] if line["event"] == "fetch" else line["answer"])
            if not entry.asked:
                yield Doubt(
                    f"journal/{entry.host}.jsonl",
                    f"has a {line['event']} at {line['at_ns']} ns that is not in the capture",
                )
            elif got and not entry.answered:
                yield Doubt(
                    f"journal/{entry.host}.jsonl",
                    f"has an answer to its {line['event']} at {line['at_ns']} ns that is not in the capture",
                )

    def _due(self, frame: Frame, host: str, event: str, number: int) -> list[_Asked]:
        """Return the lines of a workstation with a port or number whose time a frame has."""
        return [
            entry
            for entry in self._numbered.get((host, event, number), ())
            if entry.line["at_ns"] - EARLY_NS <= frame.at_ns <= entry.line["at_ns"] + _PATIENCE_NS
        ]

    def _own(self, frame: Frame, *, upward: bool) -> bool:
        """Tell whether a workstation and the broker speak to each other under their own addresses."""
        here, there = (frame.source, frame.target) if upward else (frame.target, frame.source)
        macs = (frame.eth_src, frame.eth_dst) if upward else (frame.eth_dst, frame.eth_src)
        return there == BROKER.ip and macs == (self._by_ip[here].mac, BROKER.mac)

    # -- DNS ------------------------------------------------------------------------------------------------------

    def _looked_up(self, frame: Frame, *, upward: bool) -> list[str]:
        if not self._own(frame, upward=upward):
            return ["is DNS under the address of another host"]
        host = self._by_ip[frame.source if upward else frame.target].name
        port = frame.sport if upward else frame.dport
        number, name = int.from_bytes(frame.payload[:2], "big"), _question(frame.payload)
        for entry in self._due(frame, host, "lookup", port):
            same = (entry.line["number"], entry.line["question"]) == (number, name)
            if same and _took_its_turn(entry, upward=upward):
                return []
        return [f"is a DNS {_side(upward)} {number} for {name!r} that {host} did not record"]

    # -- DHCP -----------------------------------------------------------------------------------------------------

    def _leased(self, frame: Frame, *, upward: bool) -> list[str]:
        data = frame.payload
        number, mac = int.from_bytes(data[4:8], "big"), data[28:34].hex(":")
        host = next((host for host in self._hosts.values() if host.mac == mac), None)
        if host is None or frame.eth_src != (host.mac if upward else BROKER.mac):
            return ["is DHCP of a host that is no workstation"]
        known = (host.ip, BROKER.ip) if upward else (BROKER.ip, host.ip)
        fresh = (NOWHERE, _EVERYBODY) if upward else (BROKER.ip, _EVERYBODY)
        between = frame.source, frame.target
        broadcast = between == fresh and frame.eth_dst == BROADCAST
        if between != known and not broadcast:
            return ["is DHCP between other addresses than those of workstation and server"]
        kind = _message_kind(data)
        step = "renew" if upward and not broadcast and kind == 3 else _STEPS.get(kind, "")  # noqa: PLR2004 - REQUEST
        for entry in self._due(frame, host.name, "lease", number):
            fits = entry.line["step"] == step if upward else entry.line["answer"] == _ANSWERS.get(kind)
            if fits and _took_its_turn(entry, upward=upward):
                return []
        return [f"is a DHCP {_side(upward)} of transaction {number} that {host.name} did not record"]

    # -- HTTP -----------------------------------------------------------------------------------------------------

    def _fetched(self, frame: Frame, *, upward: bool) -> list[str]:
        if not self._own(frame, upward=upward):
            return ["is HTTP under the address of another host"]
        host = self._by_ip[frame.source if upward else frame.target].name
        port = frame.sport if upward else frame.dport
        lines = self._due(frame, host, "fetch", port)
        if upward and frame.flags & (SYN | ACK) == SYN:
            entry = next((entry for entry in lines if entry.next is None), None)
            if entry is not None:
                entry.next = {True: (frame.seq + 1) & 0xFFFFFFFF}
                return []
        entry = next((entry for entry in reversed(lines) if entry.next is not None), None)
        if entry is None or entry.next is None:
            return [f"belongs to no connection that {host} recorded"]
        return [*_in_sequence(entry.next, frame, upward=upward), *_spoken(entry, frame, upward=upward)]


def _took_its_turn(entry: _Asked, *, upward: bool) -> bool:
    """Note a request or an answer; tell whether it was the first request, or the first answer after a request."""
    if upward:
        first, entry.asked = not entry.asked, True
    else:
        first, entry.answered = entry.asked and not entry.answered, True
    return first


def _side(upward: bool) -> str:
    return "request" if upward else "answer"


def _question(message: bytes) -> str:
    """Return the name in the question of a DNS message (RFC 1035, section 4.1.2), without the last dot."""
    labels, at = [], 12
    while at < len(message) and 0 < message[at] < 64:  # noqa: PLR2004 - longest label
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels)


def _message_kind(message: bytes) -> int:
    """Return the option 53 of a DHCP message, 0 where it has none."""
    at = 240
    if message[236:at] != _COOKIE:
        return 0
    while at + 2 < len(message) and message[at] != 255:  # noqa: PLR2004 - the end option
        if message[at] == 53:  # noqa: PLR2004 - message type
            return message[at + 2]
        at += 1 if message[at] == 0 else 2 + message[at + 1]
    return 0


def _in_sequence(known: dict[bool, int], frame: Frame, *, upward: bool) -> Iterator[str]:
    """Yield the reason to doubt a segment that leaves a gap in its connection, or acknowledges what was not sent."""
    if frame.flags & SYN:
        known.setdefault(upward, frame.seq)
    if upward not in known:
        yield "is an answer on a connection that was not accepted"
        return
    if ahead(frame.seq, known[upward]) > 0:
        yield "leaves a gap in its connection"
    if frame.flags & ACK and (not upward) in known and ahead(frame.ack, known[not upward]) > 0:
        yield "acknowledges what nobody sent"
    end = (frame.seq + frame.length) & 0xFFFFFFFF
    if ahead(end, known[upward]) > 0:
        known[upward] = end


def _spoken(entry: _Asked, frame: Frame, *, upward: bool) -> Iterator[str]:
    """Note request and answer in a connection, and yield the reason to doubt what is said in it."""
    if not frame.payload:
        return
    if upward:
        if not entry.asked and not frame.payload.startswith(
            f"GET {entry.line['path']} HTTP/1.1\r\n".encode()
        ):
            yield f"does not request {entry.line['path']}"
        entry.asked = True
    elif not entry.answered:
        status = frame.payload[9:12].decode("ascii", "replace")
        if not entry.asked or status != str(entry.line["status"]):
            yield f"answers with {status}, and {entry.host} says {entry.line['status']}"
        entry.answered = True
