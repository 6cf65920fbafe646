"""Where alarms go: JSON lines in a file a shard, and messages on an MQTT listener outside the captured network."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from coldaisle_contracts.errors import InputError

TOPIC = "coldaisle/alarms"
KEEPALIVE_S, PATIENCE_S = 60, 5.0
LOOPBACK = ("127.0.0.1", "localhost")


class Book:
    """The alarms of one shard, a JSON object a line; the first line says what watches, the last that it is done.

    A line that was cut short is taken away, and what was written before is not written again.

    Args:
        path: the file; its folder must exist.
        watching: what watches: model, policy and the like.

    Raises:
        InputError: if the file holds the alarms of another detector.
    """

    def __init__(self, path: Path, watching: dict[str, Any]) -> None:
        before = path.read_bytes() if path.exists() else b""
        whole = before[: before.rfind(b"\n") + 1]
        lines = [json.loads(line) for line in whole.splitlines()]
        head = {"event": "watching", **watching}
        if lines and lines[0] != head:
            raise InputError(
                path, "holds the alarms of another detector or policy: name another folder with --out"
            )
        self.done = bool(lines) and lines[-1]["event"] == "end"
        self.last = max((line["frame"] for line in lines if line["event"] == "alarm"), default=0)
        self._file = path.open("ab")
        self._file.truncate(len(whole))
        if not lines:
            self.write(head)

    def write(self, *lines: dict[str, Any]) -> None:
        """Write lines; they are in the file when it returns."""
        self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Listener(AbstractContextManager["Listener"]):
    """An MQTT listener that alarms are published to, at least once each; one on loopback is started where there is none.

    Args:
        where: HOST:PORT.

    Raises:
        InputError: if nothing listens there and none can be started.
    """

    def __init__(self, where: str) -> None:
        host, _, port = where.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
            raise InputError("--mqtt", "write HOST:PORT, such as 127.0.0.1:1884", where)
        self._host, self._port, self._own = host, int(port), None  # type: str, int, subprocess.Popen[bytes] | None
        if not self._answers():
            self._start(where)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="coldaisle-live")
        self._client.connect(self._host, self._port, KEEPALIVE_S)
        self._client.loop_start()
        self._last: mqtt.MQTTMessageInfo | None = None

    def publish(self, shard: str, line: dict[str, Any]) -> None:
        """Publish an alarm on the shard's topic."""
        self._last = self._client.publish(f"{TOPIC}/{shard}", json.dumps(line), qos=1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is under way, then leave; a listener that was started here ends."""
        if self._last is not None:
            self._last.wait_for_publish(PATIENCE_S)
        self._client.disconnect()
        self._client.loop_stop()
        if self._own is not None:
            self._own.terminate()
            self._own.wait()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self._host, self._port), PATIENCE_S):
                return True
        except OSError:
            return False

    def _start(self, where: str) -> None:
        if self._host not in LOOPBACK or (program := shutil.which("mosquitto", path=_with_sbin())) is None:
            raise InputError(
                "--mqtt", "nothing listens there: start a broker outside the captured network", where
            )
        with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
            file.write(f"listener {self._port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        quiet = subprocess.DEVNULL
        self._own = subprocess.Popen([program, "-c", file.name], stdout=quiet, stderr=quiet)  # noqa: S603 - our own arguments
        until = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._own.poll() is not None or time.monotonic() > until:
                raise InputError(
                    "--mqtt", "a listener could not be started there: choose another port", where
                )
            time.sleep(0.05)
        Path(file.name).unlink()


def _with_sbin() -> str:
    """Return where programs lie, those of the system's administrator too."""
    return "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin"
