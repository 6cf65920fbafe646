"""A connection of the attacker's own to the broker: MQTT over a real socket, never blocking."""

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
"""Where the return code stands in a CONNACK."""
_LINGER_NONE = struct.pack("ii", 1, 0)
_MOUTHFUL = 16_384
"""A connection sends so much between two looks at the tap, bytes, and has not much more under way: the kernel usually keeps less
than 200 frames for the tap, and a neighbour on the same machine takes what is sent as fast as it is said."""


class Client:
    """One TCP connection to the broker.

    Args:
        notes: the episode it belongs to.
        gone: called when it is closed.

    Attributes:
        notes: the episode it belongs to.
        port: its TCP port, known before the first frame.
        connected: whether the TCP connection stands.
        ended: whether the broker closed or refused it.
        inbox: messages from the broker not yet taken.
    """

    def __init__(self, notes: Notes, gone: Callable[["Client"], None]) -> None:
        self.notes, self._gone = notes, gone
        self.connected = self.ended = False
        self.inbox: list[mqtt.Message] = []
        self._heard = Counter[int]()
        self._rest, self._unsent, self._closing = b"", b"", False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOUTHFUL)
        self.socket.bind((INJECTOR.ip, 0))
        self.port: int = self.socket.getsockname()[1]

    def open(self) -> None:
        """Ask for the connection; it stands when :attr:`connected`."""
        Guard().check_target(BROKER.ip)
        code = self.socket.connect_ex((BROKER.ip, MQTT_PORT))
        if code not in (0, errno.EINPROGRESS):
            self._end()

    def send(self, data: bytes) -> None:
        """Send bytes as soon as the connection takes them."""
        self._unsent += data
        if self.connected and self._unsent == data:  # else it comes after what waits already
            self._flush()

    @property
    def waits_to_write(self) -> bool:
        """Whether it has something to write, or waits for its connection."""
        return not self.ended and (not self.connected or bool(self._unsent))

    def on_writable(self) -> None:
        """Take note that the connection stands, and send what waits."""
        if not self.connected:
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._end()
                return
            self.connected = True
        if self._unsent:
            self._flush()

    def _flush(self) -> None:
        try:
            self._unsent = self._unsent[self.socket.send(self._unsent[:_MOUTHFUL]) :]
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        if self._closing and not self._unsent:
            self._shut()

    def on_readable(self) -> None:
        """Take in what the broker sent."""
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
            self._heard[message.type] += 1
        self._rest = b""

    def has(self, kind: int) -> bool:
        """Tell whether a message of a type waits in the inbox, or none can come any more."""
        return self.ended or self._heard[kind] > 0

    def count(self, kind: int) -> int:
        """Return how many messages of a type have come."""
        return self._heard[kind]

    @property
    def accepted(self) -> bool:
        """Whether the broker took the login: return code 0 in its CONNACK."""
        connack = next((message.data for message in self.inbox if message.type == CONNACK), b"")
        return len(connack) > _CODE and connack[_CODE] == 0

    def close(self) -> None:
        """Say that it has nothing more to send, once everything is sent (FIN); it ends when the broker closes too."""
        if self.ended or self._closing:
            return
        self._closing = True
        if not self.connected:
            self._end()
        elif not self._unsent:
            self._shut()

    def abort(self) -> None:
        """Break it off at once (RST)."""
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
