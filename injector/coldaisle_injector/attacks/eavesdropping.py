"""Eavesdropping: a subscriber to everything."""

from typing import TYPE_CHECKING

from coldaisle_contracts.plan import Act, Episode
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script

if TYPE_CHECKING:
    from coldaisle_injector.client import Client


class Attack(Rogue):
    """Subscribes to a topic filter, receives the messages, and leaves at the end."""

    name = "mqtt-explorer"

    def __init__(self, episode: Episode) -> None:
        super().__init__(episode)
        self._client: Client | None = None

    def topic(self, scene: Scene) -> str:
        """Return the filter to subscribe to: everything."""
        del scene
        return "#"

    def play(self, act: Act, scene: Scene) -> Script:
        """Subscribe at the start; leave at the stop."""
        if act.operation == "start":
            self._client = yield from login(scene, messages.connect(self.name, keepalive_s=0))
            yield from say(self._client, messages.subscribe(self.topic(scene), 1), messages.SUBACK)
        elif self._client is not None:
            yield from leave(self._client)
        port = self._client.port if self._client else 0
        scene.notes.act(act.operation, act, port=port, client=self.name)
