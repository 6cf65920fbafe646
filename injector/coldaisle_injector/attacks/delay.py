"""Delay: a reading is held back and delivered late."""

from functools import partial

from coldaisle_contracts.plan import Act
from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.edits import Edit, Hold, Pass, Reading
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script, Until


class Attack(OnPath):
    """Removes a reading from the stream and puts it back at the time that the plan names."""

    def on_publish(self, reading: Reading) -> Edit:
        """Hold the readings that the plan names."""
        return Hold() if (reading.slot, reading.sensor) in self.acts else Pass()

    def during(self, path: Path) -> Script:
        """Release them in order of their times; one that is due before it has come is released as soon as it comes."""
        for act in sorted(self.acts.values(), key=lambda act: act.times_ns):
            yield At(act.times_ns[0])
            yield Until(partial(self.ready, path, act), f"a reading of sensor {act.sensor} to release")
            path.spoofer.release(act.slot, act.sensor)

    def ready(self, path: Path, act: Act) -> bool:
        """Tell whether a reading can be released: it has come, perhaps later than planned."""
        return path.spoofer.holds(act.slot, act.sensor)
