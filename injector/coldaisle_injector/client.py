"""An MQTT connection from the attacker's own host to the broker, over a real socket that never blocks."""

import errno
import socket
import struct
from collections import Counter
from collections.abc import Callable

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT
from coldaisle_injector import mqtt
from coldaisle_injector.messages import CONNACK
from coldaisle_injector.notes import Notes
from coldaisle_injector.wire import Guard

_CODE = 3
"""Offset of the return code in a CONNACK."""
_LINGER_NONE = struct.pack("ii", 1, 0)
_CHUNK = 16_384
"""Bytes that a connection sends between two reads of the tap, and the size of its send buffer. The kernel usually keeps fewer than 200
frames for the tap, and a receiver on the same machine takes data as fast as it is sent."""


class Client:
    """One TCP connection to the broker.

    Args:
        notes: the episode it belongs to.
        gone: called with the client when it is closed.

    Attributes:
        notes: the episode it belongs to.
        port: its TCP port, known before the first frame.
        connected: whether the TCP connection is established.
        ended: whether the broker closed or refused it.
        inbox: every message that came from the broker, in order.
    """

    def __init__(self, notes: Notes, gone: Callable[["Client"], None]) -> None:
        self.notes, self._gone = notes, gone
        self.connected = self.ended = False
        self.inbox: list[mqtt.Message] = []
        self._received = Counter[int]()
        self._rest, self._unsent, self._closing = b"", b"", False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _CHUNK)
        self.socket.bind((INJECTOR.ip, 0))
        self.port: int = self.socket.getsockname()[1]

    def open(self) -> None:
        """Request the connection; :attr:`connected` tells when it is established."""
        Guard((BROKER,)).check_target(BROKER.ip)
        code = self.socket.connect_ex((BROKER.ip, MQTT_PORT))
        if code not in (0, errno.EINPROGRESS):
            self._end()

    def send(self, data: bytes) -> None:
        """Send bytes as soon as the connection accepts them."""
        self._unsent += data
        if self.connected and self._unsent == data:  # else they follow the bytes that wait already
            self._flush()

    @property
    def waits_to_write(self) -> bool:
        """Whether it has bytes to send, or waits for its connection."""
        return not self.ended and (not self.connected or bool(self._unsent))

    def on_writable(self) -> None:
        """Note that the connection is established, and send the waiting bytes."""
        if not self.connected:
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._end()
                return
            self.connected = True
        if self._unsent:
            self._flush()

    def _flush(self) -> None:
        try:
            self._unsent = self._unsent[self.socket.send(self._unsent[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        if self._closing and not self._unsent:
            self._shut()

    def on_readable(self) -> None:
        """Receive data from the broker."""
        try:
            while data := self.socket.recv(65_536):
                self._take(data)
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end()

    def _take(self, data: bytes) -> None:
        for message in mqtt.messages(self._rest + data):
            if message.type == 0:
                self._rest = message.data
                return
            self.inbox.append(message)
            self._received[message.type] += 1
        self._rest = b""

    def has(self, kind: int) -> bool:
        """Tell whether a message of a type has come, or none can come any more."""
        return self.ended or self._received[kind] > 0

    def count(self, kind: int) -> int:
        """Return how many messages of a type have come."""
        return self._received[kind]

    @property
    def accepted(self) -> bool:
        """Whether the broker accepted the login: return code 0 in its CONNACK."""
        connack = next((message.data for message in self.inbox if message.type == CONNACK), b"")
        return len(connack) > _CODE and connack[_CODE] == 0

    def close(self) -> None:
        """Close the sending side (FIN) once everything is sent; the client ends when the broker closes too."""
        if self.ended or self._closing:
            return
        self._closing = True
        if not self.connected:
            self._end()
        elif not self._unsent:
            self._shut()

    def abort(self) -> None:
        """Reset the connection at once (RST)."""
        if not self.ended:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._end()

    def _shut(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.socket.close()
            self._gone(self)
