"""Tampering: one header field of the frames that carry readings is set to another value."""

import random

from coldaisle_contracts.addressing import UNITS
from coldaisle_contracts.plan import Episode
from coldaisle_injector.catalogue import Edit, OnPath, Pass, Reading, Tamper
from coldaisle_injector.onpath import Path

MISDIRECTED = "eth.dst"


class Attack(OnPath):
    """Sets the field its variant names; a retained message it caused is cleared at the end."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        others = [unit.ip.rpartition(".")[2] for unit in UNITS.values() if unit.name != episode.unit]
        self._other = int(random.Random(episode.seed).choice(others))  # noqa: S311 - a simulation
        self._message = 0

    def on_publish(self, reading: Reading) -> Edit:
        """Tamper with the frames of the readings the plan names."""
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return Pass()
        value = round(act.amount)
        if self.episode.variant == MISDIRECTED and "value" not in self.episode.parameters:
            value = self._other
        if self.episode.variant == "mqtt.msgid":
            self._message += 1  # no two in flight alike
            value = (value + self._message - 1) % 65_535 + 1
        return Tamper(self.episode.variant, value)

    def undo(self, path: Path) -> None:
        """Clear the retained message the broker keeps because of the flag."""
        if self.episode.variant == "mqtt.retain":
            path.clear(self.episode.sensors[0])
