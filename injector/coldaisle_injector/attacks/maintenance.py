"""Maintenance: a technician's client that subscribes to the sensors' topic; it is no attack."""

from coldaisle_injector.attacks import eavesdropping
from coldaisle_injector.catalogue import Scene


class Attack(eavesdropping.Attack):
    """Subscribes to the sensors' topic under an honest name."""

    name = "maintenance-1"

    def topic(self, scene: Scene) -> str:
        """Return the topic of the sensors."""
        return scene.subscription
