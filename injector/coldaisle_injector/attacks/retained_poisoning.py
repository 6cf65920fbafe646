"""Retained-message poisoning: a value every later subscriber is given first."""

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import TOPIC, encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import Script
from coldaisle_injector.sessions import leave, login, say

_NAME = "panel-7"


class Attack(Rogue):
    """Has the broker keep a forged value, and clears it at the end."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Publish the retained value at the start, an empty one, which clears it, at the stop."""
        client = yield from login(scene, messages.connect(_NAME))
        value = encode_value(act.amount).decode() if act.operation == "start" else ""
        yield from say(client, messages.publish(TOPIC, value, mid=1, retain=True), messages.PUBACK)
        scene.notes.act(act.operation, slot=act.slot, after=value, port=client.port, mid=1, client=_NAME)
        yield from leave(client)
