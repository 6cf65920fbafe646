"""Stillness: what the kernel tells of connections, frames and programs in the namespaces of a shard."""

import math
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.published import HOSTS, UNITS

from coldaisle_contracts.addressing import BROKER, MQTT_PORT
from coldaisle_contracts.lifeline import die_with_parent
from coldaisle_testbed import namespaces
from coldaisle_testbed import stillness as stillness_module
from coldaisle_testbed.stillness import TICK_S, Stillness

pytestmark = pytest.mark.netns
UNIT = UNITS["inrow-13"]
DELAY_S = 0.04
"""Delay of an ACK, in s: TCP_DELACK_MIN of Linux."""
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def spaces() -> Iterator[dict[str, int]]:
    """The namespaces of all hosts, linked."""
    built = namespaces.build(HOSTS)
    yield built
    for space in built.values():
        os.close(space)


@pytest.fixture
def stillness(spaces: dict[str, int]) -> Iterator[Stillness]:
    """The stillness of these hosts."""
    with closing(Stillness([spaces[host.name] for host in HOSTS])) as made:
        yield made


@pytest.fixture
def pair(spaces: dict[str, int]) -> Iterator[Pair]:
    """A connection that was opened long ago: the unit's end and the broker's."""
    with namespaces.inside(spaces[BROKER.name]):
        listener = socket.create_server((BROKER.ip, MQTT_PORT))
    with listener:
        with namespaces.inside(spaces[UNIT.name]):
            unit = socket.create_connection((BROKER.ip, MQTT_PORT))
        broker, _ = listener.accept()
    with unit, broker:
        time.sleep(2 * DELAY_S)
        yield unit, broker


def is_still(stillness: Stillness) -> bool:
    """Tell whether a network is still within 20 ms: frames of other networks of the machine may be on their way."""
    for _ in range(20):
        if stillness.look().still_in_s == 0:
            return True
        time.sleep(0.001)
    return False


def test_a_network_without_connections_is_still(stillness: Stillness) -> None:
    """Where nothing was ever sent, nothing is under way."""
    assert is_still(stillness)


def test_a_kernel_with_one_table_for_all_sockets_is_not_asked(
    spaces: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it takes long to find the sockets of a host, the network never counts as still, and rests as long as one that is not known."""
    monkeypatch.setattr(stillness_module, "small_tables", lambda: False)
    with closing(Stillness([spaces[host.name] for host in HOSTS])) as made:
        assert made.look().still_in_s == math.inf


def test_an_idle_connection_is_still(stillness: Stillness, pair: Pair) -> None:
    """A connection whose data was read and acknowledged long ago is still."""
    exchange(pair)
    time.sleep(3 * DELAY_S)
    assert is_still(stillness)


def exchange(pair: Pair) -> None:
    """Send a message each way, and read it."""
    unit, broker = pair
    for source, target in ((unit, broker), (broker, unit)):
        source.send(b"15.54")
        target.recv(64)


def test_a_connection_is_not_still_until_what_it_sends_is_no_reply(stillness: Stillness, pair: Pair) -> None:
    """After data came the wait is as long as an ACK may be delayed, and a tick; then everything is still, and a message is no reply."""
    began = time.monotonic()
    exchange(pair)
    while wait_s := stillness.look().still_in_s:  # nobody acts meanwhile, so it is sure how long
        elapsed_s = time.monotonic() - began
        assert DELAY_S - elapsed_s - TICK_S <= wait_s <= DELAY_S + 2 * TICK_S
        time.sleep(wait_s)
    assert DELAY_S <= time.monotonic() - began < 1


def test_how_long_it_takes_until_everything_is_still_is_sure_where_nobody_acts(
    stillness: Stillness, pair: Pair
) -> None:
    """After data came nothing else happens by itself, and the network is still when the look said."""
    began = time.monotonic()
    exchange(pair)
    outlook = stillness.look()
    assert outlook.surely or time.monotonic() - began > DELAY_S
    time.sleep(outlook.still_in_s)
    assert is_still(stillness)


def test_an_unread_message_is_under_way(stillness: Stillness, pair: Pair) -> None:
    """A broker that has not read a message yet will act on it, however long ago it came."""
    unit, broker = pair
    unit.send(b"15.54")
    time.sleep(3 * DELAY_S)
    outlook = stillness.look()
    assert outlook.still_in_s > 0
    assert not outlook.surely
    broker.recv(64)
    time.sleep(3 * DELAY_S)
    assert is_still(stillness)


def test_a_delayed_ack_is_under_way(stillness: Stillness, pair: Pair) -> None:
    """A message that was read and is not acknowledged keeps the network from being still; the ACK comes by itself."""
    unit, broker = pair
    broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # as after a reply: its ACKs are delayed
    began = time.monotonic()
    unit.send(b"15.54")
    broker.recv(64)
    assert stillness.look().still_in_s > 0 or time.monotonic() - began > DELAY_S
    time.sleep(3 * DELAY_S)
    assert is_still(stillness)


def test_a_connection_that_nobody_answers_is_under_way(stillness: Stillness, spaces: dict[str, int]) -> None:
    """A SYN that is not answered is repeated by the kernel, so the network is not still."""
    with namespaces.inside(spaces[UNIT.name]):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((UNITS["inrow-15"].ip.rpartition(".")[0] + ".99", MQTT_PORT))
    with client:
        time.sleep(3 * DELAY_S)
        assert stillness.look().still_in_s > 0


def test_a_closed_end_that_waits_for_its_peer_is_still(stillness: Stillness, pair: Pair) -> None:
    """A broker that closed first waits for the unit, which sleeps until its next reading: nothing comes by itself."""
    unit, broker = pair
    broker.shutdown(socket.SHUT_WR)
    assert unit.recv(64) == b""
    time.sleep(3 * DELAY_S)
    assert is_still(stillness)


def test_a_watched_program_is_under_way_while_it_works(stillness: Stillness) -> None:
    """A program that works may send something; one that was stopped or has ended does not, which is for others to notice."""
    parent, pid = os.getpid(), os.fork()
    if not pid:
        die_with_parent(parent)
        while True:
            pass
    stillness.watch(pid)
    assert stillness.is_busy()
    assert stillness.look().still_in_s > 0
    os.kill(pid, signal.SIGSTOP)
    while stillness.is_busy():  # until it has stopped
        time.sleep(0.01)
    os.kill(pid, signal.SIGCONT)
    assert stillness.is_busy()
    os.kill(pid, signal.SIGKILL)
    while stillness.is_busy():  # until it has ended, too
        time.sleep(0.01)
    os.waitpid(pid, 0)
    assert not stillness.is_busy()


def test_a_host_has_a_small_table_of_sockets_and_the_usual_limits(spaces: dict[str, int]) -> None:
    """The kernel is asked for a host's sockets often; the limits that follow from the size of the table are those of any namespace."""
    plain = namespaces.create()
    try:
        with namespaces.inside(plain):
            limits = {name: _setting(name) for name in ("tcp_max_syn_backlog", "tcp_max_tw_buckets")}
    finally:
        os.close(plain)
    for host in HOSTS:
        with namespaces.inside(spaces[host.name]):
            assert {name: _setting(name) for name in limits} == limits
            assert _setting("tcp_ehash_entries") == "1024"


def _setting(name: str) -> str:
    return (Path("/proc/sys/net/ipv4") / name).read_text().strip()
