"""Reset: a sensor's connection is broken between two readings, by a RST to both sides."""

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


class Attack(OnPath):
    """Breaks connections at the times the plan names; the sensor makes a new one for its next reading."""

    def during(self, path: Path) -> Script:
        """Break them, in order of their times."""
        for act in sorted(self.acts.values(), key=lambda act: act.times_ns):
            yield At(act.times_ns[0])
            path.spoofer.reset(act.slot, act.sensor)
