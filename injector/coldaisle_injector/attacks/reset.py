"""Reset: a sensor's connection is reset between two readings, by an RST to each side."""

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


class Attack(OnPath):
    """Resets connections at the times that the plan names; the sensor opens a new one for its next reading."""

    def during(self, path: Path) -> Script:
        """Reset them in order of their times."""
        for act in sorted(self.acts.values(), key=lambda act: act.times_ns):
            yield At(act.times_ns[0])
            path.spoofer.reset(act.slot, act.sensor)
