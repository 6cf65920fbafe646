"""A client sends all its bytes, reads messages that arrive in pieces, and closes as requested."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.injector.made import episode
from tests.injector.made_stage import NEAR, Clocks, Theatre, draw_near

from coldaisle_injector import messages

_MOUTHFUL = 16_384


class Pair:
    """A client of the attacker and the broker's end of its established connection."""

    def __init__(self, theatre: Theatre, listener: socket.socket) -> None:
        self.theatre = theatre
        notes = theatre.notes()
        notes.start(episode(kind="false-data", sensors=(1,)))
        self.client = theatre.foothold.client(notes)
        self.broker, (_, self.port) = listener.accept()
        self.broker.settimeout(60)
        self.until(lambda: self.client.connected)

    def until(self, met: Callable[[], bool]) -> None:
        """Handle messages until a condition holds."""
        limit = time.monotonic() + 60
        while not met():
            assert time.monotonic() < limit
            self.theatre.listen()


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A listening socket in the broker's place."""
    with socket.create_server((NEAR.ip, 0)) as server:
        draw_near(monkeypatch, server.getsockname()[1])
        yield server


@pytest.fixture
def pair(listener: socket.socket, tmp_path: Path) -> Iterator[Pair]:
    """Both ends of a connection."""
    ends = Pair(Theatre(tmp_path, Clocks()), listener)
    yield ends
    ends.broker.close()
    ends.client.abort()


def test_port_is_known_before_the_first_frame(pair: Pair) -> None:
    """The client's port is known at once and is the one that the broker sees."""
    assert pair.client.port == pair.port


def test_what_is_said_before_the_connection_stands_is_sent_then(
    listener: socket.socket, tmp_path: Path
) -> None:
    """A CONNECT sent too early waits for the end of the handshake."""
    theatre = Theatre(tmp_path, Clocks())
    client = theatre.foothold.client(theatre.notes())
    client.send(messages.connect("131"))
    assert client.waits_to_write
    broker, _ = listener.accept()
    theatre.listen(1)
    assert broker.recv(100) == messages.connect("131")
    assert not client.waits_to_write
    client.abort()
    broker.close()


def test_messages_in_pieces_are_put_together(pair: Pair) -> None:
    """A message cut in the middle counts when its rest has arrived, and so does the message after it."""
    puback, suback = b"\x40\x02\x00\x07", b"\x90\x03\x00\x01\x00"
    for piece in (puback[:1], puback[1:] + suback[:3], suback[3:]):
        pair.broker.sendall(piece)
        pair.theatre.listen(1)
    assert (pair.client.count(messages.PUBACK), pair.client.count(messages.SUBACK)) == (1, 1)
    assert [message.data for message in pair.client.inbox] == [puback, suback]


@pytest.mark.parametrize(("code", "accepted"), [(0, True), (4, False), (5, False)])
def test_login_is_accepted_with_code_0_alone(pair: Pair, code: int, accepted: bool) -> None:
    """Only code 0 accepts a login; codes 4 and 5 mean bad credentials and no authorisation (MQTT 3.1, 3.2)."""
    assert not pair.client.accepted
    pair.broker.sendall(bytes([0x20, 2, 0, code]))
    pair.until(lambda: pair.client.has(messages.CONNACK))
    assert pair.client.accepted is accepted


def test_much_is_said_a_mouthful_at_a_time(pair: Pair) -> None:
    """Between two reads of the tap a client sends no more than the tap can hold; in the end all data is sent."""
    data = bytes(range(256)) * 800
    pair.client.send(data)
    received, turns = b"", 0
    pair.broker.settimeout(0.05)
    while len(received) < len(data):
        fresh = b""
        while len(fresh) < _MOUTHFUL:
            try:
                fresh += pair.broker.recv(65_536)
            except TimeoutError:
                break
        assert len(fresh) <= _MOUTHFUL
        received, turns = received + fresh, turns + 1
        pair.theatre.listen(1)
    assert received == data
    assert turns >= len(data) // _MOUTHFUL


def test_close_waits_for_the_other_side(pair: Pair) -> None:
    """The client sends its FIN after all its data, still receives, and ends when the broker closes, too."""
    pair.client.send(b"\xc0\x00")
    pair.client.close()
    pair.client.close()
    assert (pair.broker.recv(10), pair.broker.recv(10)) == (b"\xc0\x00", b"")
    assert not pair.client.ended
    pair.broker.sendall(b"\xd0\x00")
    pair.broker.close()
    pair.until(lambda: pair.client.ended)
    assert pair.client.count(messages.PINGRESP) == 1
    assert pair.theatre.foothold.clients == []


def test_close_of_what_never_stood_ends_at_once(listener: socket.socket, tmp_path: Path) -> None:
    """A connection that was never established ends without an answer."""
    theatre = Theatre(tmp_path, Clocks())
    client = theatre.foothold.client(theatre.notes())
    client.close()
    assert client.ended
    assert listener.fileno() >= 0


def test_abort_resets(pair: Pair) -> None:
    """The other side gets a RST, not a FIN."""
    pair.client.abort()
    assert pair.client.ended
    with pytest.raises(ConnectionResetError):
        pair.broker.recv(10)


def test_refused_connection_has_ended(listener: socket.socket, tmp_path: Path) -> None:
    """A refused connection ends by itself and waits for no message."""
    listener.close()
    theatre = Theatre(tmp_path, Clocks())
    client = theatre.foothold.client(theatre.notes())
    client.send(b"\xc0\x00")
    theatre.listen(1)
    assert client.ended
    assert client.has(messages.CONNACK)
    assert not client.waits_to_write


def test_said_to_a_broker_that_has_gone_is_no_error(pair: Pair) -> None:
    """Sending on an ended connection has no effect and raises no error."""
    pair.broker.close()
    pair.until(lambda: pair.client.ended)
    pair.client.send(b"\xc0\x00")
    assert pair.client.ended
