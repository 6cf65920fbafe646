"""Duplication: a reading is delivered again, once or in a burst."""

from collections.abc import Iterable

from coldaisle_contracts.plan import Act
from coldaisle_injector.catalogue import Passive


class Attack(Passive):
    """Puts copies of a reading into its connection's stream, at the times the plan names."""

    def copies(self) -> Iterable[Act]:
        """Return every act of the episode."""
        return self.acts.values()
