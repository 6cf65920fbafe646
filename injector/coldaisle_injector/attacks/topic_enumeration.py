"""Topic enumeration: subscriptions to guessed topics, to find those with messages."""

import random

from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script

PLACES = (
    "IoT",
    "IoT/{number}",
    "iot/{leaf}",
    "sensors/{number}/{leaf}",
    "inrow-{number}/{leaf}",
    "dc1/rack-{number}/{leaf}",
    "plant/aisle-{number}/{leaf}",
    "telemetry/{number}",
    "$SYS/broker/{own}",
)
"""Patterns of guesses: common names of topics, and the broker's own topics."""
_LEAVES = ("temp", "temperature", "status", "supply", "return", "coolant", "alarm", "state", "value")
_OWN = ("version", "uptime", "clients/total", "clients/connected", "subscriptions/count")
_NAME = "explorer"


class Attack(Rogue):
    """Subscribes to one guessed topic after the other, at the plan's rate, and leaves."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Make as many guesses as the plan says."""
        client = yield from login(scene, messages.connect(_NAME))
        for mid, due in enumerate(self.paced(act), 1):
            yield due
            yield from say(client, messages.subscribe(_guess(self.rng), mid), messages.SUBACK)
        scene.notes.act(act.operation, act, port=client.port, client=_NAME)
        yield from leave(client)


def _guess(rng: random.Random) -> str:
    """Return a guessed topic."""
    place, leaf, system = rng.choice(PLACES), rng.choice(_LEAVES), rng.choice(_OWN)
    return place.format(number=rng.randint(1, 40), leaf=leaf, own=system)
