"""Port scan: requests to many ports of the broker's host."""

from coldaisle_contracts.addressing import MQTT_PORT, NTP_PORT
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import Script

_FIRST = {"syn": (MQTT_PORT, 22), "udp": (NTP_PORT, 161)}
"""Ports that every scan of a variant includes."""
_WELL_KNOWN = range(1, 10_000)


class Attack(Rogue):
    """Probes one port after the other with a SYN or a datagram, at the plan's rate."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Probe as many ports as the plan says, in a random order."""
        first = _FIRST[self.episode.variant]
        further = self.rng.sample([port for port in _WELL_KNOWN if port not in first], round(act.amount))
        ports = [*first, *further][: round(act.amount)]
        self.rng.shuffle(ports)
        source = self.rng.choice(crafted.PORTS)
        for due, port in zip(self.paced(act), ports, strict=True):
            yield due
            if self.episode.variant == "syn":
                frame = crafted.syn(source, port, self.rng.getrandbits(32))
            else:
                frame = crafted.datagram(source, port)
            scene.foothold.send(frame, scene.notes, "ask")
        scene.notes.act(act.operation, act)
