"""False certificate: the attacker answers a unit's connections with TLS in the broker's name, with a certificate of its own."""

import random
import ssl

from coldaisle_contracts.addressing import TLS_PORT
from coldaisle_contracts.listeners import FALSE
from coldaisle_contracts.plan import Episode
from coldaisle_injector.catalogue import OnPath, Scene
from coldaisle_injector.impostor import Impostor
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script
from coldaisle_injector.segments import ACK, SYN, Segment


class Attack(OnPath):
    """Resets a sensor's connection before each reading, answers its next ones itself, and lets the one after these pass."""

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._left, self._rng = 0, random.Random(episode.seed)  # noqa: S311 - a simulation
        self._impostor: Impostor | None = None

    def script(self, scene: Scene) -> Script:
        """Take up the attacker's certificate first: its authority is unknown to the unit, and its name is not the broker's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(scene.tls / f"{FALSE}.pem", scene.tls / f"{FALSE}.key")
        self._impostor = Impostor(context, scene.unit.host)
        yield from super().script(scene)

    def impersonated(self, segment: Segment, *, begins: bool) -> list[bytes] | None:
        """Answer as many connections after each reset as the plan says."""
        if self._impostor is None:
            return None
        if self._impostor.knows(segment):
            return self._impostor.go_on(segment)
        asks = segment.dport == TLS_PORT and segment.flags & (SYN | ACK) == SYN
        if not (begins and asks and self._left):
            return None
        self._left -= 1
        return self._impostor.begin(segment, self._rng.getrandbits(32))

    def during(self, path: Path) -> Script:
        """Reset the connections in order of their times."""
        for act in sorted(self.episode.acts, key=lambda act: act.times_ns):
            yield At(act.times_ns[0])
            path.spoofer.reset(act.slot, act.sensor, act.operation)
            self._left += round(self.episode.parameters["count"])
