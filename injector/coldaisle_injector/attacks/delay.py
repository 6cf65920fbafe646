"""Delay: a reading is held back and delivered late."""

from coldaisle_injector.catalogue import Edit, Hold, OnPath, Pass, Reading
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


class Attack(OnPath):
    """Takes a reading out of the stream and puts it back at the time the plan names."""

    def on_publish(self, reading: Reading) -> Edit:
        """Hold the readings the plan names."""
        return Hold() if (reading.slot, reading.sensor) in self.acts else Pass()

    def during(self, path: Path) -> Script:
        """Release them, in order of their times."""
        for act in sorted(self.acts.values(), key=lambda act: act.times_ns):
            yield At(act.times_ns[0])
            path.release(act.slot, act.sensor)
