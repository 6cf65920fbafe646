"""A real mosquitto and its log of received messages."""

import re
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.sensors.made import CLIENTS

_RECEIVED = re.compile(
    r"Received PUBLISH from (\S+) \(d[01], q[012], r[01], m(\d+), 'IoT', \.\.\. \((\d+) bytes\)\)"
)
_CONNECTED = re.compile(r"New client connected from \S+ as (\S+) ")


class Broker:
    """A mosquitto on a port of its own that can be killed and started again.

    Args:
        folder: where its log goes.
        host: IPv4 address it listens on.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.host = host
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = int(probe.getsockname()[1])
        self._log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} {host}\nallow_anonymous true\nlog_dest stderr\nlog_type all\n"
        )
        self.start()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        with self._log.open("ab") as log:
            command = ["mosquitto", "-c", str(self._config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill the broker at once."""
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        """Return the broker's log."""
        time.sleep(0.1)  # the broker buffers its log for a moment
        return self._log.read_text()

    def received(self) -> list[tuple[str, int]]:
        """Return client id and message id of every received reading, in order, also from before restarts."""
        messages = _RECEIVED.findall(self.log())
        assert {size for *_, size in messages} <= {"5"}
        return [(client, int(mid)) for client, mid, _ in messages]

    def connections(self) -> Counter[str]:
        """Return how many connections each client opened, also before restarts."""
        return Counter(_CONNECTED.findall(self.log()))

    def readings(self) -> dict[str, set[int]]:
        """Return the message ids received, by client."""
        return {client: {mid for sender, mid in self.received() if sender == client} for client in CLIENTS}
