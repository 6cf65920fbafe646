"""Port scan: requests to many ports of the broker's host."""

import random

from coldaisle_contracts.addressing import NTP_PORT
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import crafted
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script

_FIRST = {"syn": (crafted.MQTT_PORT, 22), "udp": (NTP_PORT, 161)}
"""Ports that every scan of a variant includes."""
_WELL_KNOWN = range(1, 10_000)


class Attack(Rogue):
    """Probes one port after the other with a SYN or a datagram, at the plan's rate."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Probe as many ports as the plan says, in a random order."""
        rng = random.Random(self.episode.seed)  # noqa: S311 - a simulation
        begin_ns, rate = act.times_ns[0], self.episode.parameters["rate"]
        first = _FIRST[self.episode.variant]
        further = rng.sample([port for port in _WELL_KNOWN if port not in first], round(act.amount))
        ports = [*first, *further][: round(act.amount)]
        rng.shuffle(ports)
        source = rng.choice(crafted.PORTS)
        for number, port in enumerate(ports):
            yield At(begin_ns + round(number / rate * SECOND))
            if self.episode.variant == "syn":
                frame = crafted.syn(source, port, rng.getrandbits(32))
            else:
                frame = crafted.datagram(source, port)
            scene.foothold.send(frame, scene.notes, "ask")
        scene.notes.act(act.operation, slot=act.slot)
