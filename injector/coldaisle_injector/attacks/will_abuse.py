"""Will abuse: a client that breaks its connection at once, so that the broker publishes its will."""

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import leave, login, say
from coldaisle_injector.script import Script, Until

_WITNESS, _DOOMED = "panel-8", "panel-9"


class Attack(Rogue):
    """Makes the broker publish a forged value; a second client of the attacker's sees it."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Subscribe, connect with a will, reset that connection, and wait for the will."""
        value, topic = encode_value(act.amount).decode(), scene.unit.topic(1)
        payload = scene.unit.encode(value)
        witness = yield from login(scene, messages.connect(_WITNESS))
        yield from say(witness, messages.subscribe(topic, 1), messages.SUBACK)
        doomed = yield from login(scene, messages.connect(_DOOMED, will=(topic, payload.decode())))
        doomed.abort()

        def published() -> bool:
            return any(
                message.type == messages.PUBLISH and message.value == payload for message in witness.inbox
            )

        yield Until(published, "the broker to publish a will")
        scene.notes.act(act.operation, act, after=value, port=doomed.port, client=_DOOMED)
        yield from leave(witness)
