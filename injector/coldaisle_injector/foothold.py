"""The attacker's own host: clients of the broker, raw frames, and a tap that journals the frames of its episodes.

The host's kernel sends frames by itself (TCP of the clients, ARP, RST), so the injector does not know them from its own calls. The tap
sees each frame that the interface sends or receives, and journals it in the episode of the flow that it follows from. A frame that
follows from no act gets no line. The ledger accepts ARP without a line as the kernel's own, and reports any other frame without one.
"""

from collections.abc import Iterable
from functools import partial

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, Host
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector.arp_questions import Questions, TappedFrame
from coldaisle_injector.client import Client
from coldaisle_injector.flows import Flows
from coldaisle_injector.notes import Notes, Times
from coldaisle_injector.script import Script, Until
from coldaisle_injector.segments import Arp, read_addresses, read_arp
from coldaisle_injector.wire import BROADCAST, Wire

_TOGETHER = 32
"""Number of connections that are closed at once."""
_BROKER = bytes.fromhex(BROKER.mac.replace(":", ""))


class Foothold:
    """The attacker's actions under its own addresses.

    Args:
        wire: its socket for raw frames.
        times: the attacker's clocks.
        hosts: the hosts of the network.

    Attributes:
        clients: open connections to the broker.
    """

    def __init__(self, wire: Wire, times: Times, hosts: Iterable[Host]) -> None:
        self._wire, self._times = wire, times
        self._flows = Flows()
        self._questions = Questions(self._note, hosts)
        self.clients: list[Client] = []

    def enter(self, episode: Episode, notes: Notes) -> None:
        """Begin an episode."""
        notes.start(episode)
        notes.phase("begin")

    def leave(self, notes: Notes) -> Script:
        """End an episode: close its open connections, a few at a time so that the tap keeps up, and wait for their end."""
        while left := [client for client in self.clients if client.notes is notes][:_TOGETHER]:
            for client in left:
                client.close()
            yield Until(partial(_ended, left), "its clients to close")
        notes.phase("end")

    def client(self, notes: Notes, first: bytes = b"") -> Client:
        """Open a connection to the broker for an episode, and send its first bytes."""
        client = Client(notes, self.clients.remove)
        self._flows.open(client.port, BROKER.ip, MQTT_PORT, notes)
        notes.opened(client.port)
        self.clients.append(client)
        client.open()
        client.send(first)
        return client

    def send(self, frame: bytes, notes: Notes, act: FrameAct) -> None:
        """Send a raw frame of an episode from the attacker's own address; answers to it belong to the episode.

        Args:
            frame: the frame.
            notes: the episode's journal.
            act: its act in the journal.
        """
        if (arp := read_arp(frame)) is not None:
            self._questions.asked(arp.target_ip, notes)
        self._flows.made(frame, notes)
        notes.spend()
        self._wire.send(frame)
        notes.frame(frame, BROKER, Role.INJECTED, act, anomalous=True)

    def concerns(self, arp: Arp | None, addresses: tuple[str, str] | None) -> bool:
        """Tell whether a frame is from or to the attacker's own address, by the ARP packet in it or its IPv4 addresses."""
        if arp is not None:
            return INJECTOR.ip in (arp.target_ip, arp.sender_ip)
        return addresses is not None and INJECTOR.ip in addresses

    def tap(self, frame: bytes, *, outgoing: bool) -> None:
        """Journal a frame that the attacker's kernel sent or received, if it follows from an act."""
        tapped = TappedFrame(frame, outgoing, self._times.now_ns())
        if (arp := read_arp(frame)) is not None:
            self._questions.hear(arp, tapped)
            return
        addresses = read_addresses(frame)
        if addresses is None:
            return
        notes = self._flows.owner(frame, outgoing=outgoing)
        self._questions.let_through(addresses[1 if outgoing else 0], notes, outgoing=outgoing)
        if notes is not None:
            self._note(tapped, notes)

    def _note(self, tapped: TappedFrame, notes: Notes) -> None:
        """Write a frame of the own host into the journal of its episode."""
        side = BROKER if _reaches_the_broker(tapped.frame) else INJECTOR
        if tapped.outgoing:
            notes.spend()
        role = Role.INJECTED if tapped.outgoing else Role.CONSEQUENCE
        act: FrameAct = "speak" if tapped.outgoing else "answer"
        notes.frame(tapped.frame, side, role, act, anomalous=True, at_ns=tapped.at_ns)


def _ended(clients: list[Client]) -> bool:
    """Tell whether all clients are closed."""
    return all(client.ended for client in clients)


def _reaches_the_broker(frame: bytes) -> bool:
    """Tell whether a frame passes the broker's link: from it, to it or broadcast."""
    return frame[:6] == BROADCAST or _BROKER in (frame[:6], frame[6:12])
