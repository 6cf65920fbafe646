"""What the attacker writes down: every frame it touched, every act, every phase of an episode."""

from dataclasses import dataclass
from typing import Protocol

from coldaisle_contracts.addressing import BROKER, Host
from coldaisle_contracts.journal import Journal, frame_digest
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector.catalogue import Reading


class Times(Protocol):
    """The two clocks an attacker needs."""

    def now_ns(self) -> int:
        """Return the virtual time, ns."""

    def wall_ns(self) -> int:
        """Return the wall time, ns."""


@dataclass
class Notes:
    """The lines of one path in the attacker's journal.

    Attributes:
        unit: the victim.
        times: the attacker's clocks.
        journal: where the lines go.
        episode: the episode the next lines belong to.
    """

    unit: Host
    times: Times
    journal: Journal
    episode: str = ""

    def phase(self, phase: str) -> None:
        """Note that the episode entered a phase."""
        self.journal.write("episode", episode=self.episode, phase=phase, at_ns=self.times.now_ns())

    def frame(self, frame: bytes, side: Host, role: Role, act: str, *, attack: bool) -> None:
        """Note a frame as it is on one side's wire.

        Args:
            frame: the frame.
            side: the host whose wire it is on.
            role: what the frame is to the episode.
            act: what the attacker did with it.
            attack: whether it is an attack.
        """
        self.journal.write(
            "frame",
            episode=self.episode,
            digest=frame_digest(frame),
            role=str(role),
            attack=attack,
            side="broker" if side is BROKER else "unit",
            act=act,
            at_ns=self.times.now_ns(),
        )

    def act(
        self, operation: str, reading: Reading, port: int, mid: int, after: str | None, *, copy: int = 0
    ) -> None:
        """Note what was done to a reading.

        Args:
            operation: ``modify``, ``swallow`` or ``copy``.
            reading: the reading as it was sent.
            port: the sensor's TCP port.
            mid: the message id.
            after: the value delivered, ``None`` when none was.
            copy: which copy of the reading it is, from 1; 0 when it is none.
        """
        self.journal.write(
            "act",
            episode=self.episode,
            unit=self.unit.name,
            slot=reading.slot,
            sensor=reading.sensor,
            operation=operation,
            before=reading.value,
            after=after,
            port=port,
            mid=mid,
            copy=copy,
            at_ns=self.times.now_ns(),
        )
