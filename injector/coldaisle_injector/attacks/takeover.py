"""Session takeover: a second client with a sensor's client id, for which the broker has to disconnect the sensor."""

from coldaisle_contracts.plan import Act
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import publish
from coldaisle_injector.script import Script


class Attack(Rogue):
    """Publishes a value in the sensor's name and stays until the sensor reconnects and the broker disconnects it."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Connect as the sensor and publish."""
        yield from publish(scene, act, scene.unit.client(act.sensor))
