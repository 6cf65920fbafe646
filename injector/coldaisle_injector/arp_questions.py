"""Questions: ARP on the attacker's own host, and whose doing each question and answer is.

A kernel asks everybody only when it has something to send to a host it does not know (RFC 826). So such a question and its answer
belong to the frame they let through: the next one from who asked to who was asked for. A question to a single host renews what a
kernel knows already. It follows from no act: it is the kernel's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from coldaisle_contracts.addressing import HOSTS
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import Arp

_BROADCAST = b"\xff" * 6
_ASKS = 1
_MACS = {host.ip: host.mac for host in HOSTS}

Way = tuple[bool, str]
"""Whether the attacker's own host asked, and the other host's IPv4 address."""


@dataclass(frozen=True)
class Seen:
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
    """Every ARP question from or to the attacker's own address.

    Attributes:
        note: writes an ARP frame into the journal of the episode it belongs to.
    """

    note: Callable[[Seen, Notes], None]
    _waiting: dict[Way, list[Seen]] = field(default_factory=dict)
    _owner: dict[Way, Notes | None] = field(default_factory=dict)

    def asked(self, address: str, notes: Notes) -> None:
        """Take note of a question that an act asked itself."""
        self._settle((True, address), notes)

    def hear(self, arp: Arp, seen: Seen) -> None:
        """Note an ARP frame now, or later when it is known what it was for. The kernel's own and a forged one get no line."""
        if arp.sender_mac != _MACS.get(arp.sender_ip):
            return
        peer = arp.target_ip if seen.outgoing else arp.sender_ip
        asks = arp.operation == _ASKS
        way = (seen.outgoing is asks, peer)
        if asks and seen.frame[:6] == _BROADCAST:
            self._owner[way] = None
            self._waiting.setdefault(way, []).append(seen)
        elif asks:
            self._settle(way, None)
        elif way in self._waiting:
            self._waiting[way].append(seen)
        elif (notes := self._owner.get(way)) is not None:
            self.note(seen, notes)

    def let_through(self, peer: str, notes: Notes | None, *, outgoing: bool) -> None:
        """Settle whose doing the questions before an IPv4 frame between the attacker's own host and another one were."""
        if (way := (outgoing, peer)) in self._waiting:
            self._settle(way, notes)

    def _settle(self, way: Way, notes: Notes | None) -> None:
        self._owner[way] = notes
        for seen in self._waiting.pop(way, ()):
            if notes is not None:
                self.note(seen, notes)
