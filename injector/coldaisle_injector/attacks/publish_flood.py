"""Publish flood: messages far faster than any sensor reports."""

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login
from coldaisle_injector.script import Script, Until

_NAME = "gateway-2"
_COLDEST, _WARMEST = 11.0, 27.0


class Attack(Rogue):
    """Publishes values in the sensors' range at the plan's rate; at QoS 1 it waits for every PUBACK."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Publish as many messages as the plan says."""
        count, acknowledged = round(act.amount), self.episode.variant == "qos-1"
        client = yield from login(scene, messages.connect(_NAME))
        for number, due in enumerate(self.paced(act), 1):
            yield due
            value = encode_value(self.rng.uniform(_COLDEST, _WARMEST)).decode()
            payload = scene.unit.encode(value)
            client.send(messages.publish(scene.unit.topic(1), payload, mid=number if acknowledged else 0))
        if acknowledged:
            yield Until(lambda: client.count(messages.PUBACK) >= count, "the broker to acknowledge a flood")
        scene.notes.act(act.operation, act, port=client.port, client=_NAME)
        yield from leave(client)
