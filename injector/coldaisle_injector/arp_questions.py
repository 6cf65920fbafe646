"""ARP of the attacker's own host, and the episode to which each question and answer belongs.

A kernel broadcasts a question only if it has a packet for a host whose MAC address it does not know (RFC 826). So the question and its
answer belong to the episode of that packet: the next one from the host that asked to the host it asked for. A unicast question renews an
entry of the kernel's cache; it follows from no act and belongs to no episode.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from coldaisle_contracts.addressing import Host
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import Arp
from coldaisle_injector.wire import BROADCAST

_ASKS = 1

Direction = tuple[bool, str]
"""Whether the attacker's own host asked, and the other host's IPv4 address."""


@dataclass(frozen=True)
class TappedFrame:
    """An ARP frame on the attacker's own interface.

    Attributes:
        frame: the frame.
        outgoing: whether the attacker's own host sent it.
        at_ns: virtual time, in ns since the epoch.
    """

    frame: bytes
    outgoing: bool
    at_ns: int


@dataclass
class Questions:
    """The ARP questions from or for the attacker's own address.

    Attributes:
        note: writes an ARP frame into the journal of its episode.
        hosts: the hosts of the network.
    """

    note: Callable[[TappedFrame, Notes], None]
    hosts: Iterable[Host]
    _waiting: dict[Direction, list[TappedFrame]] = field(default_factory=dict)
    _owner: dict[Direction, Notes | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._macs = {host.ip: host.mac for host in self.hosts}

    def asked(self, address: str, notes: Notes) -> None:
        """Take note of a question that an act sent itself."""
        self._settle((True, address), notes)

    def hear(self, arp: Arp, tapped: TappedFrame) -> None:
        """Journal an ARP frame now, or later when its episode is known; the kernel's own frames and forged ones get no line."""
        if arp.sender_mac != self._macs.get(arp.sender_ip):
            return
        peer = arp.target_ip if tapped.outgoing else arp.sender_ip
        asks = arp.operation == _ASKS
        direction = (tapped.outgoing is asks, peer)
        if asks and tapped.frame[:6] == BROADCAST:
            self._owner[direction] = None
            self._waiting.setdefault(direction, []).append(tapped)
        elif asks:
            self._settle(direction, None)
        elif direction in self._waiting:
            self._waiting[direction].append(tapped)
        elif (notes := self._owner.get(direction)) is not None:
            self.note(tapped, notes)

    def let_through(self, peer: str, notes: Notes | None, *, outgoing: bool) -> None:
        """Assign the questions before an IPv4 frame between the attacker's own host and another one to the frame's episode."""
        if (direction := (outgoing, peer)) in self._waiting:
            self._settle(direction, notes)

    def _settle(self, direction: Direction, notes: Notes | None) -> None:
        self._owner[direction] = notes
        for tapped in self._waiting.pop(direction, ()):
            if notes is not None:
                self.note(tapped, notes)
