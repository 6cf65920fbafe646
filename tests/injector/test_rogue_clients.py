"""The effect of each rogue client on a real broker, and the removal of what would stay there."""

import re
from typing import Any

import pytest
from tests.injector.made_stage import Run, rogue
from tests.published import client_id

from coldaisle_contracts.topics import SENSORS, encode_value
from coldaisle_injector import messages
from coldaisle_injector.client import Client
from coldaisle_injector.script import StuckError

UNITS = ("inrow-13", "inrow-15", "inrow-23", "inrow-25")
REAL = {client_id(unit, sensor) for unit in UNITS for sensor in SENSORS}


def test_false_data_comes_from_a_sensor_that_does_not_exist(run: Run) -> None:
    """Its client id has the form of a sensor's and is none of the sixteen; its values are the plan's."""
    episode = rogue("false-data")
    acts = run.play(episode)
    assert [act["after"] for act in acts] == [encode_value(act.amount).decode() for act in episode.acts]
    (name,) = {act["client"] for act in acts}
    assert re.fullmatch(r"\d{3}", name)
    assert name not in REAL
    received = [
        line for line in run.broker.log() if line.startswith(f"Received PUBLISH from {name} (d0, q1, r0")
    ]
    assert len(received) == len(episode.acts)


def test_takeover_throws_the_sensor_out_and_is_thrown_out_by_it(run: Run) -> None:
    """The attacker's login ends the sensor's connection; the sensor's next login ends the attacker's."""
    episode = rogue("takeover", readings=1)
    sensor = run.connect("131")
    theatre = run.theatre
    run.begin(episode)
    run.until(lambda: bool(theatre.lines("act")), jump=True)
    assert sensor.recv(10) == b""
    (held,) = theatre.foothold.clients
    assert theatre.stage.settled, "the wait for the sensor must not hold time"
    back = run.connect("131")
    run.until(lambda: held.ended)
    (act,) = theatre.lines("act")
    assert (act["client"], act["port"]) == ("131", held.port)
    sensor.close()
    back.close()


@pytest.mark.parametrize("kind", ["eavesdropping", "maintenance"])
def test_subscriber_hears_what_is_published(kind: str, run: Run) -> None:
    """From start to stop it receives every reading, and acknowledges none because it subscribes with QoS 0."""
    episode = rogue(kind)
    theatre = run.theatre
    run.begin(episode)
    run.until(lambda: len(theatre.lines("act")) == 1, jump=True)
    (client,) = theatre.foothold.clients
    with run.connect("131", messages.publish("IoT", "15.54", mid=7)):
        run.until(lambda: client.count(messages.PUBLISH) == 1)
    assert client.inbox[-1].value == b"15.54"
    run.until(lambda: len(theatre.lines("act")) == 2, jump=True)
    run.until(lambda: client.ended, jump=True)
    assert {act["port"] for act in theatre.lines("act")} == {client.port}


def test_retained_value_is_given_to_later_subscribers_until_it_is_cleared(run: Run) -> None:
    """The value stays after its client has left, until the stop clears it."""
    episode = rogue("retained-poisoning")
    theatre = run.theatre
    run.begin(episode)
    run.until(lambda: len(theatre.lines("act")) == 1 and not theatre.foothold.clients, jump=True)
    assert encode_value(episode.acts[0].amount) in run.kept()
    run.until(lambda: len(theatre.lines("episode")) == 2, jump=True)
    assert run.kept() == b"\x90\x03\x00\x01\x00\xd0\x00"


def test_retained_value_that_comes_back_voids_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that the broker still retains after the stop raises an error."""
    episode = rogue("retained-poisoning")
    clear = messages.publish

    def spoilt(topic: str, value: str, **options: Any) -> bytes:
        return clear(topic, value or encode_value(episode.acts[0].amount).decode(), **options)

    monkeypatch.setattr(messages, "publish", spoilt)
    with pytest.raises(StuckError, match="forget a retained message"):
        run.play(episode)


def test_will_is_published_for_a_client_that_broke_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is reset, so the broker sends the will; the subscriber that checks it acknowledges nothing."""
    episode, broken = rogue("will-abuse", readings=1), list[int]()
    abort = Client.abort

    def noted(client: Client) -> None:
        broken.append(client.port)
        abort(client)

    monkeypatch.setattr(Client, "abort", noted)
    (act,) = run.play(episode)
    assert broken == [act["port"]]
    log = run.broker.log()
    assert act["after"] == encode_value(episode.acts[0].amount).decode()
    assert [line for line in log if line.startswith("Client panel-9 closed its connection")]
    assert [line for line in log if line.startswith("Sending PUBLISH to panel-8 (d0, q0, r0")]


def test_brute_force_counts_the_logins_taken(run: Run) -> None:
    """It finds the scenario's one account, and journals how many logins the broker accepted."""
    (act,) = run.play(rogue("brute-force", count=300, rate=200))
    codes = [line[-2] for line in run.broker.log() if line.startswith("Sending CONNACK to")]
    assert len(codes) == 300
    assert int(act["after"]) == codes.count("0") > 0


def test_enumeration_asks_for_many_topics_on_one_connection(run: Run) -> None:
    """Each guess is a SUBSCRIBE with an answer; the sensors' topic and the broker's own topics are among them."""
    run.play(rogue("topic-enumeration", count=120))
    log = run.broker.log()
    assert sum(line.startswith("New client connected") for line in log) == 1
    assert sum(line.startswith("Sending SUBACK to") for line in log) == 120
    topics = {line.strip().split(" (QoS")[0] for line in log if "(QoS 0)" in line}
    assert "IoT" in topics
    assert any(topic.startswith("$SYS/") for topic in topics)
    assert len(topics) > 60
