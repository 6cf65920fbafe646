"""Retained-message poisoning: a forged value that every later subscriber gets first."""

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client import Client
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script, StuckError

_NAME = "panel-7"


class Attack(Rogue):
    """Makes the broker retain a forged value, and clears it at the end."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Publish the retained value at the start, and an empty one, which clears it, at the stop."""
        client = yield from login(scene, messages.connect(_NAME))
        forged, topic = encode_value(act.amount).decode(), scene.unit.topic(1)
        value = forged if act.operation == "start" else ""
        payload = scene.unit.encode(value) if value else b""
        yield from say(client, messages.publish(topic, payload, mid=1, retain=True), messages.PUBACK)
        if act.operation != "start":
            yield from _forgotten(client, topic, scene.unit.encode(forged))
        scene.notes.act(act.operation, act, after=value, port=client.port, mid=1, client=_NAME)
        yield from leave(client)


def _forgotten(client: Client, topic: str, forged: bytes) -> Script:
    """Check that the broker does not retain the value any more: a subscriber would get it before the next answer.

    Raises:
        StuckError: if the subscriber gets it.
    """
    yield from say(client, messages.subscribe(topic, 2), messages.SUBACK)
    yield from say(client, messages.PINGREQ, messages.PINGRESP)
    publishes = [message for message in client.inbox if message.type == messages.PUBLISH]
    if any(message.data[0] & messages.RETAIN and message.value == forged for message in publishes):
        raise StuckError("the broker to forget a retained message")
