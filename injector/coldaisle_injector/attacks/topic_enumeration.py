"""Topic enumeration: subscriptions to guessed topics, to find those with messages."""

import random

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import At, Script

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
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        client = yield from login(scene, messages.connect(_NAME))
        for number in range(round(act.amount)):
            yield At(begin_ns + round(number / rate * SECOND))
            yield from say(client, messages.subscribe(_guess(rng), number + 1), messages.SUBACK)
        scene.notes.act(act.operation, slot=act.slot, port=client.port, client=_NAME)
        yield from leave(client)


def _guess(rng: random.Random) -> str:
    """Return a guessed topic."""
    place, leaf, system = rng.choice(PLACES), rng.choice(_LEAVES), rng.choice(_OWN)
    return place.format(number=rng.randint(1, 40), leaf=leaf, own=system)
