"""The one door to paho, against a real mosquitto on the loopback interface."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldaisle_contracts.clock import SECOND
from coldaisle_sensors import link as links
from coldaisle_sensors.link import BrokerLostError, Link, pump, settle

CLIENTS = ("131", "132", "133", "134")
_RECEIVED = re.compile(
    r"Received PUBLISH from (\d+) \(d[01], q1, r0, m(\d+), 'IoT', \.\.\. \((\d+) bytes\)\)"
)


class _WallClock:
    """Real time; nothing here skips any."""

    def now_ns(self) -> int:
        return time.time_ns()

    def advance(self, to_ns: int) -> None:
        time.sleep(max(0, to_ns - time.time_ns()) / SECOND)


class _Broker:
    """mosquitto on a port of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n"
        )
        self.start()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        with self._log.open("ab") as log:
            command = ["mosquitto", "-c", str(self._config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it at once."""
        self.process.kill()
        self.process.wait()

    def readings(self) -> dict[str, set[int]]:
        """Return the message ids that reached any incarnation, by client."""
        time.sleep(0.1)  # its log is buffered for a moment
        found: dict[str, set[int]] = {client: set() for client in CLIENTS}
        for client, mid, size in _RECEIVED.findall(self._log.read_text()):
            assert size == "5"
            found[client].add(int(mid))
        return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[_Broker]:
    """A running mosquitto."""
    made = _Broker(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def connected(broker: _Broker) -> Iterator[list[Link]]:
    """Four connections, as a unit has them."""
    made = [Link(client, "127.0.0.1", broker.port, 600) for client in CLIENTS]
    for link in made:
        link.open()
    settle(made, {}, _WallClock())
    yield made
    for link in made:
        link.disconnect()


def _report(connected: list[Link]) -> dict[str, int]:
    return {link.client: link.publish(b"15.54") for link in connected}


def test_connect_is_mqtt_3_1_on_the_wire() -> None:
    """CONNECT names MQIsdp, level 3, a clean session, the keepalive and the client id; TCP does not delay it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link("134", "127.0.0.1", server.getsockname()[1], 600)
        link.open()
        peer, address = server.accept()
        with peer:
            expected = b"\x10\x11" + b"\0\6MQIsdp" + b"\x03\x02" + (600).to_bytes(2, "big") + b"\0\3" + b"134"
            assert peer.recv(1024) == expected
            opened = link.socket()
            assert opened is not None
            assert link.port == address[1]
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            link.disconnect()


def test_readings_are_acknowledged(broker: _Broker, connected: list[Link]) -> None:
    """Every reading reaches the broker at QoS 1 and is acknowledged on its own connection."""
    for _ in range(3):
        settle(connected, _report(connected), _WallClock())
    assert broker.readings() == {client: {1, 2, 3} for client in CLIENTS}
    assert all(link.acknowledged == {1, 2, 3} for link in connected)
    assert len({link.port for link in connected}) == len(CLIENTS)


def test_broker_restarted_between_readings_loses_none(broker: _Broker, connected: list[Link]) -> None:
    """A broker that was away between two readings gets both, the second on new connections."""
    settle(connected, _report(connected), _WallClock())
    ports = [link.port for link in connected]
    broker.kill()
    broker.start()
    settle(connected, _report(connected), _WallClock())
    assert broker.readings() == {client: {1, 2} for client in CLIENTS}
    assert not {link.port for link in connected} & set(ports)


def test_broker_killed_within_a_reading_gets_it_after_its_restart(
    broker: _Broker, connected: list[Link]
) -> None:
    """Readings a dying broker never read are sent again with their message id, and none is lost."""
    settle(connected, _report(connected), _WallClock())
    broker.process.send_signal(signal.SIGSTOP)
    waiting = _report(connected)
    pump(connected, 0.05)
    assert broker.readings() == {client: {1} for client in CLIENTS}
    broker.kill()
    again = threading.Timer(0.6, broker.start)
    again.start()
    settle(connected, waiting, _WallClock())
    again.join()
    assert broker.readings() == {client: {1, 2} for client in CLIENTS}
    settle(connected, _report(connected), _WallClock())
    assert broker.readings() == {client: {1, 2, 3} for client in CLIENTS}


def test_silent_broker_is_left_for_a_new_connection(
    broker: _Broker, connected: list[Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection on which no PUBACK comes is given up and its reading sent again."""
    monkeypatch.setattr(links, "RESEND_S", 0.4)
    ports = [link.port for link in connected]
    broker.process.send_signal(signal.SIGSTOP)
    waiting = _report(connected)
    threading.Timer(0.7, broker.process.send_signal, (signal.SIGCONT,)).start()
    settle(connected, waiting, _WallClock())
    assert broker.readings() == {client: {1} for client in CLIENTS}
    assert not {link.port for link in connected} & set(ports)


def test_no_broker_ends_with_the_sensors_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there for as long as the patience lasts is one sentence with the client id."""
    monkeypatch.setattr(links, "PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    link = Link("134", "127.0.0.1", port, 600)
    link.open()
    with pytest.raises(BrokerLostError, match=r"sensor 134 found no broker for 0\.5 s"):
        settle([link], {}, _WallClock())
