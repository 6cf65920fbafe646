"""Doubling: the segment with a reading is passed on twice."""

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Double, Edit, Pass, Reading


class Attack(OnPath):
    """Passes on twice the segments that the plan names; the broker's kernel discards the second."""

    def on_publish(self, reading: Reading) -> Edit:
        """Double the readings' segments."""
        return Double() if (reading.slot, reading.sensor) in self.acts else Pass()
