"""Credential brute force: logins one after the other with guessed names and passwords."""

import random

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import gone, leave, login
from coldaisle_injector.script import At, Script

NAMES = ("admin", "operator", "service", "root", "inrow", "mqtt", "guest", "technician")
PASSWORDS = (
    "admin",
    "password",
    "1234",
    "inrow",
    "apc",
    "coolant-7",
    "service",
    "changeme",
    "public",
    "mqtt",
)


class Attack(Rogue):
    """Tries logins at the plan's rate, each on a connection of its own."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Make as many guesses as the plan says, and journal how many logins the broker accepted."""
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        accepted = 0
        for number in range(round(act.amount)):
            yield At(begin_ns + round(number / rate * SECOND))
            guess = rng.choice(NAMES), rng.choice(PASSWORDS)
            client = yield from login(scene, messages.connect(f"hmi-{number}", login=guess))
            if client.accepted:
                accepted += 1
                yield from leave(client)
            else:
                yield from gone(client)  # the broker closes a connection that it refused
        scene.notes.act(act.operation, slot=act.slot, after=str(accepted))
