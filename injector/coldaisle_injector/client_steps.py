"""Steps of rogue clients: connecting, sending, closing; each waits for the broker's answer."""

from collections.abc import Generator

from coldaisle_contracts.dialects import Version
from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Scene
from coldaisle_injector.client import Client
from coldaisle_injector.script import At, Until

Step = Generator[At | Until, None, None]
_PROTOCOLS: dict[Version, tuple[str, int]] = {"3.1": ("MQIsdp", 3), "3.1.1": ("MQTT", 4), "5": ("MQTT", 5)}
"""Name and level of the protocol in a CONNECT."""


def login(scene: Scene, connect: bytes) -> Generator[At | Until, None, Client]:
    """Open a connection, send a CONNECT and wait for the CONNACK; return the client, which has ended if it was refused."""
    client = scene.foothold.client(scene.notes, connect)
    yield Until(lambda: client.has(messages.CONNACK), "a CONNACK")
    return client


def say(client: Client, data: bytes, answer: int) -> Step:
    """Send bytes and wait for an answer of a type."""
    count = client.count(answer)
    client.send(data)
    yield Until(lambda: client.ended or client.count(answer) > count, f"an answer of type {answer}")


def publish(scene: Scene, act: Act, name: str) -> Generator[At | Until, None, Client]:
    """Connect under a client id, publish the value of an act as the unit would and journal the act; return the client."""
    dialect = scene.unit.dialect
    client = yield from login(scene, messages.connect(name, protocol=_PROTOCOLS[dialect.version]))
    value, mid = encode_value(act.amount).decode(), 1 if dialect.qos else 0
    topic, payload = scene.unit.topic(act.sensor or 1), scene.unit.encode(value)
    said = messages.publish(topic, payload, mid=mid, qos=dialect.qos, properties=dialect.has_properties)
    match dialect.qos:
        case 0:
            client.send(said)
        case 1:
            yield from say(client, said, messages.PUBACK)
        case 2:
            yield from say(client, said, messages.PUBREC)
            yield from say(client, messages.acknowledgement(messages.PUBREL, mid), messages.PUBCOMP)
    scene.notes.act(act.operation, act, after=value, port=client.port, mid=mid, client=name)
    return client


def leave(client: Client) -> Step:
    """Send DISCONNECT and wait for the broker to close."""
    client.send(messages.DISCONNECT)
    yield from gone(client)


def hang_up(client: Client) -> Step:
    """Close the connection without DISCONNECT and wait for the broker to close it too."""
    client.close()
    yield from gone(client)


def gone(client: Client) -> Step:
    """Wait for the broker to close."""
    yield Until(lambda: client.ended, "the broker to close a connection")
