"""Loss: the segment with a reading is dropped, so that the unit's kernel sends it again."""

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Edit, Lose, Pass, Reading


class Attack(OnPath):
    """Drops the segments that the plan names, a number of times in a row."""

    def on_publish(self, reading: Reading) -> Edit:
        """Lose the readings' segments."""
        act = self.acts.get((reading.slot, reading.sensor))
        return Pass() if act is None else Lose(round(act.amount))
