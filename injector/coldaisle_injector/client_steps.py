"""Steps of rogue clients: connecting, sending, closing; each waits for the broker's answer."""

from collections.abc import Generator

from coldaisle_injector import messages
from coldaisle_injector.catalogue import Scene
from coldaisle_injector.client import Client
from coldaisle_injector.script import At, Until

Step = Generator[At | Until, None, None]


def login(scene: Scene, connect: bytes) -> Generator[At | Until, None, Client]:
    """Open a connection, send a CONNECT and wait for the CONNACK; return the client, which has ended if it was refused."""
    client = scene.foothold.client(scene.notes)
    client.send(connect)
    yield Until(lambda: client.has(messages.CONNACK), "a CONNACK")
    return client


def say(client: Client, data: bytes, answer: int) -> Step:
    """Send bytes and wait for an answer of a type."""
    count = client.count(answer)
    client.send(data)
    yield Until(lambda: client.ended or client.count(answer) > count, f"an answer of type {answer}")


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
