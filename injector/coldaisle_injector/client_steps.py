"""Steps of rogue clients: connecting, sending, closing; each waits for the broker's answer."""

from collections.abc import Generator

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Scene
from coldaisle_injector.client import Client
from coldaisle_injector.script import At, Until

Step = Generator[At | Until, None, None]


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
    """Connect under a client id, publish the value of an act and journal the act; return the client."""
    client = yield from login(scene, messages.connect(name))
    value = encode_value(act.amount).decode()
    topic, payload = scene.unit.topic(act.sensor or 1), scene.unit.encode(value)
    yield from say(client, messages.publish(topic, payload, mid=1), messages.PUBACK)
    scene.notes.act(act.operation, act, after=value, port=client.port, mid=1, client=name)
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
