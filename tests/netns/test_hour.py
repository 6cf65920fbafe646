"""The smoke scenario, really played: connections survive, no frame is lost, and everything is journalled."""

from itertools import pairwise
from pathlib import Path

import pytest
from tests.published import UNITS

from coldaisle_analysis.truth import ledger
from coldaisle_capture.retime import DISORDER_NS
from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.manifest import digest_of
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import verification
from coldaisle_testbed.obedience.observed import count, fields

pytestmark = pytest.mark.netns
CONNECTIONS = 16


@pytest.fixture(scope="session")
def capture(hour_run: Path) -> Path:
    """The one retimed capture of the hour."""
    (path,) = (hour_run / "capture").glob("*.pcap")
    return path


def test_conservation_holds(hour_run: Path) -> None:
    """Each planned reading is delivered, or modified or removed by a named act, and every act is in the capture."""
    assert ledger.check(hour_run) == []


def test_established_connections_survive(capture: Path) -> None:
    """All four kinds of attack keep every connection: 16 are opened, none is reset, all are closed in order."""
    assert count(capture, "tcp.flags.syn == 1 && tcp.flags.ack == 0") == CONNECTIONS
    assert count(capture, "tcp.flags.reset == 1") == 0
    assert count(capture, "tcp.flags.fin == 1") == 2 * CONNECTIONS
    assert count(capture, "mqtt.msgtype == 14") == CONNECTIONS


def test_no_frame_is_broken(capture: Path) -> None:
    """Every checksum is right, also in the attacker's frames, and every MQTT message is well formed."""
    assert (
        count(capture, "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0") == 0
    )
    assert count(capture, "_ws.malformed") == 0


def test_sensors_speak_mqtt_3_1(capture: Path) -> None:
    """CONNECT has MQIsdp and level 3; readings have QoS 1 and one topic."""
    connects = fields(capture, "mqtt.msgtype == 1", "mqtt.protoname", "mqtt.ver", "mqtt.clientid")
    assert {(name, version) for name, version, _ in connects} == {("MQIsdp", "3")}
    assert len({client for _, _, client in connects}) == CONNECTIONS
    publishes = fields(capture, "mqtt.msgtype == 3", "mqtt.topic", "mqtt.qos")
    assert {(topic.split(",")[0], qos.split(",")[0]) for topic, qos in publishes} == {("IoT", "1")}


def test_each_kind_does_what_it_is_for(hour_run: Path, capture: Path) -> None:
    """The broker gets every reading except the removed ones, and every copy."""
    plan = Plan.load(hour_run / "plan.json")
    acts = [act for episode in plan.episodes for act in episode.acts]
    swallowed = sum(act.operation == "swallow" for act in acts)
    copies = sum(len(act.times_ns) for act in acts)
    assert (swallowed, copies) == (4, 6)
    assert count(capture, "mqtt.msgtype == 3") == plan.scenario.slots * CONNECTIONS - swallowed + copies


def test_capture_is_kept_raw_and_retimed(hour_run: Path, capture: Path) -> None:
    """Both captures hold the same packets without a drop; the hour lasts an hour in the retimed one and seconds in the raw one."""
    raw = hour_run / "capture" / "raw" / capture.name
    (sealed,) = read_journal(hour_run / "journal" / "capture.jsonl")
    assert count(raw) == count(capture) == sealed["packets"]
    assert sealed["kernel_drops"] == 0
    spans = []
    for path in (raw, capture):
        times = [float(at) for (at,) in fields(path, "frame", "frame.time_epoch")]
        assert max(before - after for before, after in pairwise(times)) < (
            DISORDER_NS / SECOND if path == raw else 1e-9
        )
        spans.append(times[-1] - times[0])
    assert spans[0] < 60
    assert 3500 < spans[1] < 3700


def test_readings_arrive_when_the_plan_says(hour_run: Path, capture: Path) -> None:
    """In the retimed capture the readings of a unit without attack are within a few milliseconds of their planned times."""
    plan = Plan.load(hour_run / "plan.json")
    sent = fields(capture, f"mqtt.msgtype == 3 && ip.src == {UNITS['inrow-13'].ip}", "frame.time_epoch")
    planned = [plan.reading_ns(slot, "inrow-13") / 1e9 for slot in plan.day_slots(0) for _ in range(4)]
    late = [float(at) - due for (at,), due in zip(sent, planned, strict=True)]
    assert min(late) > -0.001
    assert sorted(late)[len(late) // 2] < 0.05


def test_caches_are_restored(hour_run: Path, capture: Path) -> None:
    """After the interception, its unit and the broker exchange frames directly again."""
    lines = list(read_journal(hour_run / "journal" / "injector.jsonl"))
    off = {line["episode"]: line["at_ns"] / 1e9 for line in lines if line.get("phase") == "off_path"}
    assert set(off) == {"e01", "e02", "e03", "e04"}
    unit = UNITS["inrow-13"]
    after = f"frame.time_epoch > {off['e01'] + 0.5:.3f} && mqtt && ip.addr == {unit.ip}"
    pairs = {(source, target) for source, target in fields(capture, after, "eth.src", "eth.dst")}
    assert pairs == {(unit.mac, BROKER.mac), (BROKER.mac, unit.mac)}
    during = fields(capture, f"mqtt && eth.src == {INJECTOR.mac} && ip.src == {unit.ip}", "frame.number")
    assert during


def test_translated_connections_keep_their_translator_to_the_end(hour_run: Path, capture: Path) -> None:
    """A connection with an edited stream passes the attacker until it closes, with unlabelled frames."""
    lines = list(read_journal(hour_run / "journal" / "injector.jsonl"))
    end = {line["episode"]: line["at_ns"] / 1e9 for line in lines if line.get("phase") == "end"}
    unit = UNITS["inrow-23"]
    after = f"frame.time_epoch > {end['e03'] + 0.5:.3f} && mqtt.msgtype == 3 && ip.src == {unit.ip}"
    assert {mac for (mac,) in fields(capture, after, "eth.src")} == {INJECTOR.mac}
    relayed = [line for line in lines if line["event"] == "frame" and line["at_ns"] / 1e9 > end["e04"] + 0.5]
    assert {line["anomalous"] for line in relayed if line["act"] == "relay"} == {False}


def test_episodes_begin_only_on_the_path(hour_run: Path) -> None:
    """Each episode was on the path before it began, and its phases are in order."""
    for episode in ("e01", "e02", "e03", "e04"):
        lines = read_journal(hour_run / "journal" / "injector.jsonl")
        phases = [
            line["phase"] for line in lines if line["event"] == "episode" and line["episode"] == episode
        ]
        assert phases == ["approach", "on_path", "begin", "end", "off_path"]


def test_only_hosts_of_the_plan_are_heard(capture: Path) -> None:
    """The capture has no unknown host, no IPv6 and no multicast."""
    addresses = {BROKER.mac, INJECTOR.mac, *(unit.mac for unit in UNITS.values())}
    assert {mac for (mac,) in fields(capture, "frame", "eth.src")} == addresses
    assert count(capture, "!(arp || ip)") == 0


def test_everything_derived_comes_out_again(hour_run: Path) -> None:
    """A real run verifies: retimed captures and tables are derived again, byte by byte and value by value."""
    assert verification.verify(hour_run).manifest_sha256 == digest_of(hour_run)
