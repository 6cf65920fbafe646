"""The only module that uses paho, against a real mosquitto on the loopback interface."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensors.made import CLIENTS
from tests.sensors.mosquitto import Broker

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.dialects import USUAL, Dialect
from coldaisle_sensors import link as links
from coldaisle_sensors.link import BrokerLostError, Link, pump, settle


class _WallClock:
    """Real time without any skip."""

    def now_ns(self) -> int:
        return time.time_ns()

    def advance(self, to_ns: int) -> None:
        time.sleep(max(0, to_ns - time.time_ns()) / SECOND)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running mosquitto."""
    started = Broker(tmp_path)
    yield started
    started.kill()


@pytest.fixture
def connected(broker: Broker) -> Iterator[list[Link]]:
    """The four connections of a unit."""
    started = [_link(client, broker.port) for client in CLIENTS]
    for link in started:
        link.open()
    settle(started, {}, _WallClock())
    yield started
    for link in started:
        link.disconnect()


def _link(client: str, port: int, dialect: Dialect = USUAL) -> Link:
    return Link(client, client, 600, lambda _: None, "127.0.0.1", port, dialect)


def _report(connected: list[Link]) -> dict[str, int]:
    return {link.client: link.publish("IoT", b"15.54") for link in connected}


def test_connect_is_mqtt_3_1_on_the_wire() -> None:
    """CONNECT has MQIsdp, level 3, a clean session, the keepalive and the client id, and TCP sends it without delay."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = _link("134", server.getsockname()[1])
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


def test_readings_are_acknowledged(broker: Broker, connected: list[Link]) -> None:
    """Every reading reaches the broker at QoS 1 and is acknowledged on its own connection."""
    for _ in range(3):
        settle(connected, _report(connected), _WallClock())
    assert broker.readings() == {client: {1, 2, 3} for client in CLIENTS}
    assert all(link.acknowledged == {1, 2, 3} for link in connected)
    assert len({link.port for link in connected}) == len(CLIENTS)


def test_broker_restarted_between_readings_loses_none(broker: Broker, connected: list[Link]) -> None:
    """A broker that restarted between two readings gets both, the second on new connections."""
    settle(connected, _report(connected), _WallClock())
    assert broker.connections() == dict.fromkeys(CLIENTS, 1)
    broker.kill()
    broker.start()
    settle(connected, _report(connected), _WallClock())
    assert broker.readings() == {client: {1, 2} for client in CLIENTS}
    assert broker.connections() == dict.fromkeys(CLIENTS, 2)


def test_broker_killed_within_a_reading_gets_it_after_its_restart(
    broker: Broker, connected: list[Link]
) -> None:
    """Readings that a killed broker never read are sent again with their message id, and none is lost."""
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
    broker: Broker, connected: list[Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection without a PUBACK is given up, and its reading is sent on a new one."""
    monkeypatch.setattr(links, "RESEND_S", 0.4)
    assert broker.connections() == dict.fromkeys(CLIENTS, 1)
    broker.process.send_signal(signal.SIGSTOP)
    waiting = _report(connected)
    threading.Timer(0.7, broker.process.send_signal, (signal.SIGCONT,)).start()
    settle(connected, waiting, _WallClock())
    assert broker.readings() == {client: {1} for client in CLIENTS}
    opened = broker.connections()
    assert all(opened[client] > 1 for client in CLIENTS)


def test_no_broker_ends_with_the_sensors_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no broker answers in time, one sentence names the client id."""
    monkeypatch.setattr(links, "PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    link = _link("134", port)
    link.open()
    with pytest.raises(BrokerLostError, match=r"sensor 134 found no broker for 0\.5 s"):
        settle([link], {}, _WallClock())


def test_reading_of_qos_0_is_acknowledged_by_tcp(broker: Broker) -> None:
    """A reading of QoS 0 counts as sent once the broker's TCP has its bytes, and not when it is written."""
    link = _link("134", broker.port, Dialect(qos=0))
    link.open()
    settle([link], {}, _WallClock())
    number = link.publish("IoT", b"15.54")
    assert link.waits_for_tcp
    assert number not in link.acknowledged
    settle([link], {"134": number}, _WallClock())
    assert number in link.acknowledged
    assert not link.waits_for_tcp
    link.disconnect()
    assert broker.received() == [("134", 0)]


def test_reading_of_qos_0_on_a_lost_connection_is_published_again(broker: Broker) -> None:
    """Where TCP has not acknowledged a reading, the next connection carries it as a message of its own."""
    link = _link("134", broker.port, Dialect(qos=0))
    link.open()
    settle([link], {}, _WallClock())
    broker.kill()
    number = link.publish("IoT", b"15.54")
    again = threading.Timer(0.3, broker.start)
    again.start()
    settle([link], {"134": number}, _WallClock())
    again.join()
    assert link.acknowledged == {number}
    link.disconnect()
    assert broker.received() == [("134", 0)]
    assert broker.connections() == {"134": 2}


def test_reading_of_qos_2_is_acknowledged_by_its_pubcomp(broker: Broker) -> None:
    """The whole handshake is played, and its last message counts."""
    link = _link("134", broker.port, Dialect(qos=2))
    link.open()
    settle([link], {}, _WallClock())
    settle([link], {"134": link.publish("IoT", b"15.54")}, _WallClock())
    link.disconnect()
    log = [line for line in broker.log().splitlines() if "m1" in line or "Mid: 1" in line]
    assert [word for line in log for word in ("PUBLISH", "PUBREC", "PUBREL", "PUBCOMP") if word in line] == [
        "PUBLISH", "PUBREC", "PUBREL", "PUBCOMP",
    ]  # fmt: skip
