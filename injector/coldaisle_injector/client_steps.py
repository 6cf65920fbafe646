"""Steps that rogue clients share: connecting, publishing, subscribing, each until the broker has answered."""

from collections.abc import Generator

from coldaisle_injector import messages
from coldaisle_injector.catalogue import Scene
from coldaisle_injector.client import Client
from coldaisle_injector.script import At, Until

Step = Generator[At | Until, None, None]


def login(scene: Scene, connect: bytes) -> Generator[At | Until, None, Client]:
    """Open a connection, send a CONNECT and wait for the CONNACK; return the client, ended if it was refused."""
    client = scene.foothold.client(scene.notes)
    client.send(connect)
    yield Until(lambda: client.has(messages.CONNACK), "a CONNACK")
    return client


def say(client: Client, data: bytes, answer: int) -> Step:
    """Send something and wait for the message that answers it."""
    before = client.count(answer)
    client.send(data)
    yield Until(lambda: client.ended or client.count(answer) > before, f"an answer of type {answer}")


def leave(client: Client) -> Step:
    """Send DISCONNECT and wait for the broker to close."""
    client.send(messages.DISCONNECT)
    yield from gone(client)


def hang_up(client: Client) -> Step:
    """Close the connection without a word and wait for the broker to do the same."""
    client.close()
    yield from gone(client)


def gone(client: Client) -> Step:
    """Wait for the broker to close."""
    yield Until(lambda: client.ended, "the broker to close a connection")
