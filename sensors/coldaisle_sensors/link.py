"""MQTT v3.1 connections of the sensors, without threads; the only module of the sensors that imports paho."""

import fcntl
import select
import socket as sockets
import struct
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Literal

from paho.mqtt.client import Client, MQTTv31, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.units import Version

RETRY_S = 0.25
"""Pause between two attempts to connect, in s."""
PATIENCE_S = 20.0
"""Longest time that a reading waits for the broker, in s; after it the run ends."""
RESEND_S = 5.0
"""Longest time to wait for a PUBACK, in s; after it the connection is opened again."""

_MID = 2
"""Bytes of a message id."""
_SUCCESS = ReasonCode(PacketTypes.PUBACK)
_NO_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]
_ABORT = struct.pack("ii", 1, 0)
"""``SO_LINGER`` with which closing discards unsent data, socket(7)."""
_PROTOCOLS: dict[Version, MQTTProtocolVersion] = {"3.1": MQTTv31, "3.1.1": MQTTv311}


class BrokerLostError(RunError):
    """The broker could not be reached for longer than :data:`PATIENCE_S`."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"sensor {client} found no broker for {PATIENCE_S:g} s; its readings are not delivered"
        )


class _Client(Client):
    """paho's client with a callback for its port before the SYN, because refused attempts are in the capture too.

    A PUBACK of MQTT 3.1 is a message id. For each one paho 2.2 makes the table of all properties of MQTT 5, which takes about a
    tenth of a unit's processor time; here it is taken in without.
    """

    on_port: Callable[[int], None]

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        mid = int.from_bytes(packet, "big")
        if len(packet) != _MID or mid not in self._out_messages:
            return super()._handle_pubackcomp(cmd)
        with self._out_message_mutex:
            return self._do_on_publish(mid, _SUCCESS, _NO_PROPERTIES)

    def _create_socket_connection(self) -> sockets.socket:
        sock = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
        try:
            sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            sock.settimeout(self.connect_timeout)
            sock.bind(("", 0))
            self.on_port(sock.getsockname()[1])
            sock.connect((self.host, self.port))
        except OSError:
            sock.close()
            raise
        return sock


class Link:
    """One sensor's connection; QoS 1, so nothing counts as sent before its PUBACK.

    Args:
        client: the sensor, by its client id without the suffix of a firmware.
        name: MQTT client id on the wire.
        keepalive_s: MQTT keepalive, in s.
        on_open: called with the link before the SYN of every TCP connection that it opens, when its port is known.
        host: broker's IPv4 address.
        port: broker's TCP port.
        version: version of MQTT.

    Attributes:
        port: TCP port of the last connection.
    """

    def __init__(
        self,
        client: str,
        name: str,
        keepalive_s: int,
        on_open: Callable[["Link"], None],
        host: str,
        port: int,
        version: Version = "3.1",
    ) -> None:
        self.client, self.name = client, name
        self.acknowledged: set[int] = set()
        self.connected = False
        self.lost = False
        self.port = 0
        self._address = (host, port, keepalive_s)
        self._on_open = on_open
        self._paho = _Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=_PROTOCOLS[version], clean_session=True
        )
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
        try:
            self._paho.connect(*self._address)
        except OSError:
            self.lost = True

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a PUBLISH and return its message id; paho sends it again after a reconnect."""
        return self._paho.publish(topic, payload, qos=1).mid

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

    def _on_connect(self, _client: Client, _data: object, _flags: object, reason: object, *_: object) -> None:
        self.connected = reason == 0
        self.lost = not self.connected

    def _on_disconnect(self, *_: object) -> None:
        self.connected, self.lost = False, True

    def _on_publish(self, _client: Client, _data: object, mid: int, *_: object) -> None:
        self.acknowledged.add(mid)


def _undelivered(sock: sockets.socket) -> int:
    """Return the number of bytes in a socket that its peer has not acknowledged, tcp(7)."""
    answer = fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def pump(links: Sequence[Link], timeout_s: float) -> bool:
    """Wait for traffic on any of the links, handle it, and return whether there was any."""
    by_socket = {sock: link for link in links if (sock := link.socket()) is not None}
    ready = select.select(list(by_socket), [], [], timeout_s)[0]
    for sock in ready:
        by_socket[sock].read()
    for link in links:
        link.write()
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
    """Block until every link is connected and has the PUBACK that it waits for; open lost links again.

    Args:
        links: the connections.
        waiting: message id awaited, by client; empty to wait for the CONNACKs alone.
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
        pump(links, min(RETRY_S / 2, meanwhile()))
