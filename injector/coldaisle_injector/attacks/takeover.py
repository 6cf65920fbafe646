"""Session takeover: a second client with a sensor's client id, for which the broker has to disconnect the sensor."""

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import TOPIC, client_id, encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import login, say
from coldaisle_injector.script import Script


class Attack(Rogue):
    """Publishes a value in the sensor's name and stays until the sensor reconnects and the broker disconnects it."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Connect as the sensor and publish."""
        victim = client_id(self.episode.unit, act.sensor)
        client = yield from login(scene, messages.connect(victim))
        value = encode_value(act.amount).decode()
        yield from say(client, messages.publish(TOPIC, value, mid=1), messages.PUBACK)
        scene.notes.act(
            act.operation,
            slot=act.slot,
            sensor=act.sensor,
            after=value,
            port=client.port,
            mid=1,
            client=victim,
        )
