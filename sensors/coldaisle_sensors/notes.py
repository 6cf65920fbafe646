"""The journal lines of the episodes that a unit plays itself; they have the same keys as the attacker's."""

from dataclasses import dataclass

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import ActLine, EpisodeLine, Phase
from coldaisle_contracts.plan import Act, Episode
from coldaisle_sensors.reporting import Delivery


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

    def act(
        self,
        episode: Episode,
        act: Act,
        *,
        operation: str = "",
        before: str | None = None,
        after: str | None = None,
        copy: int = 0,
        delivery: Delivery | None = None,
    ) -> None:
        """Journal an act. Its frame, if it has one, is the unit's own and has no digest.

        Args:
            episode: its episode.
            act: the act of the plan.
            operation: what was done, where an act has several parts; the act's own operation when left out.
            before: value of the reading concerned, ``None`` where the act concerns none that was taken.
            after: value that the broker got by the act, ``None`` where it got none.
            copy: number of the copy of the reading, from 1; 0 for none.
            delivery: the PUBLISH by which the broker got it, and when; by itself now and without a PUBLISH.
        """
        line = ActLine(
            episode=episode.id,
            unit=episode.unit,
            slot=act.slot,
            sensor=act.sensor,
            operation=operation or act.operation,
            before=before,
            after=after,
            port=delivery.port if delivery else 0,
            mid=delivery.mid if delivery else 0,
            copy=copy,
            digest="",
            client=delivery.name if delivery else "",
            at_ns=delivery.sent_ns if delivery else self.clock.now_ns(),
        )
        self.journal.write(line)
