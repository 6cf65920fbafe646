"""Credential brute force: logins one after the other with guessed names and passwords."""

from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import gone, leave, login
from coldaisle_injector.script import Script

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
        accepted = 0
        for number, due in enumerate(self.paced(act)):
            yield due
            guess = self.rng.choice(NAMES), self.rng.choice(PASSWORDS)
            client = yield from login(scene, messages.connect(f"hmi-{number}", login=guess))
            if client.accepted:
                accepted += 1
                yield from leave(client)
            else:
                yield from gone(client)  # the broker closes a connection that it refused
        scene.notes.act(act.operation, act, after=str(accepted))
