"""SYN flood: connection requests that are never completed."""

import random

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script


class Attack(Rogue):
    """Sends SYNs from ports without a socket, so that the attacker's own kernel resets the answers."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Send as many SYNs as the plan says."""
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        for number, port in enumerate(rng.sample(crafted.PORTS, round(act.amount))):
            yield At(begin_ns + round(number / rate * SECOND))
            frame = crafted.syn(port, crafted.MQTT_PORT, rng.getrandbits(32))
            scene.foothold.send(frame, scene.notes, "syn")
        scene.notes.act(act.operation, slot=act.slot)
