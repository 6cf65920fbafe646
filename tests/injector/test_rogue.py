"""Rogue clients do to a real broker what the plan says, as often as it says, and leave nothing behind."""

import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.injector.made import episode
from tests.injector.made_stage import NEAR, Clocks, Mosquitto, Theatre, draw_near

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.topics import client_id, encode_value
from coldaisle_injector import messages
from coldaisle_injector.attacks import malformed
from coldaisle_injector.catalogue import Scene, attack_for
from coldaisle_injector.client import Client
from coldaisle_injector.script import StuckError
from coldaisle_injector.segments import SYN, Segment

SENSORS = {client_id(unit, sensor) for unit in ("inrow-13", "inrow-15", "inrow-23", "inrow-25") for sensor in range(1, 5)}  # fmt: skip


def _made(kind: str, **wanted: object) -> Episode:
    """Return an episode of a kind with little to do."""
    row = KINDS[kind]
    broker = {"unit": None, "sensors": (1, 2, 3, 4)} if row.target == "broker" else {}
    few = {each.name: 12 for each in row.parameters if each.name == "count"}
    return episode(kind=kind, **{**broker, **few, "readings": 1 if row.pace == "once" else 2, **wanted})


ROGUES = [
    (kind.name, variant)
    for kind in KINDS.values()
    if kind.actor == "injector" and not kind.on_path
    for variant in kind.variants
    if kind.name != "slow-denial"  # the broker's patience is real time here; a test of its own
]


class Run:
    """A broker and a stage beside it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.broker = Mosquitto(folder / "broker")
        self.theatre = Theatre(folder, Clocks())
        draw_near(patch, self.broker.port)

    def play(self, wanted: Episode) -> list[dict[str, Any]]:
        """Play an episode from its beginning and return its acts."""
        self.theatre.clocks.now = wanted.begin_ns - SECOND
        self.theatre.play(wanted)
        return self.theatre.lines("act")

    def connect(self, client: str, *said: bytes) -> socket.socket:
        """Return a connection of somebody else's that has been accepted and has said something."""
        sock = socket.create_connection((NEAR.ip, self.broker.port), timeout=5)
        sock.sendall(messages.connect(client))
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        for each in said:
            sock.sendall(each)
        return sock

    def kept(self) -> bytes:
        """Return what the broker gives a new subscriber to everything before it answers a ping."""
        with self.connect("judge", messages.subscribe("IoT", 1), messages.PINGREQ) as sock:
            heard = b""
            while not heard.endswith(b"\xd0\x00"):
                heard += sock.recv(1024)
            sock.sendall(messages.DISCONNECT)
        return heard


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Run]]:
    """Makes brokers with a stage beside each."""
    runs = list[Run]()

    def make(name: str) -> Run:
        runs.append(Run(tmp_path / name, monkeypatch))
        return runs[-1]

    yield make
    for run in runs:
        run.broker.kill()


@pytest.fixture
def run(staged: Callable[[str], Run]) -> Run:
    """One broker and a stage."""
    return staged("run")


def _planned(wanted: Episode) -> list[tuple[int, int, str]]:
    return [(act.slot, act.sensor, act.operation) for act in wanted.acts]


def _deeds(said: list[str]) -> list[str]:
    """Return what a broker's log says was done to it, without ports."""
    found = [line for line in said if re.match(r"New client|Received|\s|Client .* (dis|not|closed)", line)]
    return [re.sub(r"127\.0\.0\.1(:\d+)?", "", line) for line in found]


@pytest.mark.parametrize(("kind", "variant"), ROGUES, ids=["-".join(each) for each in ROGUES])
def test_it_does_what_is_planned_and_the_same_again(
    kind: str, variant: str, staged: Callable[[str], Run]
) -> None:
    """One line for each act, begin and end around them, no connection left; a second play looks the same to the broker."""
    wanted, seen = _made(kind, variant=variant), list[tuple[list[Any], list[str], list[bytes]]]()
    for name in ("first", "second"):
        run = staged(name)
        acts = run.play(wanted)
        assert [(act["slot"], act["sensor"], act["operation"]) for act in acts] == _planned(wanted)
        assert [line["phase"] for line in run.theatre.lines("episode")] == ["begin", "end"]
        assert run.theatre.foothold.clients == []
        facts = [{key: act[key] for key in ("after", "mid", "client")} for act in acts]
        seen.append((facts, _deeds(run.broker.said()), run.theatre.wire.sent))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("kind", "variant"), ROGUES, ids=["-".join(each) for each in ROGUES])
def test_it_does_nothing_before_its_time(kind: str, variant: str, run: Run) -> None:
    """Up to the first act the broker has heard nothing of it."""
    wanted = _made(kind, variant=variant)
    theatre = run.theatre
    theatre.clocks.now = wanted.begin_ns - SECOND
    script = attack_for(wanted).script(_scene(theatre))
    theatre.stage.add(script)
    theatre.clocks.now = wanted.acts[0].times_ns[0] - 1
    theatre.stage.run_due(theatre.clocks.now)
    assert theatre.stage.next_ns == wanted.acts[0].times_ns[0]
    assert (theatre.foothold.clients, theatre.wire.sent) == ([], [])


def _scene(theatre: Theatre) -> Any:
    return Scene(None, theatre.foothold, theatre.notes())


def test_false_data_comes_from_a_sensor_that_does_not_exist(run: Run) -> None:
    """Its client id has the sensors' form and is none of the sixteen; values are the plan's."""
    wanted = _made("false-data")
    acts = run.play(wanted)
    assert [act["after"] for act in acts] == [encode_value(act.amount).decode() for act in wanted.acts]
    (name,) = {act["client"] for act in acts}
    assert re.fullmatch(r"\d{3}", name)
    assert name not in SENSORS
    received = [
        line for line in run.broker.said() if line.startswith(f"Received PUBLISH from {name} (d0, q1, r0")
    ]
    assert len(received) == len(wanted.acts)


def test_takeover_throws_the_sensor_out_and_is_thrown_out_by_it(run: Run) -> None:
    """The sensor's connection ends with the attacker's login; the attacker's when the sensor comes back."""
    wanted = _made("takeover", readings=1)
    sensor = run.connect("131")
    theatre, back = run.theatre, list[socket.socket]()
    theatre.clocks.now = wanted.begin_ns - SECOND
    theatre.stage.add(attack_for(wanted).script(_scene(theatre)))
    _until(theatre, lambda: bool(theatre.lines("act")), jump=True)
    assert sensor.recv(10) == b""
    (held,) = theatre.foothold.clients
    assert theatre.stage.settled, "waiting for the sensor must not hold time"
    back.append(run.connect("131"))
    _until(theatre, lambda: held.ended)
    (act,) = theatre.lines("act")
    assert (act["client"], act["port"]) == ("131", held.port)
    sensor.close()
    back[0].close()


def _until(theatre: Theatre, met: Callable[[], bool], *, jump: bool = False) -> None:
    """Perform until something holds."""
    limit = time.monotonic() + 5
    while not met():
        assert time.monotonic() < limit
        theatre.listen(0.01)
        theatre.stage.look()
        if jump and not met() and theatre.stage.settled and theatre.stage.next_ns is not None:
            theatre.clocks.now = theatre.stage.next_ns
            theatre.stage.run_due(theatre.clocks.now)


@pytest.mark.parametrize("kind", ["eavesdropping", "maintenance"])
def test_subscriber_hears_what_is_published(kind: str, run: Run) -> None:
    """From its start to its stop it is given every reading, and acknowledges none: quality of service is 0."""
    wanted = _made(kind)
    theatre = run.theatre
    theatre.clocks.now = wanted.begin_ns - SECOND
    theatre.stage.add(attack_for(wanted).script(_scene(theatre)))
    _until(theatre, lambda: len(theatre.lines("act")) == 1, jump=True)
    (client,) = theatre.foothold.clients
    with run.connect("131", messages.publish("IoT", "15.54", mid=7)):
        _until(theatre, lambda: client.count(messages.PUBLISH) == 1)
    assert client.inbox[-1].value == b"15.54"
    _until(theatre, lambda: len(theatre.lines("act")) == 2, jump=True)
    _until(theatre, lambda: client.ended, jump=True)
    assert {act["port"] for act in theatre.lines("act")} == {client.port}


def test_retained_value_is_given_to_later_subscribers_until_it_is_cleared(run: Run) -> None:
    """It stays after the client has left; the stop takes it away."""
    wanted = _made("retained-poisoning")
    theatre = run.theatre
    theatre.clocks.now = wanted.begin_ns - SECOND
    theatre.stage.add(attack_for(wanted).script(_scene(theatre)))
    _until(theatre, lambda: len(theatre.lines("act")) == 1 and not theatre.foothold.clients, jump=True)
    assert encode_value(wanted.acts[0].amount) in run.kept()
    _until(theatre, lambda: len(theatre.lines("episode")) == 2, jump=True)
    assert run.kept() == b"\x90\x03\x00\x01\x00\xd0\x00"


def test_retained_value_that_comes_back_voids_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves something behind says so."""
    wanted = _made("retained-poisoning")
    clear = messages.publish

    def spoilt(topic: str, value: str, **given: Any) -> bytes:
        return clear(topic, value or encode_value(wanted.acts[0].amount).decode(), **given)

    monkeypatch.setattr(messages, "publish", spoilt)
    with pytest.raises(StuckError, match="forget a retained message"):
        run.play(wanted)


def test_will_is_published_for_a_client_that_broke_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reset, not closed; the broker sends its will, and the witness acknowledges nothing."""
    wanted, broken = _made("will-abuse", readings=1), list[int]()
    abort = Client.abort

    def noted(client: Client) -> None:
        broken.append(client.port)
        abort(client)

    monkeypatch.setattr(Client, "abort", noted)
    (act,) = run.play(wanted)
    assert broken == [act["port"]]
    said = run.broker.said()
    assert act["after"] == encode_value(wanted.acts[0].amount).decode()
    assert [line for line in said if line.startswith("Client panel-9 closed its connection")]
    assert [line for line in said if line.startswith("Sending PUBLISH to panel-8 (d0, q0, r0")]


def test_brute_force_counts_the_logins_taken(run: Run) -> None:
    """It finds the one account the scenario names, and notes as often as the broker said yes."""
    (act,) = run.play(_made("brute-force", count=300, rate=200))
    codes = [line[-2] for line in run.broker.said() if line.startswith("Sending CONNACK to")]
    assert len(codes) == 300
    assert int(act["after"]) == codes.count("0") > 0


def test_enumeration_asks_for_many_topics_on_one_connection(run: Run) -> None:
    """Each guess is a SUBSCRIBE that is answered; the sensors' topic and the broker's own are among them."""
    run.play(_made("topic-enumeration", count=120))
    said = run.broker.said()
    assert sum(line.startswith("New client connected") for line in said) == 1
    assert sum(line.startswith("Sending SUBACK to") for line in said) == 120
    asked = {line.strip().split(" (QoS")[0] for line in said if "(QoS 0)" in line}
    assert "IoT" in asked
    assert any(topic.startswith("$SYS/") for topic in asked)
    assert len(asked) > 60


@pytest.mark.parametrize(("variant", "quality"), [("qos-0", "q0"), ("qos-1", "q1")])
def test_publish_flood_publishes_as_often_and_as_fast_as_planned(
    variant: str, quality: str, run: Run
) -> None:
    """From one connection, with the variant's quality of service, and no faster than the rate."""
    wanted = _made("publish-flood", variant=variant, count=400, rate=500)
    (act,) = run.play(wanted)
    said = run.broker.said()
    assert sum(f"(d0, {quality}, r0" in line and line.startswith("Received PUBLISH") for line in said) == 400
    assert act["at_ns"] - wanted.acts[0].times_ns[0] == round(399 / 500 * SECOND)


def test_connect_flood_holds_all_its_connections_at_once(run: Run) -> None:
    """Nobody leaves before the last has come, and then only after the time they are held for."""
    wanted = _made("connect-flood", count=60, rate=300, hold_s=20)
    run.play(wanted)
    said = [line for line in run.broker.said() if "node-" in line]
    came = [number for number, line in enumerate(said) if line.startswith("New client connected")]
    left = [number for number, line in enumerate(said) if "disconnected" in line or "closed" in line]
    assert len(came) == len(left) == 60
    assert max(came) < min(left)
    end = run.theatre.lines("episode")[-1]["at_ns"]
    assert end - wanted.acts[0].times_ns[0] >= 20 * SECOND


def test_connect_flood_that_is_late_holds_them_as_long(run: Run) -> None:
    """Where opening them took longer than planned, the time they are held for counts from the last one."""
    wanted = _made("connect-flood", count=5, rate=10, hold_s=20)
    run.theatre.clocks.now = wanted.acts[0].times_ns[0] + 30 * SECOND
    run.theatre.play(wanted)
    (act,) = run.theatre.lines("act")
    assert run.theatre.lines("episode")[-1]["at_ns"] - act["at_ns"] >= 20 * SECOND


def test_syn_flood_asks_from_many_ports(run: Run) -> None:
    """Each request is a SYN from another port below those its kernel uses, to the broker's."""
    run.play(_made("syn-flood", count=50))
    read = [segment for frame in run.theatre.wire.sent if (segment := Segment.read(frame))]
    assert {(each.flags, each.dport, each.source) for each in read} == {(SYN, 1883, INJECTOR.ip)}
    assert len({each.sport for each in read}) == len({each.seq for each in read}) == 50
    assert max(each.sport for each in read) < 32_768


def test_slow_denial_waits_to_be_thrown_out(run: Run) -> None:
    """It says nothing after its CONNECT; the broker ends every connection by its own timer."""
    wanted = _made("slow-denial", count=3, keepalive_s=4)
    hurried = wanted.model_copy(update={"parameters": {**wanted.parameters, "keepalive_s": 1}})
    run.play(hurried)
    said = run.broker.said()
    assert sum("has exceeded timeout" in line for line in said) == 3
    assert not [line for line in said if line.startswith("Received") and "CONNECT" not in line]


@pytest.mark.parametrize("rule", sorted(malformed.FIRST | malformed.LATER))
def test_every_broken_packet_is_refused_or_answered(rule: str, run: Run) -> None:
    """Whatever the broker makes of it, it closes or answers a ping: nobody waits in vain."""
    for seed in range(4):
        rng = random.Random(seed)  # noqa: S311 - nothing secret
        first = rule in malformed.FIRST
        broken = (malformed.FIRST if first else malformed.LATER)[rule](rng) + messages.PINGREQ
        sock = socket.create_connection((NEAR.ip, run.broker.port), timeout=5)
        sock.sendall(broken if first else messages.connect("odd") + broken)
        heard = b""
        with suppress(ConnectionResetError):
            while not heard.endswith(b"\xd0\x00") and (data := sock.recv(100)):
                heard += data
        sock.close()


def test_most_broken_packets_end_the_connection(run: Run) -> None:
    """The broker refuses most of what a seed draws, by its own account."""
    run.play(_made("malformed", variant="grammar", count=60))
    said = run.broker.said()
    refused = [
        line for line in said if "protocol error" in line or "malformed" in line.lower() or "nvalid" in line
    ]
    assert len(refused) > 15


def test_oversized_packets_arrive_whole(run: Run) -> None:
    """Each of the length asked for, acknowledged."""
    run.play(_made("malformed", variant="oversized", count=5, size=200_000))
    received = [line for line in run.broker.said() if line.startswith("Received PUBLISH from long-")]
    assert len(received) == 5
    assert all("(200000 bytes)" in line for line in received)
