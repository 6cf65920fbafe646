"""Removal: a reading is swallowed and acknowledged in the broker's place."""

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Edit, Pass, Reading, Swallow


class Attack(OnPath):
    """Removes a reading from the stream; its PUBACK makes the unit take it for delivered."""

    def on_publish(self, reading: Reading) -> Edit:
        """Swallow the readings that the plan names."""
        return Swallow() if (reading.slot, reading.sensor) in self.acts else Pass()
