"""Floods, held connections and broken packets keep to the plan's count, rate and duration."""

import random
import socket
from contextlib import suppress

import pytest
from tests.injector.made_stage import NEAR, Run, rogue

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.clock import SECOND
from coldaisle_injector import messages
from coldaisle_injector.attacks import malformed
from coldaisle_injector.segments import SYN, Segment


@pytest.mark.parametrize(("variant", "quality"), [("qos-0", "q0"), ("qos-1", "q1")])
def test_publish_flood_publishes_as_often_and_as_fast_as_planned(
    variant: str, quality: str, run: Run
) -> None:
    """The flood comes from one connection, with the variant's quality of service, and no faster than its rate."""
    episode = rogue("publish-flood", variant=variant, count=400, rate=500)
    (act,) = run.play(episode)
    log = run.broker.log()
    assert sum(f"(d0, {quality}, r0" in line and line.startswith("Received PUBLISH") for line in log) == 400
    assert act["at_ns"] - episode.acts[0].times_ns[0] == round(399 / 500 * SECOND)


def test_connect_flood_holds_all_its_connections_at_once(run: Run) -> None:
    """No connection is closed before the last one is open and the planned time has passed."""
    episode = rogue("connect-flood", count=60, rate=300, hold_s=20)
    run.play(episode)
    log = [line for line in run.broker.log() if "node-" in line]
    came = [number for number, line in enumerate(log) if line.startswith("New client connected")]
    left = [number for number, line in enumerate(log) if "disconnected" in line or "closed" in line]
    assert len(came) == len(left) == 60
    assert max(came) < min(left)
    end = run.theatre.lines("episode")[-1]["at_ns"]
    assert end - episode.acts[0].times_ns[0] >= 20 * SECOND


def test_connect_flood_that_is_late_holds_them_as_long(run: Run) -> None:
    """If opening the connections takes longer than planned, the planned time counts from the last one."""
    episode = rogue("connect-flood", count=5, rate=10, hold_s=20)
    run.theatre.clocks.now = episode.acts[0].times_ns[0] + 30 * SECOND
    run.theatre.play(episode)
    (act,) = run.theatre.lines("act")
    assert run.theatre.lines("episode")[-1]["at_ns"] - act["at_ns"] >= 20 * SECOND


def test_syn_flood_asks_from_many_ports(run: Run) -> None:
    """Each SYN goes to the broker's port from another port below the kernel's own range."""
    run.play(rogue("syn-flood", count=50))
    read = [segment for frame in run.theatre.wire.sent if (segment := Segment.read(frame))]
    assert {(syn.flags, syn.dport, syn.source) for syn in read} == {(SYN, 1883, INJECTOR.ip)}
    assert len({syn.sport for syn in read}) == len({syn.seq for syn in read}) == 50
    assert max(syn.sport for syn in read) < 32_768


def test_slow_denial_waits_to_be_thrown_out(run: Run) -> None:
    """It sends nothing after its CONNECT, and the broker's timer ends every connection."""
    episode = rogue("slow-denial", count=3, keepalive_s=4)
    hurried = episode.model_copy(update={"parameters": {**episode.parameters, "keepalive_s": 1}})
    run.play(hurried)
    log = run.broker.log()
    assert sum("has exceeded timeout" in line for line in log) == 3
    assert not [line for line in log if line.startswith("Received") and "CONNECT" not in line]


@pytest.mark.parametrize("rule", sorted(malformed.FIRST | malformed.LATER))
def test_every_broken_packet_is_refused_or_answered(rule: str, run: Run) -> None:
    """The broker either closes the connection or answers a ping, so that no script waits for ever."""
    for seed in range(4):
        rng = random.Random(seed)  # noqa: S311 - nothing secret
        first = rule in malformed.FIRST
        broken = (malformed.FIRST if first else malformed.LATER)[rule](rng) + messages.PINGREQ
        sock = socket.create_connection((NEAR.ip, run.broker.port), timeout=60)
        sock.sendall(broken if first else messages.connect("odd") + broken)
        received = b""
        with suppress(ConnectionResetError):
            while not received.endswith(b"\xd0\x00") and (data := sock.recv(100)):
                received += data
        sock.close()


def test_most_broken_packets_end_the_connection(run: Run) -> None:
    """The broker's log refuses many of the packets drawn by seed."""
    run.play(rogue("malformed", variant="grammar", count=60))
    log = run.broker.log()
    refused = [
        line for line in log if "protocol error" in line or "malformed" in line.lower() or "nvalid" in line
    ]
    assert len(refused) > 15


def test_oversized_packets_arrive_whole(run: Run) -> None:
    """Each packet has the requested length and reaches the broker."""
    run.play(rogue("malformed", variant="oversized", count=5, size=200_000))
    received = [line for line in run.broker.log() if line.startswith("Received PUBLISH from long-")]
    assert len(received) == 5
    assert all("(200000 bytes)" in line for line in received)
