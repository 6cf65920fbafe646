"""Connect flood: connections opened in quick succession and held for a while."""

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.script import At, Script, Until


class Attack(Rogue):
    """Opens connections at the plan's rate; its end closes them."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Open as many connections as the plan says and hold them."""
        clients = []
        for number, due in enumerate(self.paced(act)):
            yield due
            clients.append(scene.foothold.client(scene.notes, messages.connect(f"node-{number}")))
        yield Until(lambda: all(client.has(messages.CONNACK) for client in clients), "CONNACKs")
        scene.notes.act(act.operation, act)
        yield At(scene.notes.times.now_ns() + round(self.episode.parameters["hold_s"] * SECOND))
