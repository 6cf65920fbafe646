"""Fingerprinting: handshakes of every MQTT version, and questions for the broker's own topics."""

from coldaisle_contracts.plan import Act
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script

_PROTOCOLS = (("MQIsdp", 3), ("MQTT", 4), ("MQTT", 5), ("MQTT", 6), ("MQIsdp", 9))
_NAME = "probe"


class Attack(Rogue):
    """Finds out which protocol levels the broker accepts and which version it reports."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Send a CONNECT of every version, and a question where it is accepted."""
        levels = []
        for name, level in _PROTOCOLS:
            client = yield from login(scene, messages.connect(_NAME, protocol=(name, level)))
            if client.ended or not client.accepted:
                client.close()
                continue
            levels.append(level)
            yield from say(client, messages.PINGREQ, messages.PINGRESP)
            if level < 5:  # noqa: PLR2004 - a SUBSCRIBE of MQTT 5 has another form
                question = messages.subscribe("$SYS/broker/version", 1)
                yield from say(client, question, messages.SUBACK)
            yield from leave(client)
        scene.notes.act(act.operation, act, after=" ".join(map(str, levels)), client=_NAME)
