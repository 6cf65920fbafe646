"""Duplication: a reading is delivered again, once or in a burst."""

from functools import partial

from coldaisle_injector.catalogue import OnPath
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script, Until


class Attack(OnPath):
    """Puts copies of a reading into its connection's stream, at the times that the plan names."""

    def during(self, path: Path) -> Script:
        """Deliver the copies, in order of their times."""
        due = sorted(
            (at_ns, act.slot, act.sensor, number)
            for act in self.acts.values()
            for number, at_ns in enumerate(act.times_ns, 1)
        )
        for at_ns, slot, sensor, number in due:
            yield At(at_ns)
            if not path.spoofer.is_free(sensor):
                yield Until(partial(path.spoofer.is_free, sensor), f"the copy of sensor {sensor} before")
            path.spoofer.copy(slot, sensor, number)
