"""Retiming: packet times, TCP timestamps and checksums move from wall time to virtual time."""

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw
from tests.analysis.made_run import pcap
from tests.published import UNITS

from coldaisle_capture.retime import DISORDER_NS, Retimer, in_order, records, retimed
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.timeline import Timeline

UNIT = UNITS["inrow-13"]
WALL = 1_800_000_000 * SECOND
ROWS = [(WALL, 100 * SECOND), (WALL + SECOND, 400 * SECOND), (WALL + 2 * SECOND, 700 * SECOND)]
"""Three offsets; growth is counted from the second one, the first time advance."""
GROWN_MS = 300_000


def _segment(value: int, echo: int, payload: bytes = b"", *, upward: bool = True) -> Packet:
    source, target, ports = (UNIT, BROKER, (40_001, 1883)) if upward else (BROKER, UNIT, (1883, 40_001))
    options = [("NOP", None), ("NOP", None), ("Timestamp", (value, echo))]
    tcp = TCP(sport=ports[0], dport=ports[1], seq=1, ack=2, flags="PA", options=options)
    return Ether(src=source.mac, dst=target.mac) / IP(src=source.ip, dst=target.ip) / tcp / Raw(payload)


def _timestamp(frame: bytes) -> tuple[int, int]:
    value, echo = dict(Ether(frame)[TCP].options)["Timestamp"]
    return value, echo


def _is_valid(frame: bytes) -> bool:
    """Return whether the transport checksum is right, as computed by scapy."""
    packet = Ether(frame)
    layer = TCP if TCP in packet else UDP
    stored = packet[layer].chksum
    del packet[layer].chksum
    return bool(Ether(bytes(packet))[layer].chksum == stored)


_STEPS = st.lists(st.tuples(st.integers(1, 10**10), st.integers(0, 10**13)), min_size=1, max_size=8)


@given(_STEPS, st.lists(st.integers(-(10**9), 10**11), min_size=2, max_size=20))
def test_map_is_monotone(steps: list[tuple[int, int]], instants: list[int]) -> None:
    """A later wall time never maps to an earlier virtual time, for any time advances."""
    rows, wall, offset = list[tuple[int, int]](), WALL, 0
    for pause, jump in steps:
        wall, offset = wall + pause, offset + jump
        rows.append((wall, offset))
    timeline = Timeline(rows)
    mapped = [WALL + instant + timeline.offset(WALL + instant) for instant in sorted(instants)]
    assert mapped == sorted(mapped)


def test_offset_in_force_is_the_newest_not_after_the_instant() -> None:
    """An offset holds from its instant on; the first offset also holds before it."""
    timeline = Timeline(ROWS)
    wall_times = [WALL - 1, WALL, WALL + SECOND - 1, WALL + SECOND, WALL + 9 * SECOND]
    assert [timeline.offset(wall) // SECOND for wall in wall_times] == [100, 100, 100, 400, 700]


def test_echo_moves_by_the_growth_when_its_value_was_sent() -> None:
    """TSval moves by the current growth of the offset, TSecr by the growth when the echoed TSval was sent."""
    retimer = Retimer(Timeline(ROWS))
    before, after = WALL + SECOND + 1, WALL + 2 * SECOND + 1
    first = retimer.frame(before, bytes(_segment(1000, 0)))
    answer = retimer.frame(after, bytes(_segment(5000, 1000, upward=False)))
    second = retimer.frame(after, bytes(_segment(2000, 5000)))
    assert _timestamp(first) == (1000, 0)
    assert _timestamp(answer) == (5000 + GROWN_MS, 1000)
    assert _timestamp(second) == (2000 + GROWN_MS, 5000 + GROWN_MS)


def test_a_value_sent_again_after_a_jump_stays_what_it_was() -> None:
    """Equal TSvals mean the same instant, so they map to one value, also after a jump."""
    retimer = Retimer(Timeline(ROWS))
    frame = bytes(_segment(1000, 0))
    assert _timestamp(retimer.frame(WALL + SECOND, frame)) == _timestamp(
        retimer.frame(WALL + 2 * SECOND, frame)
    )


def test_timestamps_wrap_at_32_bits() -> None:
    """A TSval near 2^32 wraps to a small value, as in RFC 7323."""
    retimed = Retimer(Timeline(ROWS)).frame(WALL + 2 * SECOND, bytes(_segment(2**32 - 1, 0)))
    assert _timestamp(retimed)[0] == GROWN_MS - 1
    assert _is_valid(retimed)


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_right_checksum_is_right_again(payload: bytes, value: int, echo: int) -> None:
    """For any payload, of odd or even length, a right checksum is right again after the timestamps moved."""
    frame = bytes(_segment(value, echo, payload))
    retimed = Retimer(Timeline(ROWS)).frame(WALL + 2 * SECOND, frame)
    assert _is_valid(retimed)
    assert bytes(Ether(retimed)[TCP].payload) == payload


def test_checksum_that_comes_out_as_zero() -> None:
    """A TCP checksum of zero is written as zero; only in UDP, where zero means no checksum, it becomes 0xFFFF (RFC 768)."""
    retimer = Retimer(Timeline(ROWS))
    first = retimer.frame(WALL + 2 * SECOND, bytes(_segment(1000, 0, b"\0\0")))
    balancing = Ether(first)[TCP].chksum.to_bytes(2, "big")
    retimed = retimer.frame(WALL + 2 * SECOND, bytes(_segment(1000, 0, balancing)))
    assert Ether(retimed)[TCP].chksum == 0
    assert _is_valid(retimed)


def test_checksum_left_to_the_card_is_filled_in() -> None:
    """A partial checksum, the sum over the pseudo header alone, is replaced by the right one."""
    frame = bytearray(bytes(_segment(1000, 0, b"abc")))
    size = len(frame) - 34
    pseudo = bytes(frame[26:34]) + struct.pack("!HH", 6, size)
    total = sum(struct.unpack("!6H", pseudo))
    frame[50:52] = ((total & 0xFFFF) + (total >> 16)).to_bytes(2, "big")
    assert not _is_valid(bytes(frame))
    assert _is_valid(Retimer(Timeline(ROWS)).frame(WALL + SECOND, bytes(frame)))


def test_wrong_checksum_stays_wrong() -> None:
    """A frame with a wrong checksum on the wire keeps a wrong checksum."""
    frame = bytearray(bytes(_segment(1000, 0, b"abc")))
    frame[51] ^= 0x55
    assert not _is_valid(Retimer(Timeline(ROWS)).frame(WALL + SECOND, bytes(frame)))


def test_other_frames_pass_unchanged() -> None:
    """ARP, UDP with a right checksum and a cut frame do not change."""
    retimer = Retimer(Timeline(ROWS))
    udp = (
        Ether(dst=BROKER.mac, src=UNIT.mac)
        / IP(src=UNIT.ip, dst=BROKER.ip)
        / UDP(sport=9, dport=123)
        / Raw(b"ntp")
    )
    arp = Ether(dst=BROKER.mac, src=UNIT.mac) / ARP(
        hwsrc=UNIT.mac, psrc=UNIT.ip, hwdst=BROKER.mac, pdst=BROKER.ip
    )
    for frame in (bytes(udp), bytes(arp), bytes(_segment(1, 0))[:40]):
        assert retimer.frame(WALL + 2 * SECOND, frame) == frame


def test_packets_go_in_the_order_of_their_stamps() -> None:
    """A packet that reached the capture late is moved to its place; packets with equal stamps keep their order."""
    late = DISORDER_NS
    packets = [
        (WALL + late, b"b"),
        (WALL, b"a"),
        (WALL + late, b"c"),
        (WALL + 3 * late, b"e"),
        (WALL + 2 * late, b"d"),
    ]
    assert b"".join(frame for _, frame in in_order(packets)) == b"abcde"


def test_a_clock_set_back_is_refused() -> None:
    """A packet far behind its predecessors is refused, and the sentence says that the clock was set back."""
    packets = [(WALL + 2 * SECOND, b""), (WALL, b"")]
    with pytest.raises(
        InputError, match=r"frame 2 is '2000 ms after its successors': the machine's clock was set back"
    ):
        list(in_order(packets))


def test_retimed_capture_keeps_every_packet(tmp_path: Path) -> None:
    """Both retimed files hold the packets of their raw ones at their virtual times, after the same file header."""
    frame, raws = bytes(_segment(1000, 0)), [tmp_path / "0.pcap", tmp_path / "1.pcap"]
    walls = [[WALL + 1, WALL + SECOND + 2], [WALL + SECOND + 1, WALL + 2 * SECOND + 3]]
    for raw, part in zip(raws, walls, strict=True):
        pcap(raw, [(wall, frame) for wall in part])
    timeline = Timeline(ROWS)
    for raw, (packets, content) in zip(raws, list(retimed(raws, Retimer(timeline))), strict=True):
        assert packets == 2
        assert content[:24] == raws[0].read_bytes()[:24]
        raw.write_bytes(content)
    times = [at for raw in raws for at, _ in records(raw)]
    assert times == [wall + timeline.offset(wall) for wall in sorted([*walls[0], *walls[1]])]


def test_cut_capture_is_one_sentence_with_its_place(tmp_path: Path) -> None:
    """A capture cut at any byte holds only whole packets, or is refused with file, frame and byte."""
    whole, path = tmp_path / "whole.pcap", tmp_path / "cut.pcap"
    frame = bytes(_segment(1000, 0))
    pcap(whole, [(WALL, frame), (WALL + 1, frame)])
    data, size = whole.read_bytes(), 16 + len(frame)
    for length in range(24, len(data)):
        path.write_bytes(data[:length])
        if (length - 24) % size == 0:
            assert len(list(records(path))) == (length - 24) // size
        else:
            with pytest.raises(
                InputError, match=rf"cut\.pcap: frame {1 + (length - 24) // size}, byte \d+: the capture"
            ):
                list(records(path))


@pytest.mark.parametrize("content", [b"", b"short", b"no pcap at all, but long enough to be one"])
def test_what_is_no_capture_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that tcpdump did not write is refused with its path and a remedy."""
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pcap: it is not a nanosecond pcap"):
        list(records(path))


def test_timeline_takes_the_lines_of_its_shard(tmp_path: Path) -> None:
    """A timeline ignores the offsets of other shards."""
    path = tmp_path / "timeline.jsonl"
    line = '{{"event":"offset","shard":"{}","wall_ns":{},"offset_ns":{}}}\n'
    path.write_text(line.format("day-1", 5, 50) + line.format("day-2", 6, 60) + line.format("day-1", 7, 70))
    timeline = Timeline.load(path, "day-1")
    assert [timeline.offset(wall) for wall in (5, 6, 7)] == [50, 50, 70]


@given(st.integers(0, 2**32), st.integers(0, 80))
def test_no_frame_stops_the_capture(seed: int, cut: int) -> None:
    """A cut frame, or one whose headers point past its end, keeps its length and raises no error."""
    chance = random.Random(seed)  # noqa: S311 - damage, not secrets
    frame = bytearray(bytes(_segment(1000, 2000, b"payload")))
    for at in chance.sample(range(12, len(frame)), 3):
        frame[at] = chance.choice((0, 1, 8, 0x0F, 0xF0, 0xFF))
    given_frame = bytes(frame[: len(frame) - cut])
    assert len(Retimer(Timeline(ROWS)).frame(WALL, given_frame)) == len(given_frame)


def test_a_header_that_points_past_its_packet_changes_nothing_behind_it() -> None:
    """Ethernet padding is not read as a TCP option."""
    frame = bytearray(bytes(_segment(1000, 2000)))
    frame[14 + 20 + 12] = 0xF0
    padded = bytes(frame) + b"\x08\x0a" + bytes(8) + b"\x08\x0a" + bytes(18)
    assert Retimer(Timeline(ROWS)).frame(WALL, padded)[len(frame) :] == padded[len(frame) :]
