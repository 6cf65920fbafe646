"""Reordering: a reading changes places with the sensor's next one."""

from coldaisle_contracts.plan import Act
from coldaisle_injector.attacks import delay
from coldaisle_injector.onpath import Path


class Attack(delay.Attack):
    """Holds a reading until the sensor's next one has passed."""

    def ready(self, path: Path, act: Act) -> bool:
        """Tell whether the next reading has passed too."""
        return super().ready(path, act) and path.spoofer.passed(act.slot + path.rhythm.every, act.sensor)
