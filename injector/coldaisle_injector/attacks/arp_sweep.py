"""ARP sweep: questions for every address of the network."""

import random

from coldaisle_contracts.addressing import NETWORK
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script


class Attack(Rogue):
    """Broadcasts ARP questions at the plan's rate."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Ask for as many addresses as the plan says, in a random order."""
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        addresses = [str(address) for address in NETWORK.hosts()]
        for number, address in enumerate(rng.sample(addresses, round(act.amount))):
            yield At(begin_ns + round(number / rate * SECOND))
            scene.foothold.send(crafted.question(address), scene.notes, "ask")
        scene.notes.act(act.operation, slot=act.slot)
