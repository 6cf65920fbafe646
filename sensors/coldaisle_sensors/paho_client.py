"""The client of a sensor's connection; beside that of companions the only module of the sensors that imports paho."""

import socket as sockets
import ssl
from collections.abc import Callable
from typing import Literal

from paho.mqtt.client import Client, MQTTv5, MQTTv31, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.dialects import ALIAS, Dialect, Version

_MID = 2
"""Bytes of a message id."""
_SUCCESS = ReasonCode(PacketTypes.PUBACK)
_NO_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]
_PROTOCOLS: dict[Version, MQTTProtocolVersion] = {"3.1": MQTTv31, "3.1.1": MQTTv311, "5": MQTTv5}


class PortClient(Client):
    """paho's client with a callback for its port before the SYN, because refused attempts are in the capture too.

    Attributes:
        on_port: called with the port of each TCP connection before it is opened.
        encryption: settings of TLS; ``None`` for plaintext.
    """

    on_port: Callable[[int], None]
    encryption: ssl.SSLContext | None = None

    def _create_socket_connection(self) -> sockets.socket:
        sock = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
        if self.encryption is not None:
            name = BROKER.name
            sock = self.encryption.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=name)
        try:
            sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            sock.settimeout(self.connect_timeout)
            sock.bind(("", 0))
            self.on_port(sock.getsockname()[1])
            sock.connect((self.host, self.port))
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
        except OSError:
            sock.close()
            raise
        return sock


class PahoClient(PortClient):
    """The client of a sensor's connection.

    A PUBACK or PUBCOMP of MQTT 3.1 is a message id. For each one paho 2.2 makes the table of all properties of MQTT 5, which takes about
    a tenth of a unit's processor time; here it is taken in without.

    Args:
        name: MQTT client id on the wire.
        dialect: the way in which the sensor speaks.
        sensor: number of the sensor, for the topic of its will.
        encryption: settings of TLS; ``None`` for plaintext.
    """

    def __init__(
        self, name: str, dialect: Dialect, sensor: int, encryption: ssl.SSLContext | None = None
    ) -> None:
        self._dialect, self.encryption = dialect, encryption
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=_PROTOCOLS[dialect.version],
            clean_session=None if dialect.has_properties else dialect.clean_session,
        )
        if dialect.will:
            payload = dialect.will.payload.encode("ascii")
            self.will_set(dialect.will.topic(sensor), payload, dialect.qos, dialect.retain)
        self._topic = ""

    def dial(self, host: str, port: int, keepalive_s: int) -> None:
        """Open a connection to the broker and send CONNECT.

        Raises:
            OSError: if nobody answers.
        """
        if self._topic:  # a topic alias ends with its connection, so what is sent again names its topic
            for message in self._out_messages.values():
                message.topic = self._topic.encode("ascii")
            self._topic = ""
        if not self._dialect.has_properties:
            self.connect(host, port, keepalive_s)
            return
        properties = None
        if self._dialect.session_expiry_s:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = self._dialect.session_expiry_s
        clean_start = self._dialect.clean_session
        self.connect(host, port, keepalive_s, clean_start=clean_start, properties=properties)

    def say(self, topic: str, payload: bytes) -> int:
        """Send a PUBLISH in the sensor's dialect and return its number, which is its message id at QoS 1 and 2."""
        properties, name = None, topic
        if self._dialect.topic_alias:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.TopicAlias = ALIAS
            name, self._topic = "" if self._topic == topic else topic, topic
        return self.publish(name, payload, self._dialect.qos, self._dialect.retain, properties).mid

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        mid = int.from_bytes(packet, "big")
        if len(packet) != _MID or mid not in self._out_messages:
            return super()._handle_pubackcomp(cmd)
        with self._out_message_mutex:
            return self._do_on_publish(mid, _SUCCESS, _NO_PROPERTIES)
