"""Suricata itself, in its image without a network: its events are those that we export, and checksums decide what it sees."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.compose.talk import Talk

from coldaisle_analysis import judge
from coldaisle_analysis.export import export
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.compose import project_of

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE_S = 900.0
"""Building the image takes minutes where nothing is cached, s."""
Event = dict[str, Any]

pytestmark = [
    pytest.mark.compose,
    pytest.mark.skipif(not compose.answers(), reason="needs a Docker Engine that answers"),
]


def compose_with(runs: Path, *arguments: str) -> tuple[int, str]:
    """Call `docker compose` with a folder of runs; return its exit code and what it wrote."""
    env = os.environ | {"PWD": str(HOUSE), "COLDAISLE_IMAGES": project_of(HOUSE), "COLDAISLE_RUNS": str(runs)}
    command = ["docker", "compose", "--ansi", "never", "--profile", "judge", *arguments]
    done = subprocess.run(
        command, cwd=HOUSE, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def _nothing_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remove network and volume of the project in the end: Compose makes them for `run`, too."""
    yield
    code, output = compose_with(tmp_path_factory.mktemp("none"), "down", "--volumes")
    assert code == 0, output


def call(runs: Path, *arguments: str) -> tuple[int, str]:
    """Call `docker compose run --rm judge`, see :func:`compose_with`."""
    return compose_with(runs, "run", "--rm", "judge", *arguments)


def events(path: Path, kind: str) -> list[Event]:
    """Return the events of a type in a file."""
    return [
        event
        for line in path.read_text("utf-8").splitlines()
        if (event := json.loads(line))["event_type"] == kind
    ]


def suricata(run: Path, checksums: str = "all") -> Path:
    """Return the file of Suricata's events on a run."""
    code, output = call(run.parent, run.name, checksums)
    assert code == 0, output
    return run.parent / "alerts" / run.name / "eve.json"


def comparable(event: Event) -> str:
    """Return an event without what no two programs can have in common: the number of a flow, and when an idle one is given up."""
    dropped = {"flow_id"} | ({"timestamp"} if event["pkt_src"] != "wire/pcap" else set())
    kept = {name: value for name, value in event.items() if name not in dropped}
    return json.dumps(kept | {"pcap_filename": Path(event["pcap_filename"]).name}, sort_keys=True)


def string(text: bytes | str) -> bytes:
    """Return a text with its length."""
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(2) + data


def packet(first: int, *parts: bytes) -> bytes:
    """Return a control packet of less than 128 bytes."""
    body = b"".join(parts)
    assert len(body) < 128
    return bytes([first, len(body)]) + body


def connect(version: int, flags: int, *rest: bytes, properties: bytes = b"") -> bytes:
    """Return a CONNECT; ``rest`` follows the client id ``probe``."""
    inside = bytes([len(properties)]) + properties if version == 5 else b""
    return packet(0x10, string("MQTT"), bytes([version, flags]), b"\0\x3c", inside, string("probe"), *rest)


OLD = [
    ("C", connect(4, 0xEE, string("will/topic"), string(b"gone \xff"), string("ada"), string("secret"))),
    ("S", b"\x20\x02\x00\x00"),
    ("C", packet(0x82, b"\0\1", string("a/#"), b"\1", string("b"), b"\2")),
    ("S", packet(0x90, b"\0\1", b"\1\x80")),
    ("C", packet(0x30, string("a/b"), b"zero")),
    ("C", packet(0x3D, string("a/b"), b"\0\2", b"two \xc3\xa9")),
    ("S", packet(0x50, b"\0\2")),
    ("C", packet(0x62, b"\0\2")),
    ("S", packet(0x70, b"\0\2")),
    ("C", packet(0x32, string("a/b"), b"\0\3", b"\xfe\xff") + packet(0x30, string("c"), b"")),
    ("S", packet(0x40, b"\0\3") + packet(0x32, string("a/b"), b"\0\7", b"down")),
    ("C", packet(0x40, b"\0\7")),
    ("C", packet(0xA2, b"\0\4", string("a/#"), string("b"))),
    ("S", packet(0xB0, b"\0\4")),
    ("C", packet(0x40, b"\0\x63")),
    ("C", b"\xc0\0"),
    ("S", b"\xd0\0"),
    ("C", packet(0x32, string("a/b"), b"\0\5", b"nobody answers")),
    ("C", b"\xe0\0"),
]
"""A conversation in MQTT 3.1.1."""
NEW = [
    ("C", connect(5, 0x02, properties=b"\x11\0\0\1\0\x21\0\x14\x26" + string("made by") + string("hand"))),
    ("S", packet(0x20, b"\1\0", b"\x09", b"\x22\0\x0a\x12" + string("abc") + b"")),
    ("C", packet(0x82, b"\0\1", b"\x02\x0b\x05", string("a"), b"\x01")),
    ("S", packet(0x90, b"\0\1", b"\0", b"\x01")),
    ("C", packet(0x32, string("a"), b"\0\2", b"\x07", b"\x01\x01\x23\0\1\x24\1"[:5] + b"\x19\0", b"aliased")),
    ("S", packet(0x40, b"\0\2", b"\x10", b"\0")),
    ("C", packet(0x32, string("a"), b"\0\3", b"\0", b"again")),
    ("S", packet(0x40, b"\0\3")),
    ("C", packet(0xA2, b"\0\4", b"\0", string("a"))),
    ("S", packet(0xB0, b"\0\4", b"\0", b"\x11")),
    ("C", packet(0xE0, b"\x04", b"\0")),
]
"""A conversation in MQTT 5."""
BROKEN = [
    ("C", connect(4, 2)),
    ("S", b"\x20\x02\x00\x00"),
    ("C", packet(0x30, b"\0\x63abc")),
    ("C", b"\xc0\0"),
]
"""A conversation that ends in a topic longer than its packet."""
UNANSWERED = [("C", connect(3, 2))]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with every kind of control packet, exported."""
    conversation = Talk()
    for port, lines in ((40_001, OLD), (40_002, NEW), (40_003, BROKEN)):
        conversation.say(port, lines)
    conversation.say(40_004, UNANSWERED, close=False)
    run = conversation.save(tmp_path_factory.mktemp("runs") / "talk")
    export(run, ["eve"])
    return run


def test_our_events_are_suricata_s(talk: Path) -> None:
    """Every MQTT event of ours equals one of Suricata's in every field, and the other way round."""
    theirs, ours = (
        Counter(map(comparable, events(path, "mqtt")))
        for path in (suricata(talk), talk / "export" / "eve" / "eve.json")
    )
    assert sorted((theirs - ours).elements()) == sorted((ours - theirs).elements()) == []
    assert theirs.total() > 20


@pytest.mark.netns
def test_our_events_of_a_real_run_are_suricata_s(hour_run: Path, tmp_path: Path) -> None:
    """The same of an hour that was really played, with attackers on the path."""
    export(hour_run, ["eve"], tmp_path / "out")
    theirs, ours = (
        Counter(map(comparable, events(path, "mqtt")))
        for path in (suricata(hour_run), tmp_path / "out" / "eve" / "eve.json")
    )
    assert sorted((theirs - ours).elements()) == sorted((ours - theirs).elements()) == []
    assert theirs.total() > 150


def test_a_forged_checksum_hides_a_message(tmp_path: Path) -> None:
    """A segment with a wrong checksum is reported; its message is seen only where checksums are not validated."""
    conversation = Talk()
    readings = [("C", packet(0x30, string("IoT"), value)) for value in (b"11.80", b"11.81", b"11.82")]
    conversation.say(40_001, [("C", connect(4, 2)), ("S", b"\x20\x02\x00\x00"), *readings], forged=[4])
    run = conversation.save(tmp_path / "forged")
    counted = {}
    for checksums in ("all", "none"):
        path = suricata(run, checksums)
        published = [
            event["mqtt"]["publish"]["message"]
            for event in events(path, "mqtt")
            if "publish" in event["mqtt"]
        ]
        counted[checksums] = (published, [event["alert"]["signature_id"] for event in events(path, "alert")])
    assert counted == {
        "all": (["11.80", "11.81"], [1_000_107]),
        "none": (["11.80", "11.81", "11.82"], [1_000_107]),
    }


def test_its_alerts_are_judged_by_frame(talk: Path) -> None:
    """Alerts on a retained message, a will and subscribers name frames that exist, so that every one is joined by its number."""
    path = suricata(talk)
    alerts = events(path, "alert")
    assert {1_000_013, 1_000_014, 1_000_015} <= {event["alert"]["signature_id"] for event in alerts}
    judgement = judge.of_run(talk, [path])
    assert judgement.row["matched"]["frame"] == sum("pcap_cnt" in event for event in alerts)
    assert judgement.row["unmatched"] == 0


@pytest.mark.parametrize("arguments", [("nothing",), ("talk", "some")])
def test_bad_words_are_refused(talk: Path, arguments: tuple[str, ...]) -> None:
    """A run that is not there, or another way to treat checksums, is one sentence and exit code 2."""
    code, output = call(talk.parent, *arguments)
    assert code == 2
    assert f"read-captures: {arguments[-1]}: " in output
