"""MQTT connections of the sensors, without threads."""

import fcntl
import select
import socket as sockets
import ssl
import struct
import sys
import termios
from collections.abc import Callable, Sequence

from coldaisle_contracts.addressing import MQTT_PORT
from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.dialects import FALLBACK_AFTER, USUAL, Dialect
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.topics import sensor_of
from coldaisle_sensors.paho_client import PahoClient

RETRY_S = 0.25
"""Pause between two attempts to connect, in s."""
PATIENCE_S = 20.0
"""Longest time that a reading waits for the broker, in s; after it the run ends."""
RESEND_S = 5.0
"""Longest time to wait for an acknowledgement, in s; after it the connection is opened again."""
CONFIRM_S = 0.002
"""Pause between two looks at whether TCP has acknowledged a reading of QoS 0, in s: nothing else says so."""

_ABORT = struct.pack("ii", 1, 0)
"""``SO_LINGER`` with which closing discards unsent data, socket(7)."""


class BrokerLostError(RunError):
    """The broker could not be reached for longer than :data:`PATIENCE_S`."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"sensor {client} found no broker for {PATIENCE_S:g} s; its readings are not delivered"
        )


class Link:
    """One sensor's connection; nothing counts as sent before it is acknowledged.

    At QoS 1 that is the PUBACK, at QoS 2 the PUBCOMP, and at QoS 0, where MQTT acknowledges nothing, the broker's TCP. A connection that is
    lost before leaves the reading to the next one: at QoS 1 and 2 paho sends it again, at QoS 0 the link publishes it anew.

    Args:
        client: the sensor, by its client id without the suffix of a firmware.
        name: MQTT client id on the wire.
        keepalive_s: MQTT keepalive, in s.
        on_open: called with the link before the SYN of every TCP connection that it opens, when its port is known.
        host: broker's IPv4 address.
        port: broker's TCP port.
        dialect: the way in which the sensor speaks.
        encryption: settings of TLS; ``None`` for plaintext.

    Attributes:
        acknowledged: numbers of the readings that were acknowledged, see :meth:`publish`.
        port: TCP port of the last connection.
        fallen_back: whether that is in plaintext, because TLS was refused.
        distrusts: whether the certificate on the last connection was not the broker's.
    """

    def __init__(
        self,
        client: str,
        name: str,
        keepalive_s: int,
        on_open: Callable[["Link"], None],
        host: str,
        port: int,
        dialect: Dialect = USUAL,
        encryption: ssl.SSLContext | None = None,
    ) -> None:
        self.client, self.name = client, name
        self.acknowledged: set[int] = set()
        self.connected = False
        self.lost = False
        self.port = 0
        self._address = (host, port, keepalive_s)
        self._on_open, self._qos = on_open, dialect.qos
        self._encryption, self._falls_back = encryption, dialect.fallback
        self.fallen_back = self.distrusts = False
        self._refused = 0
        self._unconfirmed: dict[int, tuple[str, bytes]] = {}
        self._paho = PahoClient(name, dialect, sensor_of(client), encryption)
        self._paho.on_port = self._on_port
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish

    def open(self) -> None:
        """Connect and send CONNECT; the CONNACK comes with :func:`pump`. The link is lost where nobody answers.

        Undelivered data of the previous connection is discarded, because paho sends it again on the new one.
        """
        if (sock := self.socket()) is not None and _undelivered(sock):
            sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _ABORT)
        self.connected, self.lost = False, False
        self.fallen_back = self._falls_back and self._refused >= FALLBACK_AFTER
        self._paho.encryption = None if self.fallen_back else self._encryption
        host, port, keepalive_s = self._address
        refused, self._refused = 0 if self.fallen_back else self._refused, 0
        distrusts = False
        try:
            self._paho.dial(host, MQTT_PORT if self.fallen_back else port, keepalive_s)
        except OSError as error:
            self.lost = True
            if isinstance(error, ConnectionRefusedError):
                self._refused = refused + 1
            distrusts = isinstance(error, ssl.SSLCertVerificationError)
        self.distrusts = distrusts

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a PUBLISH and return its number, which is its message id at QoS 1 and 2."""
        number = self._paho.say(topic, payload)
        if not self._qos:
            self._unconfirmed[number] = topic, payload
        return number

    @property
    def waits_for_tcp(self) -> bool:
        """Whether a reading of QoS 0 was sent and TCP has not acknowledged it yet."""
        return bool(self._unconfirmed)

    def confirm(self) -> None:
        """Take readings of QoS 0 for acknowledged once the broker's TCP has acknowledged all bytes."""
        sock = self.socket()
        if (
            self._unconfirmed
            and self.connected
            and sock
            and not (self._paho.want_write() or _undelivered(sock))
        ):
            self.acknowledged.update(self._unconfirmed)
            self._unconfirmed.clear()

    def disconnect(self) -> None:
        """Send DISCONNECT and close."""
        self._paho.disconnect()

    def drop(self) -> None:
        """Close without DISCONNECT; the link cannot be used afterwards."""
        self.connected = False
        if (sock := self.socket()) is not None:
            sock.close()

    def read(self) -> None:
        """Handle the data that the broker sent."""
        self._paho.loop_read()

    def socket(self) -> sockets.socket | None:
        """Return the socket to wait on, ``None`` when there is none."""
        return self._paho.socket()  # type: ignore[return-value]

    def write(self) -> None:
        """Send the data that paho still holds.

        ``loop_misc`` is not called: paho 2.2 does not count a PUBLISH as a sign of life and would send a PINGREQ every
        keepalive, although a scenario's interval is always shorter.
        """
        if self._paho.want_write():
            self._paho.loop_write()

    def _on_port(self, port: int) -> None:
        self.port = port
        self._on_open(self)

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, *_: object) -> None:
        self.connected = reason == 0
        self.lost = not self.connected
        if self.connected:
            for topic, payload in self._unconfirmed.values():
                self._paho.say(topic, payload)

    def _on_disconnect(self, *_: object) -> None:
        self.connected, self.lost = False, True

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        if self._qos:  # at QoS 0 paho calls it when the bytes are written
            self.acknowledged.add(mid)


def _undelivered(sock: sockets.socket) -> int:
    """Return the number of bytes in a socket that its peer has not acknowledged, tcp(7)."""
    answer = fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def pump(links: Sequence[Link], timeout_s: float) -> bool:
    """Wait for traffic on any of the links, handle it, and return whether there was any."""
    by_socket = {sock: link for link in links if (sock := link.socket()) is not None}
    held = [sock for sock in by_socket if isinstance(sock, ssl.SSLSocket) and sock.pending()]
    ready = select.select(list(by_socket), [], [], 0 if held else timeout_s)[0]
    for sock in dict.fromkeys([*held, *ready]):
        by_socket[sock].read()
    for link in links:
        link.write()
        link.confirm()
    return bool(ready)


def drain(links: Sequence[Link]) -> None:
    """Handle the data that has come, without waiting; a link that the broker has closed is lost afterwards."""
    while pump(links, 0):
        pass


def settle(
    links: Sequence[Link],
    waiting: dict[str, int],
    clock: Clock,
    meanwhile: Callable[[], float] = lambda: RETRY_S,
) -> None:
    """Block until every link is connected and has the acknowledgement that it waits for; open lost links again.

    Args:
        links: the connections.
        waiting: number of the reading awaited, by client; empty to wait for the CONNACKs alone.
        clock: the clock for the time limits.
        meanwhile: called while an answer is awaited; returns for how long it need not be called again, in s.

    Raises:
        BrokerLostError: if that takes longer than :data:`PATIENCE_S`.
    """
    started = tried = clock.now_ns()

    def unsettled() -> list[Link]:
        return [
            link
            for link in links
            if not link.connected or waiting.get(link.client, 0) not in link.acknowledged | {0}
        ]

    while pending := unsettled():
        now = clock.now_ns()
        if now - started > PATIENCE_S * SECOND:
            raise BrokerLostError(pending[0].client)
        waited_s = (now - tried) / SECOND
        if overdue := [link for link in pending if waited_s > (RETRY_S if link.lost else RESEND_S)]:
            tried = now
            for link in overdue:
                link.open()
        pause_s = CONFIRM_S if any(link.waits_for_tcp for link in links) else RETRY_S / 2
        pump(links, min(pause_s, meanwhile()))
