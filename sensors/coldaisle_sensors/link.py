"""The one door to paho: an MQTT v3.1 connection of one sensor, driven without threads."""

import select
import socket as sockets
from collections.abc import Sequence

from paho.mqtt.client import Client, MQTTv31
from paho.mqtt.enums import CallbackAPIVersion

from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.topics import TOPIC

RETRY_S = 0.25
"""Pause between two attempts to connect, s."""
PATIENCE_S = 20.0
"""A reading that finds no broker for so long ends the run, s."""
RESEND_S = 5.0
"""A connection that leaves a PUBLISH unacknowledged for so long is given up and made anew, s."""


class BrokerLostError(ColdaisleError):
    """The broker stayed away for longer than :data:`PATIENCE_S`."""

    exit_code = 3

    def __init__(self, client: str) -> None:
        super().__init__(
            f"sensor {client} found no broker for {PATIENCE_S:g} s; its readings are not delivered"
        )


class Link:
    """One sensor's connection; QoS 1, so nothing counts as sent before its PUBACK.

    Args:
        client: MQTT client id.
        host: broker's IPv4 address.
        port: broker's TCP port.
        keepalive_s: MQTT keepalive, s.
    """

    def __init__(self, client: str, host: str, port: int, keepalive_s: int) -> None:
        self.client = client
        self.acknowledged: set[int] = set()
        self.connected = False
        self.lost = False
        self.port = 0
        self._address = (host, port, keepalive_s)
        self._paho = Client(
            CallbackAPIVersion.VERSION2, client_id=client, protocol=MQTTv31, clean_session=True
        )
        self._paho.on_socket_open = self._on_socket_open
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish

    def open(self) -> None:
        """Connect and send CONNECT; the CONNACK comes with :func:`pump`. No answer leaves the link lost."""
        self.connected, self.lost = False, False
        try:
            self._paho.connect(*self._address)
        except OSError:
            self.lost = True

    def publish(self, payload: bytes) -> int:
        """Send a PUBLISH and return its message id; paho sends it again after a reconnect."""
        return self._paho.publish(TOPIC, payload, qos=1).mid

    def disconnect(self) -> None:
        """Send DISCONNECT and close."""
        self._paho.disconnect()

    def read(self) -> None:
        """Take in what the broker sent."""
        self._paho.loop_read()

    def socket(self) -> sockets.socket | None:
        """Return the socket to wait on, ``None`` when there is none."""
        return self._paho.socket()  # type: ignore[return-value]

    def write(self) -> None:
        """Write what paho still holds.

        Its ``loop_misc`` is left out: paho 2.2 does not count a PUBLISH as a sign of life and would send a PINGREQ every
        keepalive, although a scenario's interval is always shorter.
        """
        if self._paho.want_write():
            self._paho.loop_write()

    def _on_socket_open(self, _client: Client, _data: object, sock: object) -> None:
        assert isinstance(sock, sockets.socket)  # noqa: S101 - no TLS, no WebSocket
        sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        self.port = sock.getsockname()[1]

    def _on_connect(
        self, _client: Client, _data: object, _flags: object, reason: object, _properties: object
    ) -> None:
        self.connected = reason == 0
        self.lost = not self.connected

    def _on_disconnect(self, *_: object) -> None:
        self.connected, self.lost = False, True

    def _on_publish(
        self, _client: Client, _data: object, mid: int, _reason: object, _properties: object
    ) -> None:
        self.acknowledged.add(mid)


def pump(links: Sequence[Link], timeout_s: float) -> None:
    """Wait for traffic on any of the links and handle it."""
    by_socket = {sock: link for link in links if (sock := link.socket()) is not None}
    for sock in select.select(list(by_socket), [], [], timeout_s)[0]:
        by_socket[sock].read()
    for link in links:
        link.write()


def settle(links: Sequence[Link], waiting: dict[str, int], clock: Clock) -> None:
    """Block until every link is connected and has the PUBACK it waits for, reconnecting where lost.

    Args:
        links: connections to serve.
        waiting: message id awaited, by client id; empty to wait for the CONNACKs alone.
        clock: for patience.

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
        pump(links, RETRY_S / 2)
