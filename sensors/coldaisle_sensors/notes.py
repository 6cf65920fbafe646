"""The journal lines of the episodes that a unit plays itself; they have the same keys as the attacker's."""

from dataclasses import dataclass

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import ActLine, EpisodeLine, Phase
from coldaisle_contracts.plan import Act, Episode


@dataclass(frozen=True)
class Notes:
    """The lines of a unit's own episodes in its journal.

    Attributes:
        clock: the unit's clock.
        journal: the unit's journal.
    """

    clock: Clock
    journal: Journal

    def phase(self, episode: Episode, phase: Phase) -> None:
        """Journal that an episode entered a phase, ``begin`` or ``end``."""
        self.journal.write(EpisodeLine(episode.id, phase, self.clock.now_ns()))

    def act(self, episode: Episode, act: Act) -> None:
        """Journal an act; no frame carries it, so the keys that identify one stay empty."""
        line = ActLine(
            episode=episode.id,
            unit=episode.unit,
            slot=act.slot,
            sensor=act.sensor,
            operation=act.operation,
            before=None,
            after=None,
            port=0,
            mid=0,
            copy=0,
            digest="",
            client="",
            at_ns=self.clock.now_ns(),
        )
        self.journal.write(line)
