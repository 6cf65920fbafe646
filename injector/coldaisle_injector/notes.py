"""What the attacker writes down: every frame it touched, every act, every phase of an episode."""

from dataclasses import dataclass, field
from typing import Protocol

from coldaisle_contracts.addressing import BROKER, Host
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.journal import Journal, frame_digest
from coldaisle_contracts.journal_lines import ActLine, EpisodeLine, FrameAct, FrameLine, OpenLine, Phase
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector.edits import Reading

GRACE_NS = 600 * SECOND
"""An episode sends nothing more so long after its end, ns: stragglers on connections it holds come at the next readings."""


class Times(Protocol):
    """The two clocks an attacker needs."""

    def now_ns(self) -> int:
        """Return the virtual time, ns."""

    def wall_ns(self) -> int:
        """Return the wall time, ns."""


class BudgetError(ColdaisleError):
    """An episode was about to send more than the plan allows."""

    exit_code = 3

    def __init__(self, episode: str, packets: int) -> None:
        super().__init__(
            f"episode {episode}: more than the {packets} frames the plan allows; nothing more was sent"
        )


@dataclass
class Notes:
    """The lines of one path, or of one stay on the network, in the attacker's journal.

    Attributes:
        target: the host attacked.
        times: the attacker's clocks.
        journal: where the lines go.
        episode: id of the episode the next lines belong to.
    """

    target: Host
    times: Times
    journal: Journal
    episode: str = ""
    _left: int = field(default=0, repr=False)
    _packets: int = field(default=0, repr=False)

    def start(self, episode: Episode) -> None:
        """Let the next lines belong to an episode, and its budget be spent."""
        self.episode = episode.id
        self._left = self._packets = episode.packets

    def spend(self, frames: int = 1) -> None:
        """Take frames from the episode's budget, before they are sent.

        Raises:
            BudgetError: if the plan does not allow that many.
        """
        self._left -= frames
        if self._left < 0:
            raise BudgetError(self.episode, self._packets)

    def phase(self, phase: Phase) -> None:
        """Note that the episode entered a phase."""
        self.journal.write(EpisodeLine(self.episode, phase, self.times.now_ns()))

    def opened(self, port: int) -> None:
        """Note that an act opens a connection to the broker from a port of the attacker's own host."""
        self.journal.write(OpenLine(self.episode, port, self.times.now_ns()))

    def frame(
        self,
        frame: bytes,
        side: Host,
        role: Role,
        act: FrameAct,
        *,
        anomalous: bool,
        at_ns: int | None = None,
    ) -> str:
        """Note a frame as it is on one side's wire, and return its digest.

        Args:
            frame: the frame.
            side: the host whose wire it is on.
            role: what the frame is to the episode.
            act: what the attacker did with it.
            anomalous: whether it is part of the anomaly, not merely relayed.
            at_ns: when it passed, virtual time, in ns; now when left out.
        """
        digest = frame_digest(frame)
        line = FrameLine(
            episode=self.episode,
            digest=digest,
            role=role,
            anomalous=anomalous,
            side="broker" if side is BROKER else "unit",
            act=act,
            at_ns=self.times.now_ns() if at_ns is None else at_ns,
        )
        self.journal.write(line)
        return digest

    def act(
        self,
        operation: str,
        reading: Reading | None = None,
        *,
        slot: int = -1,
        sensor: int = 0,
        after: str | None = None,
        port: int = 0,
        mid: int = 0,
        copy: int = 0,
        digest: str = "",
        client: str = "",
    ) -> None:
        """Note what was done.

        Args:
            operation: what, such as ``modify``, ``swallow``, ``copy`` or a kind's name.
            reading: the reading it was done to, as it was sent; else slot and sensor say what it concerns.
            slot: slot of the act.
            sensor: its sensor, 0 for none.
            after: the value delivered, ``None`` when none was.
            port: TCP port of the connection concerned.
            mid: the message id.
            copy: which copy of the reading it is, from 1; 0 when it is none.
            digest: digest of the frame that carries the result to the broker.
            client: MQTT client id concerned.
        """
        line = ActLine(
            episode=self.episode,
            unit=self.target.name,
            slot=reading.slot if reading else slot,
            sensor=reading.sensor if reading else sensor,
            operation=operation,
            before=reading.value if reading else None,
            after=after,
            port=port,
            mid=mid,
            copy=copy,
            digest=digest,
            client=client,
            at_ns=self.times.now_ns(),
        )
        self.journal.write(line)
