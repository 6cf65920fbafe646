"""Malformed packets: packets that break the grammar of MQTT, or are far too long."""

import random
from collections.abc import Callable

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import TOPIC
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Rogue, Scene
from coldaisle_injector.client_steps import hang_up, leave, login, say
from coldaisle_injector.messages import packet, string
from coldaisle_injector.script import Script

Rule = Callable[[random.Random], bytes]
_CONNECT = 0x10
FIRST: dict[str, Rule] = {
    "wrong protocol name": lambda rng: messages.connect(
        "m", protocol=(rng.choice(("MQIsdq", "HTTP", "")), 3)
    ),
    "reserved connect flag": lambda _: packet(_CONNECT, string("MQIsdp") + b"\x03\x03\x00\x3c" + string("m")),
    "truncated connect": lambda rng: packet(_CONNECT, string("MQIsdp") + bytes(rng.randint(0, 3))),
    "publish before connect": lambda _: messages.publish(TOPIC, "15.00"),
    "reserved type": lambda rng: packet(rng.choice((0x00, 0xF0)), b""),
    "remaining length of five bytes": lambda _: b"\x10\xff\xff\xff\xff\x01",
}
"""Malformed first packets of a connection, by the rule that they break."""
LATER: dict[str, Rule] = {
    "publish at QoS 3": lambda _: packet(0x36, string(TOPIC) + b"\x00\x01" + b"15.00"),
    "invalid UTF-8 in a topic": lambda _: packet(0x30, string(b"\xc3\x28") + b"15.00"),
    "wildcard in a topic": lambda _: messages.publish("IoT/#", "15.00"),
    "topic longer than its packet": lambda rng: packet(0x30, bytes([rng.randint(1, 99), 0]) + b"IoT"),
    "subscribe at QoS 3": lambda _: messages.subscribe(TOPIC, 1, qos=3),
    "subscribe without its flag": lambda _: packet(0x80, b"\x00\x01" + string(TOPIC) + b"\x00"),
    "second connect": lambda _: messages.connect("m"),
    "acknowledgement of nothing": lambda rng: packet(0x40, rng.randbytes(2)),
    "unsubscribe from nothing": lambda rng: packet(
        0xA2, b"\x00\x01" + string(rng.choice(("x", "//", "IoT/")))
    ),
    "publish to the broker's own topic": lambda _: messages.publish("$SYS/broker/version", "9"),
}
"""Malformed packets after a valid CONNECT, by the rule that they break; a broker may tolerate some of them."""


class Attack(Rogue):
    """Sends malformed packets, each on a connection of its own, until the broker closes it."""

    def play(self, act: Act, scene: Scene) -> Script:
        """Send as many malformed packets as the plan says."""
        for number in range(round(act.amount)):
            yield from self._send_malformed(scene, number)
        scene.notes.act(act.operation, act)

    def _send_malformed(self, scene: Scene, number: int) -> Script:
        if self.episode.variant == "oversized":
            client = yield from login(scene, messages.connect(f"long-{number}"))
            value = bytes([ord("0") + number % 10]) * round(self.episode.parameters["size"])
            yield from say(client, messages.publish(TOPIC, value, mid=1), messages.PUBACK)
            yield from leave(client)
            return
        rule = self.rng.choice(sorted(FIRST | LATER))
        if rule in FIRST:
            client, broken = scene.foothold.client(scene.notes), FIRST[rule](self.rng)
        else:
            client = yield from login(scene, messages.connect(f"odd-{number}"))
            broken = LATER[rule](self.rng)
        # The broker answers the PINGREQ if it tolerates the packet, and else closes the connection.
        yield from say(client, broken + messages.PINGREQ, messages.PINGRESP)
        yield from hang_up(client)
