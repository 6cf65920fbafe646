"""The only module that uses paho, against a real mosquitto on the loopback interface."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.published import SITE
from tests.sensors.made import CLIENTS
from tests.sensors.mosquitto import Broker

from coldaisle_analysis.witness import payloads
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.dialects import FALLBACK_AFTER, USUAL, Dialect, Will
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


def _sent(dialect: Dialect, *values: str) -> list[bytes]:
    """Return the CONNECT of sensor 4 of inrow-13 and its readings as a server without MQTT receives them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = _link("134", server.getsockname()[1], dialect)
        link.open()
        peer, _ = server.accept()
        with peer:
            got = [peer.recv(1024)]
            for value in values:
                link.publish("IoT", value.encode())
                link.write()
                got.append(peer.recv(1024))
        link.drop()
    return got


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (Dialect("3.1.1", clean_session=False), b"\x10\x0f\0\4MQTT\x04\x00\x02\x58\0\x03134"),
        (Dialect("5"), b"\x10\x10\0\4MQTT\x05\x02\x02\x58\0\0\x03134"),
        (
            Dialect("5", clean_session=False, session_expiry_s=600),
            b"\x10\x15\0\4MQTT\x05\x00\x02\x58\x05\x11\0\0\x02\x58\0\x03134",
        ),
        (
            Dialect(qos=2, retain=True, will=Will("hall/{sensor}", "off")),
            b"\x10\x1e\0\6MQIsdp\x03\x36\x02\x58\0\x03134\0\6hall/4\0\3off",
        ),
        (
            Dialect("5", qos=0, will=Will("hall/{sensor}", "off")),
            b"\x10\x1e\0\4MQTT\x05\x06\x02\x58\0\0\x03134\0\0\6hall/4\0\3off",
        ),
    ],
)
def test_connect_says_what_the_dialect_has(dialect: Dialect, expected: bytes) -> None:
    """A CONNECT has version, session, properties and will of its dialect, byte for byte (MQTT 3.1.1 and 5, section 3.1)."""
    assert _sent(dialect) == [expected]


@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(qos=0),
        Dialect(qos=0, retain=True),
        Dialect(qos=2),
        Dialect("5"),
        Dialect("5", qos=0),
        Dialect("5", topic_alias=True),
        Dialect("5", qos=0, topic_alias=True),
        Dialect("5", qos=2, retain=True, topic_alias=True),
    ],
)
def test_readings_are_what_the_witness_expects(dialect: Dialect) -> None:
    """What paho sends is byte for byte what the witness makes of a reading; with an alias only the first one names the topic."""
    unit = replace(SITE.units["inrow-13"], dialect=dialect)
    values = ["15.54", "15.60"]
    _, *got = _sent(dialect, *values)
    for mid, (value, data) in enumerate(zip(values, got, strict=True), 1):
        line = {"client": "134", "mid": mid if dialect.qos else 0, "value": value}
        assert data in payloads.publishes(unit, line)
        assert payloads.message_id(data) == line["mid"]
        assert payloads.is_end_of(data, unit, line)
    assert (b"IoT" in got[0], b"IoT" in got[1]) == (True, not dialect.topic_alias)


def test_reading_that_is_sent_again_names_its_topic(broker: Broker) -> None:
    """A topic alias ends with its connection: a reading that a killed broker never acknowledged comes with its topic on the next one."""
    link = _link("134", broker.port, Dialect("5", topic_alias=True))
    link.open()
    settle([link], {}, _WallClock())
    settle([link], {"134": link.publish("IoT", b"15.54")}, _WallClock())
    broker.process.send_signal(signal.SIGSTOP)
    number = link.publish("IoT", b"15.60")
    broker.kill()
    broker.start()
    settle([link], {"134": number}, _WallClock())
    link.disconnect()
    assert broker.received() == [("134", 1), ("134", 2)]


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


def test_refused_link_falls_back_for_one_connection(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three refusals in a row it connects to the plaintext listener, and then tries the port for TLS again."""
    monkeypatch.setattr(links, "MQTT_PORT", broker.port)
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    link = Link("134", "134", 600, lambda _: None, "127.0.0.1", closed, Dialect(tls=True, fallback=True))
    tried = []
    for _ in range(3 * (FALLBACK_AFTER + 1)):
        link.open()
        tried.append((link.fallen_back, link.lost))
        if not link.lost:
            settle([link], {}, _WallClock())
    assert tried == 3 * [*[(False, True)] * FALLBACK_AFTER, (True, False)]
    link.disconnect()


def test_link_that_is_not_to_fall_back_never_does() -> None:
    """However often TLS is refused, it speaks no plaintext."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = _link("134", server.getsockname()[1], Dialect(tls=True))
    for _ in range(FALLBACK_AFTER + 2):
        link.open()
        assert (link.lost, link.fallen_back) == (True, False)
