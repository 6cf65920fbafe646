"""The witness shares no code with the labeller, reads frames as tshark does, and reports where the two differ."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from tests.published import UNITS

from coldaisle_analysis import witness
from coldaisle_analysis.witness import Doubt, Verdict, frames
from coldaisle_analysis.witness.attacker import Attacker
from coldaisle_analysis.witness.connections import Connections
from coldaisle_analysis.witness.journals import Journals
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed.obedience.observed import fields

FOLDER = Path(witness.__file__).parent
ATTACK, NORMAL = Verdict(1, 0, "e01"), Verdict()


def test_it_shares_no_code_with_the_labeller() -> None:
    """Of the analysis the witness imports only itself, and of the other packages only the vocabulary."""
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                allowed = name.startswith(("coldaisle_analysis.witness", "coldaisle_contracts"))
                assert allowed or not name.startswith("coldaisle"), f"{path.name}: {name}"
                if name == "coldaisle_analysis.witness":
                    modules = {alias.stem for alias in FOLDER.glob("*.py")}
                    assert isinstance(node, ast.ImportFrom)
                    assert {alias.name for alias in node.names} <= modules


@pytest.mark.netns
def test_it_reads_frames_as_tshark_does(hour_run: Path) -> None:
    """Addresses, ports, numbers, flags and lengths of every frame of a real capture equal those of tshark."""
    (raw,) = (hour_run / "capture" / "raw").glob("*.pcap")
    names = ("frame.number", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.id", "tcp.srcport", "tcp.dstport",
             "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "udp.srcport", "arp.src.proto_ipv4", "arp.opcode")  # fmt: skip
    rows = fields(raw, "frame", *names)
    read = [frames.parse(name, 0, data) for _, name, data in frames._records(raw, raw.name)]
    assert len(read) == len(rows)
    for frame, row in zip(read, rows, strict=True):
        of = dict(zip(names, row, strict=True))
        assert frame.name.startswith(f"frame {of['frame.number']} of ")
        assert (frame.eth_src, frame.eth_dst) == (of["eth.src"], of["eth.dst"])
        assert frame.source == (of["ip.src"] or of["arp.src.proto_ipv4"])
        assert str(frame.operation or "") == of["arp.opcode"]
        assert str(frame.sport or "") == of["tcp.srcport"] + of["udp.srcport"]
        if of["tcp.srcport"]:
            numbers = (frame.seq, frame.ack, frame.flags, len(frame.payload), frame.ident)
            expected = (of["tcp.seq_raw"], of["tcp.ack_raw"], of["tcp.flags"], of["tcp.len"], of["ip.id"])
            assert numbers == tuple(int(text, 0) for text in expected)


PACKET = Ether(src="02:42:c6:12:00:01", dst="02:42:c6:12:00:42") / IP(src="198.18.0.1", dst="198.18.0.66")


def test_icmp_error_quotes_a_packet() -> None:
    """The packet that an ICMP error is about is read from the error; an echo quotes none."""
    inner = IP(src="198.18.0.66", dst="198.18.0.1") / UDP(sport=2345, dport=161)
    frame = frames.parse("frame 1", 0, bytes(PACKET / ICMP(type=3, code=3) / inner))
    quoted = frames.quoted(frame)
    assert quoted is not None
    assert (quoted.source, quoted.sport, quoted.dport) == ("198.18.0.66", 2345, 161)
    assert frames.quoted(frames.parse("frame 2", 0, bytes(PACKET / ICMP(type=8)))) is None


@pytest.mark.parametrize("length", range(0, 54, 3))
def test_short_frame_is_no_trouble(length: int) -> None:
    """A header that is cut short is left out, and there is no error."""
    for packet in (PACKET / TCP(sport=1, dport=2), PACKET / UDP(), PACKET / ICMP(), Ether() / ARP()):
        frames.parse("frame 1", 0, bytes(packet)[:length])


@pytest.mark.parametrize(
    ("content", "error"), [(b"", "is no capture"), (b"\x4d\x3c\xb2\xa1" + bytes(30), "is cut short")]
)
def test_broken_capture_is_refused(tmp_path: Path, content: bytes, error: str) -> None:
    """A raw capture of another format, one that is cut short, and a missing one are refused."""
    (tmp_path / "x.pcap").write_bytes(content)
    with pytest.raises(InputError, match=error):
        list(frames._records(tmp_path / "x.pcap", "x.pcap"))
    with pytest.raises(InputError, match="cannot be read"):
        list(frames._records(tmp_path / "y.pcap", "y.pcap"))


def test_differences_name_frame_and_both_labels() -> None:
    """A label that the witness does not confirm is reported with its frame, and so is a doubt of the witness."""
    testimony = witness.Testimony(
        ["frame 1 of a", "frame 2 of a", "frame 3 of a"], [(NORMAL,), (ATTACK,), ()], []
    )
    assert witness.differences(testimony, [NORMAL, ATTACK, NORMAL]) == [
        "1 frames are labelled otherwise than the witness finds, the first is frame 3 of a: normal; the witness: unexplained"
    ]
    assert "frame 2 of a: normal; the witness: attack e01" in witness.differences(testimony, [NORMAL] * 3)[0]
    assert "2 rows, but the captures have 3 frames" in witness.differences(testimony, [NORMAL] * 2)[0]
    doubting = witness.Testimony([], [], [Doubt("frame 9", "is nobody's"), Doubt("frame 10", "too")])
    assert witness.differences(doubting, []) == [
        "frame 9 is nobody's (the first of 2 things the witness cannot explain)"
    ]


def test_either_of_two_verdicts_will_do() -> None:
    """At the edge of an act phase both verdicts are possible, so either label agrees."""
    testimony = witness.Testimony(["frame 1 of a"], [(NORMAL, ATTACK)], [])
    assert witness.differences(testimony, [NORMAL]) == witness.differences(testimony, [ATTACK]) == []


@pytest.mark.parametrize(("client", "older"), [("", False), ("panel-9", True)])
def test_only_a_client_has_to_say_that_it_opened(client: str, older: bool) -> None:
    """Without a line on an opened connection a journal is an older version's, unless no act had a client, as in a port scan."""
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    lines: list[dict[str, object]] = [
        {"event": "frame", "act": "speak", "episode": "e01"},
        {"event": "act", "client": client, "episode": "e01"},
    ]
    journals = Journals(
        build_plan(Scenario.model_validate(scenario)), attacker=defaultdict(list, {"day-1": lines})
    )
    if older:
        with pytest.raises(InputError, match="an older version made this run"):
            journals._refuse_older(Path("injector.jsonl"))
    else:
        journals._refuse_older(Path("injector.jsonl"))


@pytest.mark.parametrize(
    ("act", "after_s", "doubted"),
    [("relay", 0, False), ("relay", 40, False), ("reply", 40, False), ("relay", 130, True),
     ("reset", 0, False), ("reset", 40, True)],
)  # fmt: skip
def test_unit_may_send_to_the_attacker_after_he_left(act: str, after_s: int, doubted: bool) -> None:
    """Frames from others to the attacker may come until the next episode on the path; the attacker's own frames end with the episode."""
    where = {"kind": "interception", "unit": "inrow-13", "day": 1, "readings": 1}
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1,
                "episodes": [{**where, "start": "00:10"}, {**where, "start": "00:30"}]}  # fmt: skip
    plan = build_plan(Scenario.model_validate(scenario))
    first, second = (episode.id for episode in plan.episodes)
    phases = ((first, "approach", 0), (first, "off_path", 60), (second, "approach", 120))
    lines = [
        {"event": "episode", "episode": episode, "phase": phase, "at_ns": at_s * SECOND}
        for episode, phase, at_s in phases
    ]
    attacker = Attacker(Journals(plan, attacker={"day-1": lines}, units=defaultdict(list)), "day-1")
    at_ns = (60 + after_s) * SECOND
    frame = frames.parse(
        "frame 9", at_ns, bytes(Ether() / IP(src=UNITS["inrow-13"].ip, dst=BROKER.ip) / TCP())
    )
    line = {
        "event": "frame",
        "digest": "",
        "side": "unit",
        "act": act,
        "episode": first,
        "at_ns": at_ns,
        "line": 4,
    }
    reasons = list(attacker.examine(line, frame))
    assert reasons == (
        [f"is attributed to interception {first}, which was not active then"] if doubted else []
    )


@pytest.mark.parametrize(
    ("sent", "episode"),
    [
        (b"\x32\x0c\0\x03IoT\0\x4c11.85", "e01"),
        (b"\0\x4c11.85", "e01"),
        (b"\0\x4c11.86", ""),
        (b"11.85", ""),
    ],
)
def test_rest_of_a_reading_that_was_sent_again(sent: bytes, episode: str) -> None:
    """A segment that repeats only the end of a reading belongs to the episode under which the unit took the reading, like a whole one."""
    cable = {"kind": "cable", "unit": "inrow-15", "day": 1, "start": "00:10", "readings": 1}
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1, "episodes": [cable]}  # fmt: skip
    plan = build_plan(Scenario.model_validate(scenario))
    taken = {"event": "reading", "client": "151", "name": "151", "mid": 0x4C, "value": "11.85", "port": 52551,
             "sent_ns": 10 * SECOND, "acked_ns": 16 * SECOND, "attempts": 2, "episode": "e01"}  # fmt: skip
    opened = {"event": "connect", "client": "151", "name": "151", "port": 52551, "at_ns": SECOND,
              "reason": "start", "was": 0, "episode": ""}  # fmt: skip
    units = defaultdict(list, {("day-1", "inrow-15"): [opened, taken]})
    connections = Connections(Journals(plan, units=units, attacker=defaultdict(list)), "day-1")
    layers = Ether() / IP(src=UNITS["inrow-15"].ip, dst=BROKER.ip)
    opening = frames.parse("frame 1", 2 * SECOND, bytes(layers / TCP(sport=52551, dport=1883, flags="S")))
    again = frames.parse(
        "frame 2", 12 * SECOND, bytes(layers / TCP(sport=52551, dport=1883, flags="PA", seq=1) / sent)
    )
    connections.explain(opening, touched=False)
    assert connections.explain(again, touched=True) == (episode, [])
