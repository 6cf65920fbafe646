"""The MQTT connection of a companion: it publishes and subscribes, and journals every message; without threads."""

import select
import socket as sockets
from collections.abc import Callable

from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv31, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.dialects import Version
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal import Journal, payload_digest
from coldaisle_contracts.journal_lines import ConnectLine, DisconnectLine, MessageLine, ReceivedLine
from coldaisle_sensors.devices.message import Message, Will
from coldaisle_sensors.paho_client import PortClient

PATIENCE_S = 20.0
"""Longest time that a companion waits for the broker, in s; after it the run ends."""
_RETRY_S = 0.25
"""Pause between two attempts to connect, in s."""
_PROTOCOLS: dict[Version, MQTTProtocolVersion] = {"3.1": MQTTv31, "3.1.1": MQTTv311, "5": MQTTv5}


class LostError(RunError):
    """The broker could not be reached, or did not answer, for longer than :data:`PATIENCE_S`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} found no answer of the broker for {PATIENCE_S:g} s")


class _Client(PortClient):
    def ask_for_life(self) -> None:
        """Send a PINGREQ; paho itself counts the keepalive in real time, and only in its own loop."""
        self._send_pingreq()


class Session:
    """The connection of a companion on one day.

    Args:
        companion: the companion.
        clock: its clock.
        journal: its journal.
        address: the broker's IPv4 address and TCP port.
        will: returns its will, ``None`` for none; it is called before each connection.
        lasting: whether the broker keeps the session while the companion is away; MQTT 3.1 and 3.1.1 only.

    Attributes:
        sent_ns: virtual time at which it last sent something, in ns since the epoch.
    """

    def __init__(
        self,
        companion: Companion,
        clock: Clock,
        journal: Journal,
        address: tuple[str, int],
        will: Callable[[], Will | None] = lambda: None,
        *,
        lasting: bool = False,
    ) -> None:
        self._companion, self._clock, self._journal, self._address = companion, clock, journal, address
        self._reason, self._port, self._connected, self._open = "start", 0, False, False
        self._will = will
        self._settled, self._subscriptions = set[int](), list[tuple[str, int]]()
        self._inbox = list[Message]()
        self.sent_ns = 0
        self._paho = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=companion.client,
            protocol=_PROTOCOLS[companion.version],
            clean_session=None if companion.version == "5" else not lasting,
        )
        self._paho.on_port = self._on_port
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_settled
        self._paho.on_subscribe = self._on_settled
        self._paho.on_unsubscribe = self._on_settled
        self._paho.on_message = self._on_message

    @property
    def is_away(self) -> bool:
        """Whether it was closed, or not opened yet."""
        return not self._open

    def open(self, reason: str = "start") -> None:
        """Connect, and wait for the CONNACK; the journal has the reason.

        Raises:
            LostError: if none comes.
        """
        self._open, self._reason = True, reason
        self._await(lambda: self._connected)
        self._reason = "lost"

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Publish a message, wait until it is on its way (QoS 0) or acknowledged (QoS 1 and 2), and journal it.

        Raises:
            LostError: if the broker does not answer.
        """
        self.read()
        sent_ns = self.sent_ns = self._clock.now_ns()
        mid = self._paho.publish(topic, payload, qos, retain).mid
        self._await(lambda: mid in self._settled)
        self._settled.discard(mid)
        client = self._companion.client
        line = MessageLine(
            client=client,
            name=client,
            topic=topic,
            qos=qos,
            retain=retain,
            mid=mid if qos else 0,
            port=self._port,
            digest=payload_digest(payload),
            size=len(payload),
            sent_ns=sent_ns,
            acked_ns=self._clock.now_ns(),
        )
        self._journal.write(line)
        self._journal.flush()

    def subscribe(self, pattern: str, qos: int) -> None:
        """Subscribe to the topics of a pattern, and wait for the SUBACK; messages wait for :meth:`take`.

        Raises:
            LostError: if the broker does not answer.
        """
        self._subscriptions.append((pattern, qos))
        self._ask_for(pattern, qos)

    def unsubscribe(self) -> None:
        """Take back every subscription, and wait for the UNSUBACKs.

        Raises:
            LostError: if the broker does not answer.
        """
        self.read()
        for pattern, _ in self._subscriptions:
            mid = self._paho.unsubscribe(pattern)[1]
            self._await(lambda mid=mid: mid in self._settled)  # type: ignore[misc]
            self._settled.discard(mid or 0)
        self._subscriptions = []

    def ping(self) -> None:
        """Send a PINGREQ."""
        self.sent_ns = self._clock.now_ns()
        self._paho.ask_for_life()

    def take(self) -> list[Message]:
        """Return the messages that came since the last call, in order."""
        messages, self._inbox = self._inbox, []
        return messages

    def read(self) -> None:
        """Handle the data that has come, without waiting; a connection that the broker has closed is opened again."""
        while self._pump(0):
            pass
        if self._open and not self._connected:
            self._await(lambda: self._connected)

    def close(self, reason: str = "end") -> None:
        """Send DISCONNECT and close; the journal has the reason."""
        self.read()
        self._open = False
        if self._connected:
            client = self._companion.client
            self._journal.write(DisconnectLine(client, client, self._port, self._clock.now_ns(), reason, ""))
            self._paho.disconnect()
            self._port = 0
        self._journal.flush()

    @property
    def socket(self) -> sockets.socket | None:
        """The socket to wait on; ``None`` where there is none."""
        return self._paho.socket()  # type: ignore[return-value]

    def _ask_for(self, pattern: str, qos: int) -> None:
        self.sent_ns = self._clock.now_ns()
        mid = self._paho.subscribe(pattern, qos)[1]
        self._await(lambda: mid in self._settled or not self._connected)
        self._settled.discard(mid or 0)

    def _await(self, done: Callable[[], bool]) -> None:
        """Handle traffic until something is done; a lost connection is opened again."""
        started = self._clock.now_ns()
        while not done():
            if self._clock.now_ns() - started > PATIENCE_S * SECOND:
                raise LostError(self._companion.name)
            if self.socket is None and self._open:
                self._connect()
            self._pump(_RETRY_S)

    def _connect(self) -> None:
        if (will := self._will()) is not None:
            self._paho.will_set(will.topic, will.payload, will.qos, will.retain)
        try:
            self._paho.connect(*self._address, self._companion.keepalive_s)
        except OSError:
            select.select([], [], [], _RETRY_S)

    def _pump(self, timeout_s: float) -> bool:
        """Wait for traffic, handle it, and return whether there was any."""
        sock = self.socket
        if sock is None:
            return False
        writers = [sock] if self._paho.want_write() else []
        ready, writable, _ = select.select([sock], writers, [], timeout_s)
        if ready:
            self._paho.loop_read()
        if writable:
            self._paho.loop_write()
        return bool(ready)

    def _on_port(self, port: int) -> None:
        client, now_ns = self._companion.client, self._clock.now_ns()
        self._journal.write(ConnectLine(client, client, port, now_ns, self._reason, "", self._port))
        self._port, self.sent_ns = port, now_ns

    def _on_connect(self, _client: Client, _data: object, _flags: object, reason: object, *_: object) -> None:
        self._connected = reason == 0
        for pattern, qos in self._subscriptions if self._connected else ():
            self._paho.subscribe(pattern, qos)

    def _on_disconnect(self, *_: object) -> None:
        self._connected = False

    def _on_settled(self, _client: Client, _data: object, mid: int, *_: object) -> None:
        self._settled.add(mid)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        client, payload = self._companion.client, bytes(message.payload)
        line = ReceivedLine(
            client=client,
            name=client,
            port=self._port,
            topic=message.topic,
            qos=message.qos,
            digest=payload_digest(payload),
            size=len(payload),
            at_ns=self._clock.now_ns(),
        )
        self._journal.write(line)
        self._inbox.append(Message(message.topic, payload, message.qos, message.retain))
