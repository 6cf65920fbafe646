"""Tampering: one header field of the frames that carry readings is set to another value."""

import random

from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Episode
from coldaisle_injector.catalogue import Edit, OnPath, Pass, Reading, Scene, Tamper
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import Script

MISDIRECTED = "eth.dst"


class Attack(OnPath):
    """Sets the field its variant names; a retained message it caused is cleared at the end."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._astray = _octet(INJECTOR)
        self._message = 0

    def script(self, scene: Scene) -> Script:
        """Choose the host that frames go astray to, where it is that which is tampered with, and play."""
        if self.episode.variant == MISDIRECTED and scene.path is not None:
            self._astray = self._chosen([_octet(host) for host in scene.path.elsewhere])
        yield from super().script(scene)

    def _chosen(self, octets: list[int]) -> int:
        """Return the octet the scenario names, or one drawn.

        Raises:
            InputError: if it names none of these.
        """
        named = self.episode.parameters.get("value")
        if named is None:
            return random.Random(self.episode.seed).choice(octets)  # noqa: S311 - a simulation
        if named not in octets:
            known = ", ".join(map(str, sorted(octets)))
            remedy = f"name the last octet of another host that stays on the network: {known}"
            raise InputError(f"episode {self.episode.id}: value", remedy, round(named))
        return round(named)

    def on_publish(self, reading: Reading) -> Edit:
        """Tamper with the frames of the readings the plan names."""
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return Pass()
        value = round(act.amount)
        if self.episode.variant == MISDIRECTED:
            value = self._astray
        if self.episode.variant == "mqtt.msgid":
            value = (value - 1 + self._message) % 65_535 + 1
            self._message += 1  # no two in flight alike
        return Tamper(self.episode.variant, value)

    def undo(self, path: Path) -> None:
        """Clear the retained message the broker keeps because of the flag."""
        if self.episode.variant == "mqtt.retain":
            path.spoofer.clear(self.episode.sensors[0])


def _octet(host: Host) -> int:
    return int(host.ip.rpartition(".")[2])
