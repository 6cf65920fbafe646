"""The attacker's own place on the network: clients of the broker, raw frames, and a tap that notes every frame of it.

Its kernel speaks for it here (TCP of its clients, ARP, RST), so nothing is known by sending alone: the tap sees each frame its
interface sends or receives, and notes it with the episode that opened the port.
"""

from functools import partial

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector.client import Client
from coldaisle_injector.notes import Notes
from coldaisle_injector.script import Script, Until
from coldaisle_injector.segments import read_addresses, read_arp, read_ports
from coldaisle_injector.wire import Wire

_TOGETHER = 32
"""So many connections are closed at once."""
_BROADCAST = b"\xff" * 6
_BROKER = bytes.fromhex(BROKER.mac.replace(":", ""))


class Foothold:
    """What the attacker does in its own name.

    Args:
        wire: its socket for raw frames.

    Attributes:
        clients: connections to the broker that are open.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._owner: dict[int, Notes] = {}
        self._last: Notes | None = None
        self.clients: list[Client] = []

    def enter(self, episode: Episode, notes: Notes) -> None:
        """Begin an episode."""
        notes.start(episode)
        self._last = notes
        notes.phase("begin")

    def leave(self, notes: Notes) -> Script:
        """End an episode: close what it left open, a few at a time so that the tap keeps up, and wait until that is done."""
        while left := [each for each in self.clients if each.notes is notes][:_TOGETHER]:
            for client in left:
                client.close()
            yield Until(partial(_ended, left), "its clients to close")
        notes.phase("end")

    def client(self, notes: Notes) -> Client:
        """Open a connection to the broker for an episode."""
        self._last = notes
        client = Client(notes, self._forget)
        self._owner[client.port] = notes
        self.clients.append(client)
        client.open()
        return client

    def _forget(self, client: Client) -> None:
        self.clients.remove(client)

    def send(self, frame: bytes, notes: Notes, act: str, port: int = 0) -> None:
        """Send a raw frame of an episode, from the attacker's own address.

        Args:
            frame: the frame.
            notes: the episode's journal.
            act: what it is.
            port: the port it comes from: answers to it belong to the episode.
        """
        if port:
            self._owner[port] = notes
        self._last = notes
        notes.spend()
        self._wire.send(frame)
        notes.frame(frame, BROKER, Role.INJECTED, act, anomalous=True)

    def concerns(self, frame: bytes) -> bool:
        """Tell whether a frame is from or to the attacker's own address."""
        if (arp := read_arp(frame)) is not None:
            return INJECTOR.ip in (arp.target_ip, arp.sender_ip)
        addresses = read_addresses(frame)
        return addresses is not None and INJECTOR.ip in addresses

    def tap(self, frame: bytes, *, outgoing: bool) -> None:
        """Note a frame of the attacker's own interface that its kernel sent or received."""
        ports = read_ports(frame)
        local = ports[0 if outgoing else 1] if ports else 0
        notes = self._owner.get(local, self._last)
        if notes is None:
            return  # the ledger will name it: nobody accounts for it
        if outgoing:
            notes.spend()
        role, act = (Role.INJECTED, "speak") if outgoing else (Role.CONSEQUENCE, "answer")
        side = BROKER if _reaches_the_broker(frame) else INJECTOR
        notes.frame(frame, side, role, act, anomalous=True)


def _ended(clients: list[Client]) -> bool:
    """Tell whether all of these are closed."""
    return all(client.ended for client in clients)


def _reaches_the_broker(frame: bytes) -> bool:
    """Tell whether a frame is on the broker's wire: from it, to it or to everybody."""
    return frame[:6] == _BROADCAST or _BROKER in (frame[:6], frame[6:12])
