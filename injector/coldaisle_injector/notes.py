"""The attacker's journal: frames, acts and phases of episodes, and the budget of frames."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from coldaisle_contracts.addressing import BROKER, Host
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal import Journal, frame_digest
from coldaisle_contracts.journal_lines import (
    ActLine,
    EpisodeLine,
    FrameAct,
    FrameLine,
    OpenLine,
    Phase,
    RefuseLine,
)
from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.taxonomy import Role
from coldaisle_injector.edits import Reading


class Times(Protocol):
    """Both clocks of the attacker."""

    def now_ns(self) -> int:
        """Return the virtual time, in ns."""

    def wall_ns(self) -> int:
        """Return the wall time, in ns."""


class BudgetError(RunError):
    """An episode was about to send more than the plan allows."""

    def __init__(self, episode: str, packets: int) -> None:
        limit = f"the {packets} frames that the plan allows"
        super().__init__(f"episode {episode} was about to exceed {limit}; nothing more was sent")


@dataclass
class Notes:
    """The lines of one path, or of one episode of the attacker's own host, in the attacker's journal.

    Attributes:
        target: the host attacked.
        times: the attacker's clocks.
        journal: where the lines go.
        episode: id of the episode of the next lines.
    """

    target: Host
    times: Times
    journal: Journal
    episode: str = ""
    _left: int = field(default=0, repr=False)
    _packets: int = field(default=0, repr=False)

    def start(self, episode: Episode) -> None:
        """Begin an episode: the next lines belong to it, and its budget is full."""
        self.episode = episode.id
        self._left = self._packets = episode.packets

    def spend(self, frames: int = 1) -> None:
        """Take frames from the budget of the episode before they are sent.

        Raises:
            BudgetError: if the plan does not allow that many.
        """
        self._left -= frames
        if self._left < 0:
            raise BudgetError(self.episode, self._packets)

    def phase(self, phase: Phase) -> None:
        """Journal that the episode entered a phase."""
        self.journal.write(EpisodeLine(self.episode, phase, self.times.now_ns()))

    def opened(self, port: int) -> None:
        """Journal that an act opens a connection to the broker from a port of the attacker's own host."""
        self.journal.write(OpenLine(self.episode, port, self.times.now_ns()))

    def refused(self, port: int) -> None:
        """Journal that the attack refuses a connection that the unit opens from a port."""
        self.journal.write(RefuseLine(self.episode, port, self.times.now_ns()))

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
        """Journal a frame as it passes one side's link, and return its digest.

        Args:
            frame: the frame.
            side: the host at the other end of that link.
            role: role of the frame in the episode.
            act: the attacker's act on the frame.
            anomalous: whether it is part of the anomaly, not merely relayed.
            at_ns: virtual time at which it passed, in ns; now when left out.
        """
        digest = frame_digest(frame)
        name: Literal["broker", "unit"] = "broker" if side is BROKER else "unit"
        passed_ns = self.times.now_ns() if at_ns is None else at_ns
        self.journal.write(FrameLine(self.episode, digest, role, anomalous, name, act, passed_ns))
        return digest

    def act(
        self,
        operation: str,
        about: Reading | Act | None = None,
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
        """Journal an act.

        Args:
            operation: its operation, such as ``modify``, ``swallow``, ``copy`` or the name of a kind.
            about: the reading concerned, as it was sent, or the act of the plan; without either, slot and sensor say what it concerns.
            slot: slot of the act.
            sensor: its sensor, 0 for none.
            after: the value that was delivered, ``None`` for none.
            port: TCP port of the connection concerned.
            mid: the message id.
            copy: number of the copy of the reading, from 1; 0 for none.
            digest: digest of the frame that carries the result to the broker.
            client: MQTT client id concerned.
        """
        line = ActLine(
            episode=self.episode,
            unit=self.target.name,
            slot=about.slot if about else slot,
            sensor=about.sensor if about else sensor,
            operation=operation,
            before=about.value or None if isinstance(about, Reading) else None,
            after=after or None,
            port=port,
            mid=mid,
            copy=copy,
            digest=digest,
            client=client,
            at_ns=self.times.now_ns(),
        )
        self.journal.write(line)
