"""Topic enumeration: subscriptions to guessed topics, to find out which ones speak."""

import random

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script
from coldaisle_injector.sessions import leave, login, say

_ROOTS = ("IoT", "iot", "sensors", "inrow", "dc1", "plant", "aisle", "site", "rack", "telemetry")
_LEAVES = ("temp", "temperature", "status", "supply", "return", "coolant", "alarm", "state", "value")
_NAME = "explorer"


class Attack(Rogue):
    """Subscribes to one guess after the other, at the plan's rate, and leaves."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Guess as often as the plan says."""
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        client = yield from login(scene, messages.connect(_NAME))
        for number in range(round(act.amount)):
            yield At(begin_ns + round(number / rate * SECOND))
            topic = f"{rng.choice(_ROOTS)}/{rng.randint(1, 40)}/{rng.choice(_LEAVES)}"
            yield from say(client, messages.subscribe(topic, number + 1), messages.SUBACK)
        scene.notes.act(act.operation, slot=act.slot, port=client.port, client=_NAME)
        yield from leave(client)
