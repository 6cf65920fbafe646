"""Tampering: one header field of the frames that carry readings is set to another value."""

import random

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.plan import Episode
from coldaisle_injector.catalogue import OnPath, Scene
from coldaisle_injector.edits import Edit, Pass, Reading, Tamper
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import Script

MISDIRECTED = "eth.dst"


class Attack(OnPath):
    """Sets the field that its variant names; at the end it clears a retained message that it caused."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._path: Path | None = None
        self._message = 0

    def script(self, scene: Scene) -> Script:
        """Play on the path, which knows the hosts to which frames can be misdirected."""
        self._path = scene.path
        yield from super().script(scene)

    def on_publish(self, reading: Reading) -> Edit:
        """Tamper with the frames of the readings that the plan names."""
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return Pass()
        value = round(act.amount)
        if self.episode.variant == MISDIRECTED:
            value = self._astray()
        if self.episode.variant == "mqtt.msgid":
            value = (value - 1 + self._message) % 65_535 + 1
            self._message += 1  # no two in flight have the same
        return Tamper(self.episode.variant, value)

    def _astray(self) -> int:
        """Return the number of the host to which a frame is misdirected: named, or drawn among those that stay on the network."""
        elsewhere = self._path.elsewhere if self._path else (INJECTOR,)
        drawn = random.Random(self.episode.seed).choice(elsewhere)  # noqa: S311 - a simulation
        return round(self.episode.parameters.get("value", drawn.number))

    def undo(self, path: Path) -> None:
        """Clear the message that the broker retained because of the flag."""
        if self.episode.variant == "mqtt.retain":
            path.spoofer.clear(self.episode.sensors[0])
