"""False data injection: readings of sensors that do not exist."""

import random

from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.topics import SENSORS, TOPIC, client_id, encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script

_HIGHEST = 9


class Attack(Rogue):
    """Publishes forged values under a client id in the form of the sensors', each on a connection of its own."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        digit = random.Random(episode.seed).randint(len(SENSORS) + 1, _HIGHEST)  # noqa: S311 - a simulation
        self._client = client_id(episode.unit, digit)

    def play(self, act: Act, scene: Scene) -> Script:
        """Connect, publish one value, leave."""
        client = yield from login(scene, messages.connect(self._client))
        value = encode_value(act.amount).decode()
        yield from say(client, messages.publish(TOPIC, value, mid=1), messages.PUBACK)
        scene.notes.act(
            act.operation,
            slot=act.slot,
            sensor=act.sensor,
            after=value,
            port=client.port,
            mid=1,
            client=self._client,
        )
        yield from leave(client)
