"""ARP sweep: questions for the addresses of a network of 254 hosts, the size of the published one."""

from coldaisle_contracts.addressing import PUBLISHED
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import Script


class Attack(Rogue):
    """Broadcasts ARP questions at the plan's rate."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Ask for as many addresses as the plan says, in a random order."""
        addresses = [str(address) for address in PUBLISHED.hosts()]
        asked = self.rng.sample(addresses, round(act.amount))
        for due, address in zip(self.paced(act), asked, strict=True):
            yield due
            scene.foothold.send(crafted.question(address), scene.notes, "ask")
        scene.notes.act(act.operation, act)
