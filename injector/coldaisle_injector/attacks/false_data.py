"""False data injection: readings of sensors that do not exist."""

from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.topics import SENSORS
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, publish
from coldaisle_injector.script import Script

_HIGHEST = 9


class Attack(Rogue):
    """Publishes forged values under a client id in the form of the sensors', each on a connection of its own."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._sensor = self.rng.randint(len(SENSORS) + 1, _HIGHEST)

    def play(self, act: Act, scene: Scene) -> Script:
        """Connect, publish one value, leave."""
        client = yield from publish(scene, act, scene.unit.client(self._sensor))
        yield from leave(client)
