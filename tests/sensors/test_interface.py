"""A unit's cable is pulled in a network of its own, to show what the kernel does."""

import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.published import UNITS
from tests.sensors.made import CLIENTS, Scene, SkippingClock, plan_of
from tests.sensors.mosquitto import Broker

from coldaisle_contracts.addressing import BROKER
from coldaisle_sensors import link as links
from coldaisle_sensors.interface import Interface, InterfaceError
from coldaisle_sensors.link import Link
from coldaisle_testbed import namespaces

HOST = UNITS["inrow-13"]


@pytest.fixture
def spaces() -> Iterator[dict[str, int]]:
    """A network with a broker and one unit."""
    network = namespaces.build((BROKER, HOST))
    yield network
    for namespace in network.values():
        os.close(namespace)


@pytest.fixture
def broker(spaces: dict[str, int], tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto in the broker's namespace."""
    with namespaces.inside(spaces[BROKER.name]):
        network = Broker(tmp_path, BROKER.ip)
    yield network
    network.kill()


def _routes() -> str:
    return Path("/proc/thread-self/net/route").read_text(encoding="ascii")


def test_interface_that_is_not_there_is_one_sentence() -> None:
    """Without the interface, or without the right to set it, one sentence says what is missing."""
    with pytest.raises(InterfaceError, match=r"interface none0 cannot be set .*NET_ADMIN"):
        Interface("none0").pull()


@pytest.mark.netns
def test_pulled_interface_reaches_nobody_and_comes_back_with_its_route(spaces: dict[str, int]) -> None:
    """While the interface is down there is no route and a datagram is refused at once; once it is up both are restored."""
    with namespaces.inside(spaces[HOST.name]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before = _routes()
        cable = Interface()
        cable.pull()
        assert "eth0" not in _routes()
        with pytest.raises(OSError, match="unreachable"):
            sock.sendto(b"", (BROKER.ip, 9))
        cable.plug()
        cable.plug()
        assert _routes() == before
        sock.sendto(b"", (BROKER.ip, 9))


@pytest.mark.netns
@pytest.mark.parametrize("patient", [True, False], ids=["the connection survives", "it is opened again"])
def test_reading_of_an_outage_is_delivered_once(
    *, patient: bool, spaces: dict[str, int], broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cable out during one reading, the broker gets every reading once, whether or not the connection survives."""
    if not patient:
        monkeypatch.setattr(links, "RESEND_S", 0.5)
    plan = plan_of({"kind": "cable", "outage_s": 0.8}, duration_h=1)
    with namespaces.inside(spaces[HOST.name]):
        make = partial(Link, host=BROKER.ip, port=broker.port)
        scene = Scene(tmp_path, SkippingClock(plan.start_ns), plan, make, Interface())
        scene.run()
    journalled = [(line["client"], line["mid"]) for line in scene.lines("reading")]
    assert len(journalled) == 12 * len(CLIENTS)
    assert sorted(broker.received()) == sorted(journalled)
    (act,) = plan.episodes[0].acts
    for line in scene.lines("reading"):
        if line["slot"] == act.slot:
            assert line["acked_ns"] > act.times_ns[1]
            assert line["attempts"] == (1 if patient else 2)
    again = [line for line in scene.lines("connect") if line["reason"] != "start"]
    assert {line["reason"] for line in again} == (set() if patient else {"cable"})
