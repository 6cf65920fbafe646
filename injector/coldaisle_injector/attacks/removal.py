"""Removal: a reading is swallowed and acknowledged in the broker's place."""

from coldaisle_injector.catalogue import Passive, Reading


class Attack(Passive):
    """Takes a reading out of the stream; the unit believes it delivered."""

    def on_publish(self, reading: Reading) -> str | None:
        """Swallow the readings the plan names."""
        return None if (reading.slot, reading.sensor) in self.acts else reading.value
