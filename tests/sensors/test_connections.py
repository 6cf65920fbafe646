"""The connections of a unit, against a real mosquitto: how they break, and what the journal says of it."""

import socket
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.published import SITE
from tests.sensors.made import CLIENTS, Scene, SkippingClock, plan_of
from tests.sensors.mosquitto import Broker

from coldaisle_contracts.journal import Journal, read_journal
from coldaisle_sensors import link as links
from coldaisle_sensors.connections import START, Cause, Connections, Firmware
from coldaisle_sensors.link import BrokerLostError, Link, settle

ABORT = struct.pack("ii", 1, 0)
"""Value of SO_LINGER with which close() sends a RST."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running mosquitto."""
    started = Broker(tmp_path)
    yield started
    started.kill()


class _Unit:
    """A unit's connections to a broker, and their journal."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.file = folder / "unit.jsonl"
        self.journal = Journal(self.file, "day-1")
        make = partial(Link, host="127.0.0.1", port=broker.port)
        self.connections = Connections(
            SITE.units["inrow-13"], SkippingClock(), self.journal, make, lambda: links.RETRY_S
        )

    def report(self) -> dict[str, int]:
        """Read what has arrived, publish one reading per sensor and wait for the PUBACKs; return the message ids."""
        self.connections.take_in()
        waiting = {link.client: link.publish("IoT", b"15.54") for link in self.connections.links}
        self.connections.settle(waiting)
        return waiting

    def noted(self, event: str, reason: str) -> list[tuple[str, int]]:
        """Return client and port of the lines of an event with a reason."""
        self.journal.flush()
        lines = [line for line in read_journal(self.file) if line["event"] == event]
        return [(line["client"], line["port"]) for line in lines if line["reason"] == reason]


@pytest.fixture
def unit(tmp_path: Path, broker: Broker) -> Iterator[_Unit]:
    """A connected unit."""
    started = _Unit(tmp_path, broker)
    started.connections.open(START, Firmware(600))
    yield started
    started.connections.close()


def test_sensor_thrown_out_by_a_second_client_comes_back_before_its_reading(
    broker: Broker, unit: _Unit
) -> None:
    """The unit notices when it wakes: its reading arrives once, at the first attempt, on a new connection."""
    unit.report()
    (port,) = [link.port for link in unit.connections.links if link.client == "132"]
    thief = Link("132", "132", 600, lambda _: None, "127.0.0.1", broker.port)
    thief.open()
    settle([thief], {}, SkippingClock())
    assert unit.report() == dict.fromkeys(CLIENTS, 2)
    assert sorted(broker.received()) == [(client, mid) for client in CLIENTS for mid in (1, 2)]
    ((client, anew),) = unit.noted("connect", "lost")
    assert client == "132"
    assert anew != port
    links.drain([thief])
    assert not thief.connected, "the sensor's new connection ends that of the second client"


def test_connection_reset_while_the_unit_sleeps_is_lost_when_it_looks() -> None:
    """The unit detects a RST, like a FIN, before it writes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link("134", "134", 600, lambda _: None, "127.0.0.1", server.getsockname()[1])
        link.open()
        peer, _ = server.accept()
        peer.recv(100)
        peer.sendall(b"\x20\x02\0\0")
        settle([link], {}, SkippingClock())
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        peer.close()
        assert link.connected
        links.drain([link])
        assert link.lost
        assert link.socket() is None


def test_unit_that_drops_its_connections_starts_anew(broker: Broker, unit: _Unit) -> None:
    """There is no DISCONNECT, client ids stay, message ids start at 1, and every connection has its lines in the journal."""
    unit.report()
    unit.report()
    before = {link.client: link.port for link in unit.connections.links}
    unit.connections.drop(Cause("reboot", "e01"))
    unit.connections.open(Cause("reboot", "e01"), Firmware(600))
    assert unit.report() == dict.fromkeys(CLIENTS, 1)
    log = broker.log()
    assert "Received DISCONNECT" not in log
    assert log.count("(p1, c1, k600)") == 8
    assert unit.noted("disconnect", "reboot") == list(before.items())
    after = [(link.client, link.port) for link in unit.connections.links]
    assert unit.noted("connect", "reboot") == after
    lines = [line for line in read_journal(unit.file) if line["event"] == "connect"]
    assert [line["was"] for line in lines] == [0] * 4 + list(before.values())


def test_new_firmware_shows_on_the_wire(broker: Broker, unit: _Unit) -> None:
    """The broker sees the client id with its suffix and the new keepalive; the journal has both names."""
    unit.connections.drop(Cause("firmware", "e01"))
    unit.connections.open(Cause("firmware", "e01"), Firmware(700, "-v2"))
    assert unit.report() == dict.fromkeys(CLIENTS, 1)
    assert "as 133-v2 (p1, c1, k700)" in broker.log()
    assert sorted(broker.received()) == [(f"{client}-v2", 1) for client in CLIENTS]
    unit.journal.flush()
    names = [(line["client"], line["name"]) for line in read_journal(unit.file)][-4:]
    assert names == [(client, f"{client}-v2") for client in CLIENTS]


def test_attempts_nobody_answers_are_written_down(
    broker: Broker, unit: _Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every refused SYN has a line with its port, which the kernel may use again, and with the previous port."""
    monkeypatch.setattr(links, "PATIENCE_S", 0.7)
    broker.kill()
    with pytest.raises(BrokerLostError):
        unit.report()
    unit.journal.flush()
    lines = [line for line in read_journal(unit.file) if line["event"] == "connect"]
    of_sensor = [line for line in lines if line["client"] == "131"]
    assert len(of_sensor) >= 3
    assert [line["was"] for line in of_sensor] == [0, *(line["port"] for line in of_sensor[:-1])]
    assert all(line["port"] for line in of_sensor)
    assert {line["reason"] for line in of_sensor[1:]} == {"lost"}
    broker.start()


@pytest.mark.parametrize("kind", ["reboot", "firmware"])
def test_day_with_a_restart_delivers_every_reading_once(kind: str, broker: Broker, tmp_path: Path) -> None:
    """With real connections, the broker receives as many PUBLISH messages as there are readings in the journal."""
    plan = plan_of({"kind": kind}, duration_h=1)
    make = partial(Link, host="127.0.0.1", port=broker.port)
    scene = Scene(tmp_path, SkippingClock(plan.start_ns), plan, make)
    scene.run()
    journalled = [(line["name"], line["mid"]) for line in scene.lines("reading")]
    assert len(journalled) == 12 * len(CLIENTS)
    assert sorted(broker.received()) == sorted(journalled)
    opened = [line["port"] for line in scene.lines("connect")]
    closed = [line["port"] for line in scene.lines("disconnect")]
    assert sorted(opened) == sorted(closed)
