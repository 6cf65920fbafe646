"""The attacker's own host: the frames that follow from an act, determined from the capture and the connections that acts opened.

The attacker records each frame while it happens; this module examines the finished capture instead, and both have to agree. A frame
follows from an act by 4-tuple and sequence number, as an ICMP error that quotes it, as an ARP answer, or as the ARP request that it
needed (RFC 826). Time is used only to choose between two connections from one port for an ``open`` line.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from coldaisle_analysis.witness.frames import ACK, BROADCAST, ICMP, RST, SYN, TCP, UDP, Frame, ahead, quoted
from coldaisle_analysis.witness.journals import EARLY_NS, Line
from coldaisle_analysis.witness.verdict import KERNEL, Doubt
from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, Host

_ASKS = 1

Key = tuple[int, int, str, int]
"""IP protocol, port of the attacker's host, the other side's address and port."""


@dataclass
class _Flow:
    episode: str
    first: int | None = None
    next: int = 0
    acked: int | None = None


class OwnHost:
    """Follows the attacker's own host through a shard's capture.

    Args:
        opened: the ``open`` lines of the shard.
        hosts: the hosts of the plan.
        settle: called with the number of a frame and its episode, or :data:`KERNEL`.
    """

    def __init__(self, opened: list[Line], hosts: Iterable[Host], settle: Callable[[int, str], None]) -> None:
        self._macs = {host.ip: host.mac for host in hosts}
        self._opened: dict[int, list[Line]] = defaultdict(list)
        for line in opened:
            self._opened[line["port"]].append(line)
        self._settle = settle
        self._flows: dict[Key, _Flow] = {}
        self._waiting: dict[tuple[bool, str], list[int]] = {}  # frames of unknown cause, by number
        self._owner: dict[tuple[bool, str], str] = {}

    def crafted(self, frame: Frame, episode: str) -> None:
        """Note a frame that an act created."""
        if frame.kind == "arp":
            self._decide((True, frame.target), episode)
        elif frame.protocol in (TCP, UDP):
            key = frame.protocol, frame.sport, frame.target, frame.dport
            self._flows[key] = _Flow(episode, frame.seq, (frame.seq + frame.length) & 0xFFFFFFFF)

    def explain(self, number: int, frame: Frame) -> bool:
        """Settle the cause of a frame, now or later; tell whether anything explains it."""
        if frame.kind == "arp":
            return self._question(number, frame)
        outgoing = frame.source == INJECTOR.ip
        episode = self._episode(frame, outgoing=outgoing)
        way = outgoing, frame.target if outgoing else frame.source
        if way in self._waiting:
            self._decide(way, episode or KERNEL)
        if episode is not None:
            self._settle(number, episode)
        return episode is not None

    def close(self) -> Iterator[Doubt]:
        """Attribute unanswered ARP requests to the kernel, and yield the openings without a connection."""
        for way in list(self._waiting):
            self._decide(way, KERNEL)
        for lines in self._opened.values():
            for line in lines:
                where = f"journal/injector.jsonl: line {line['line']}"
                yield Doubt(where, f"opens a connection from port {line['port']} that is not in the capture")

    # -- ARP ------------------------------------------------------------------------------------------------------

    def _question(self, number: int, frame: Frame) -> bool:
        if self._macs.get(frame.source) != frame.sender_mac or frame.sender_mac != frame.eth_src:
            return False
        outgoing, asks = frame.source == INJECTOR.ip, frame.operation == _ASKS
        way = outgoing is asks, frame.target if outgoing else frame.source
        if asks and frame.eth_dst == BROADCAST:
            self._owner.pop(way, None)
            self._waiting.setdefault(way, []).append(number)
        elif not asks and way in self._waiting:
            self._waiting[way].append(number)
        elif asks:
            self._decide(way, KERNEL)
            self._settle(number, KERNEL)
        elif way in self._owner:
            self._settle(number, self._owner[way])
        else:
            return False
        return True

    def _decide(self, way: tuple[bool, str], episode: str) -> None:
        self._owner[way] = episode
        for number in self._waiting.pop(way, ()):
            self._settle(number, episode)

    # -- TCP, UDP and ICMP ----------------------------------------------------------------------------------------

    def _episode(self, frame: Frame, *, outgoing: bool) -> str | None:
        if frame.protocol == ICMP:
            inner = quoted(frame)
            if inner is None:
                return None
            flow = self._flows.get(_key(inner, outgoing=inner.source == INJECTOR.ip))
            return flow.episode if flow else None
        key = _key(frame, outgoing=outgoing)
        if frame.protocol == TCP and outgoing and frame.flags & SYN:
            self._connect(key, frame)
        flow = self._flows.get(key)
        if flow is None or (frame.protocol == TCP and not _continues(flow, frame, outgoing=outgoing)):
            return None
        return flow.episode

    def _connect(self, key: Key, frame: Frame) -> None:
        """Begin the flow of a SYN that an act requested from its kernel."""
        flow = self._flows.get(key)
        again = flow is not None and flow.first == frame.seq
        lines = self._opened.get(frame.sport, [])
        if again or (frame.target, frame.dport) != (BROKER.ip, MQTT_PORT) or not lines:
            return
        if lines[0]["at_ns"] <= frame.at_ns + EARLY_NS:
            self._flows[key] = _Flow(lines.pop(0)["episode"], frame.seq, frame.seq)


def _key(frame: Frame, *, outgoing: bool) -> Key:
    if outgoing:
        return frame.protocol, frame.sport, frame.target, frame.dport
    return frame.protocol, frame.dport, frame.source, frame.sport


def _continues(flow: _Flow, frame: Frame, *, outgoing: bool) -> bool:
    """Tell whether a segment continues a connection or answers it, and update the connection."""
    if flow.first is None:
        return False
    if not outgoing:
        if frame.flags & ACK:
            return ahead(frame.ack, flow.first) > 0 and ahead(frame.ack, flow.next) <= 0
        return bool(frame.flags & RST) and flow.acked is not None and ahead(frame.seq, flow.acked) <= 0
    begins = frame.flags & SYN and frame.seq != flow.first
    if begins or ahead(frame.seq, flow.first) < 0 or ahead(frame.seq, flow.next) > 0:
        return False
    if ahead(frame.seq + frame.length, flow.next) > 0:
        flow.next = (frame.seq + frame.length) & 0xFFFFFFFF
    if frame.flags & ACK:
        flow.acked = frame.ack
    return True
