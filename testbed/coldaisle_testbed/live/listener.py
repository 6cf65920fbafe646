"""Publisher of alarms to an MQTT listener outside of the captured network."""

import json
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read_text
from coldaisle_testbed.live.broker import TOPIC, USER, Broker
from coldaisle_testbed.processes import accepts

KEEPALIVE_S, PATIENCE_S = 60, 10.0
LOOPBACK = ("127.0.0.1", "localhost")
_FORM = "write HOST:PORT, or mqtt://USER@HOST:PORT, or mqtts://USER@HOST:PORT for TLS, such as 127.0.0.1:1884"


@dataclass(frozen=True)
class Address:
    """Address of an MQTT listener.

    Attributes:
        host: name or address of the listener.
        port: its TCP port.
        user: user name; empty for none.
        password: password of the user.
        tls: whether TLS is used.
        authority: file with the certificates (PEM) to verify it with; ``None`` for those of the system.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    authority: Path | None = None

    @classmethod
    def parse(cls, where: str, password: Path | None = None, authority: Path | None = None) -> Self:
        """Return the address that options name.

        Args:
            where: ``HOST:PORT``, ``mqtt://[USER@]HOST:PORT`` or ``mqtts://[USER@]HOST:PORT``.
            password: file whose first line is the user's password.
            authority: file with the certificates to check a TLS listener against.

        Raises:
            InputError: if it is no such address, or a file cannot be read.
        """
        parts = urlsplit(where if "://" in where else f"mqtt://{where}")
        if parts.password is not None:
            remedy = "everybody here can read a command line: put the password in a file and name it with --mqtt-password"
            raise InputError("--mqtt holds a password", remedy)
        try:
            port = parts.port or 0
        except ValueError:
            port = 0
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or not port or parts.path.strip("/"):
            raise InputError("--mqtt", _FORM, where)
        user = parts.username or ""
        if password is not None and not user:
            raise InputError(
                "--mqtt-password",
                f"it belongs to a user: name the user as mqtt://USER@HOST:PORT, not {where}",
            )
        remedy = "it cannot be read: name a file whose first line is the password"
        secret = read_text(password, remedy).partition("\n")[0] if password is not None else ""
        return cls(parts.hostname, port, user, secret, parts.scheme == "mqtts", authority)

    def __str__(self) -> str:
        """Return the address as a URL without the password."""
        user = f"{self.user}@" if self.user else ""
        return f"mqtt{'s' if self.tls else ''}://{user}{self.host}:{self.port}"


class Listener:
    """An MQTT listener that alarms are published to, at least once each.

    If nothing listens on loopback, a broker is started, which ends with the watch.

    Args:
        address: its address.
        folder: folder for the subscribers' options, if a broker is started.
        progress: called with the command of a subscriber, if a broker is started, and with the number of unconfirmed alarms.

    Raises:
        InputError: if nothing listens there and no broker can be started, or the listener refuses the user.
    """

    def __init__(self, address: Address, folder: Path, progress: Callable[[str], None]) -> None:
        self._progress, self._broker = progress, None  # type: Callable[[str], None], Broker | None
        self._sent = self._confirmed = 0
        is_ours = address.host in LOOPBACK and not address.tls and not address.user
        if is_ours and not accepts(address.host, address.port, PATIENCE_S):
            self._broker = Broker(address.port)
            address = Address(address.host, address.port, USER, self._broker.password)
        try:
            self._client = self._connected(address)
            if self._broker is not None:
                folder.mkdir(parents=True, exist_ok=True)
                progress(f"to subscribe to the alarms: {self._broker.invite(folder)}")
        except BaseException:
            self._end_broker()
            raise

    def publish(self, shard: str, line: dict[str, Any]) -> None:
        """Publish an alarm on the shard's topic."""
        self._sent += 1
        self._client.publish(f"{TOPIC}/{shard}", json.dumps(line), qos=1)

    def close(self) -> None:
        """Wait for confirmations, then disconnect; end a broker that was started here."""
        until = time.monotonic() + PATIENCE_S
        while self._confirmed < self._sent and time.monotonic() < until:
            time.sleep(0.01)
        if missing := self._sent - self._confirmed:
            self._progress(
                f"{missing:,} alarms were not confirmed by the MQTT listener; the files hold them all"
            )
        self._client.disconnect()
        self._client.loop_stop()
        self._end_broker()

    def _end_broker(self) -> None:
        if self._broker is not None:
            self._broker.close()

    def _connected(self, address: Address) -> mqtt.Client:
        """Return a connected client; its thread runs."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"coldaisle-live-{secrets.token_hex(4)}")
        answers, answer = SimpleQueue[Any](), None

        def on_publish(*_: Any) -> None:
            self._confirmed += 1

        client.on_connect, client.on_publish = lambda *arguments: answers.put(arguments[3]), on_publish
        if address.user:
            client.username_pw_set(address.user, address.password)
        try:
            if address.tls:
                client.tls_set(None if address.authority is None else str(address.authority))
            client.connect(address.host, address.port, KEEPALIVE_S)
        except ssl.SSLError as error:
            remedy = f"TLS fails ({error.reason or error}): name its authority with --mqtt-ca FILE"
            raise InputError("--mqtt", remedy, str(address)) from error
        except OSError as error:
            remedy = f"it cannot be reached ({error.strerror or error}): start a broker there, outside the captured network"
            raise InputError("--mqtt", remedy, str(address)) from error
        client.loop_start()
        with suppress(Empty):
            answer = answers.get(timeout=PATIENCE_S)
        if answer is not None and not answer.is_failure:
            return client
        client.disconnect()
        client.loop_stop()
        reason = (
            f"it refuses the connection ({answer})" if answer else f"it did not answer for {PATIENCE_S:g} s"
        )
        remedy = f"{reason}: name the user as mqtt://USER@HOST:PORT and a file with the password with --mqtt-password"
        raise InputError("--mqtt", remedy, str(address))
