"""Frames and episodes for the injector's tests."""

from typing import Any

from scapy.contrib.mqtt import MQTT, MQTTPublish
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from tests.published import SITE, UNITS

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_injector.segments import Segment
from coldaisle_testbed.obedience.layout import site_for

UNIT = UNITS["inrow-13"]
VICTIM = SITE.units["inrow-13"]
PORT = 40_001
MACS = (INJECTOR.mac, BROKER.mac)
TIMESTAMP = [("NOP", None), ("NOP", None), ("Timestamp", (111, 222))]


def episode(**keys: object) -> Episode:
    """Return the one episode of a scenario with these keys; by default two readings of sensor 1 from slot 2 on."""
    row = KINDS[str(keys["kind"])]
    where = {"unit": UNIT.name} if row.target == "unit" else {}
    which = {"sensors": (1,)} if row.picks_sensors else {}
    spec = {"day": 1, "start": "00:10", "readings": 1 if row.brief else 2, **where, **which, **keys}
    scenario = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    return build_plan(Scenario.model_validate({**scenario, "episodes": [spec], **site_for([row])})).episodes[
        0
    ]


def publish(value: str, mid: int) -> bytes:
    """Return a PUBLISH with QoS 1 to topic IoT, made by scapy."""
    return bytes(MQTT(QOS=1) / MQTTPublish(topic="IoT", msgid=mid, value=value.encode()))


def segment(
    payload: bytes = b"",
    *,
    source: Host = UNIT,
    numbers: tuple[int, int] = (1000, 2000),
    flags: str = "PA",
    options: list[tuple[str, Any]] | None = None,
) -> Segment:
    """Return a segment between the unit and the broker as the attacker receives it, made by scapy."""
    target = BROKER if source is UNIT else UNIT
    sport, dport = (PORT, 1883) if source is UNIT else (1883, PORT)
    if options is None:
        options = [("NOP", None), ("NOP", None), ("Timestamp", (111, 222))]
    tcp = TCP(sport=sport, dport=dport, seq=numbers[0], ack=numbers[1], flags=flags, options=options)
    frame = Ether(src=source.mac, dst=target.mac) / IP(src=source.ip, dst=target.ip) / tcp
    read = Segment.read(bytes(frame / Raw(payload) if payload else frame))
    assert read is not None
    return read


def assert_valid(frame: bytes) -> None:
    """Assert that scapy builds the same frame when it computes every length and checksum anew."""
    packet = Ether(frame)
    del packet[IP].len, packet[IP].chksum, packet[TCP].chksum, packet[TCP].dataofs
    assert bytes(packet) == frame
