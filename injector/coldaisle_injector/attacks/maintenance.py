"""Maintenance: a technician's client that subscribes to the sensors' topic; it is no attack."""

from coldaisle_contracts.topics import TOPIC
from coldaisle_injector.attacks import eavesdropping


class Attack(eavesdropping.Attack):
    """Subscribes to the sensors' topic under an honest name."""

    name, topic = "maintenance-1", TOPIC
