"""Following streams: each control packet once, on the frame that completes it, whatever became of the segments."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from scapy.all import Packet
from tests.analysis.decoding.made import (
    Decoded,
    connect,
    control,
    decode,
    down,
    pcap,
    publish,
    segments,
    up,
)  # fmt: skip

from coldaisle_analysis.decoding import Decoder, outlook, state

ONE, TWO = publish(b"15.54", 3), publish(b"16.00", 4)
SIZE = len(ONE)


def decoded(folder: Path, frames: Sequence[Packet | bytes], **options: int) -> Decoded:
    """Decode these frames."""
    decoder = Decoder(frames=1024, size=0, **options)
    return decode(pcap(folder / "made.pcap", frames), decoder)


def heard(early: list[Packet]) -> list[Packet | bytes]:
    """Return these segments behind a SYN that is acknowledged, and before more frames than are looked at."""
    opened: list[Packet | bytes] = [up(b"", 999, "S"), down(b"", 1, "A", ack=1000)]
    return [*opened, *early, *[bytes(up(b"", 1000, "A"))] * outlook.AHEAD]


def test_a_message_over_segments_stands_on_the_last(tmp_path: Path) -> None:
    """A message cut after each of its bytes is reported on the frame that brings the last one."""
    tables = decoded(tmp_path, segments(ONE, range(1, SIZE)))
    assert tables.message("frame") == [SIZE]
    assert tables.message("payload") == [b"15.54"]


def test_several_messages_in_a_segment(tmp_path: Path) -> None:
    """The frame's row carries the first one's fields and their number; the messages table has both."""
    tables = decoded(tmp_path, [up(ONE + TWO)])
    assert (tables.column("mqtt_messages"), tables.column("mqtt_msgid")) == ([2], [3])
    assert tables.message("payload") == [b"15.54", b"16.00"]


def test_out_of_order_and_retransmitted(tmp_path: Path) -> None:
    """Segments out of order are put right, one sent twice counts once, and the flags say what was odd."""
    late, early = up(ONE, 1000), up(TWO, 1000 + SIZE)
    tables = decoded(tmp_path, [up(b"", 999, "S"), early, late, late])
    assert tables.message("frame") == [3, 3]
    assert tables.message("msgid") == [3, 4]
    assert tables.column("tcp_retransmission") == [0, 0, 0, 1]
    assert tables.column("tcp_gap") == [0, 1, 0, 0]
    assert tables.gaps == 0


def test_overlapping_segment_adds_only_what_is_new(tmp_path: Path) -> None:
    """A retransmission that carries more than was seen adds the rest; so do early segments that overlap."""
    both = ONE + TWO
    assert decoded(tmp_path, [up(both[:10]), up(both)]).message("frame") == [2, 2]
    early = [up(both[5:20], 1005), up(both[10:], 1010), up(both[5:12], 1005)]
    tables = decoded(tmp_path, [up(b"", 999, "S"), *early, up(both[:7])])
    assert tables.message("frame") == [5, 5]
    assert tables.message("payload") == [b"15.54", b"16.00"]


@pytest.mark.parametrize("start", [2**32 - 4, 2**32 - SIZE, 2**32 - 1])
def test_sequence_numbers_wrap(tmp_path: Path, start: int) -> None:
    """Messages across 2^32, in order and out of order, are put together."""
    parts = segments(ONE + TWO, [4, SIZE, SIZE + 3], start)
    opened = up(b"", start - 1, "S")
    assert decoded(tmp_path, [opened, *parts]).message("msgid") == [3, 4]
    tables = decoded(tmp_path, [opened, parts[0], *reversed(parts[1:])])
    assert (tables.message("msgid"), tables.gaps) == ([3, 4], 0)
    assert set(tables.column("tcp_retransmission")[:2]) == {0}


def test_data_in_a_syn(tmp_path: Path) -> None:
    """A SYN that carries data (RFC 7413) is read from the byte behind it."""
    tables = decoded(tmp_path, [up(ONE, 999, "S"), up(TWO, 1000 + SIZE)])
    assert tables.message("msgid") == [3, 4]


def test_hole_is_given_up_once_acknowledged(tmp_path: Path) -> None:
    """A segment missing from the capture is skipped since the other side acknowledges past it, and counted; no message is moved by that."""
    frames = [
        up(ONE),
        up(TWO, 1000 + 2 * SIZE),
        down(ack=1000 + 3 * SIZE, flags="A"),
        up(ONE, 1000 + 3 * SIZE),
    ]
    tables = decoded(tmp_path, frames)
    assert tables.message("frame") == [1, 2, 4]
    assert tables.gaps == 1
    assert tables.remarks == ["1 holes in connections were given up: segments are missing from the capture"]


def test_early_segment_its_receiver_discards(tmp_path: Path) -> None:
    """A segment ahead that acknowledges what was never sent is not read, not then and not when the stream gets there."""
    answered = [up(ONE), down(control(0x40, b"\0\3"), seq=500, ack=1000 + SIZE)]
    stray = up(publish(b"99.99", 9), 1000 + 2 * SIZE)
    stray["TCP"].ack = 700
    later = [up(TWO, 1000 + SIZE), up(ONE, 1000 + 2 * SIZE)]
    tables = decoded(tmp_path, [*answered, stray, *later])
    assert tables.message("payload")[-2:] == [b"16.00", b"15.54"]
    assert tables.message("frame")[-2:] == [4, 5]
    stray["TCP"].ack = 504
    assert decoded(tmp_path, [*answered, stray, *later]).message("payload")[-2:] == [b"16.00", b"99.99"]


def test_reading_resumes_where_a_message_starts(tmp_path: Path) -> None:
    """Behind a hole in the middle of a long message its rest is no message, and what follows is read again."""
    long = publish(b"5" * 3000, 9)
    parts = segments(long + ONE, [1000, 2000, len(long)])
    frames = [up(b"", 999, "S"), parts[0], parts[2], down(ack=1000 + len(long), flags="A"), parts[3]]
    tables = decoded(tmp_path, frames)
    assert tables.message("payload") == [b"15.54"]
    assert (tables.gaps, tables.column("malformed")[2]) == (
        1,
        "no MQTT message starts where one has to at byte 54",
    )


def test_a_capture_that_starts_within_a_message(tmp_path: Path) -> None:
    """The rest of a message whose start was not captured is none; the next one is read."""
    parts = segments(publish(b"7" * 50, 9) + ONE, [30, 59])
    tables = decoded(tmp_path, parts[1:])
    assert tables.message("payload") == [b"15.54"]
    assert tables.column("malformed")[0] == "no MQTT message starts where one has to at byte 54"


def test_too_much_behind_a_hole(tmp_path: Path) -> None:
    """Once more waits behind a hole than is kept it is given up, and the reader is told."""
    large = publish(b"x" * 60_000, 5)
    count = state.EARLY // len(large) + 2
    early = [up(large, 2000 + number * len(large)) for number in range(count)]
    frames = heard(early)
    tables = decoded(tmp_path, frames)
    assert tables.message("len") == [len(large) - 4] * count
    assert (tables.gaps, len(tables.remarks)) == (1, 2)


def test_many_small_segments_behind_a_hole(tmp_path: Path) -> None:
    """The number of segments that wait is bounded, too."""
    count = state.EARLY_SEGMENTS + 5
    early = [up(ONE, 2000 + number * SIZE) for number in range(count)]
    frames = heard(early)
    tables = decoded(tmp_path, frames)
    assert len(tables.message("frame")) == count
    assert "holes were given up early" in tables.remarks[1]


def test_a_message_longer_than_is_kept(tmp_path: Path) -> None:
    """Of a message of two MiB the row says how long it is, holds its first MiB, and the next one is read."""
    long = publish(bytes(2 << 20), 5)
    frames = segments(long + ONE, range(60_000, len(long), 60_000))
    tables = decoded(tmp_path, [up(b"", 999, "S"), *frames])
    assert tables.message("msgid") == [5, 3]
    assert tables.message("payload_len") == [2 << 20, 5]
    assert len(tables.message("payload")[0]) == state.LONGEST - 12  # type: ignore[arg-type]
    assert "longer than 1 MiB" in tables.remarks[0]


def test_a_port_used_again_is_a_new_flow(tmp_path: Path) -> None:
    """A SYN with a new sequence number starts a flow, without the client of the old one; its own retransmission does not."""
    opened, again = up(b"", 999, "S"), up(b"", 5999, "S")
    tables = decoded(tmp_path, [opened, opened, up(connect(), 1000), again, up(ONE, 6000)])
    assert tables.column("flow") == [0, 0, 0, 1, 1]
    assert tables.column("client") == [None, None, "131", None, None]


def test_flows_beyond_the_bound(tmp_path: Path) -> None:
    """Of more flows than are known at a time the one silent longest is forgotten, begins anew, and the reader is told."""
    frames = [up(ONE, port=port) for port in (1, 2, 3, 2, 1, 3)]
    tables = decoded(tmp_path, frames, flows=2)
    assert tables.column("flow") == [0, 1, 2, 1, 3, 4]
    assert "flows were forgotten" in tables.remarks[-1]


def test_a_payload_that_is_no_text(tmp_path: Path) -> None:
    """Messages hold the bytes as they are, packets as text with what is not UTF-8 replaced as Python does."""
    for payload in (
        b"\xff15.5",
        b"\xe2\x82",
        b"\xf0\x9f\x8c\xa1 \xed\xa0\x80",
        b"\xc3\xa9\xc0\x80",
        b"\xf4\x90\x80\x80\xe1\x80",
    ):
        tables = decoded(tmp_path, [up(publish(payload))])
        assert tables.message("payload") == [payload]
        assert tables.column("mqtt_payload") == [payload.decode("utf-8", "replace")]


def test_remaining_length_of_every_size(tmp_path: Path) -> None:
    """Remaining lengths of one, two and three bytes, at their bounds, are read; one of five bytes is malformed."""
    for size in (127, 128, 16_383, 16_384):
        assert decoded(tmp_path, [up(publish(b"x" * (size - 7)))]).message("len") == [size]
    tables = decoded(
        tmp_path, [up(b"", 999, "S"), up(b"\x30\xff\xff\xff\xff\x01"), up(control(0xC0, b""), 1006)]
    )
    assert tables.column("malformed")[1] == "MQTT remaining length of more than four bytes at byte 54"
    assert tables.message("msgtype") == [12]


@pytest.mark.parametrize("count", [1, 700, 5000])
def test_addresses_and_topics_of_any_number(tmp_path: Path, count: int) -> None:
    """However many addresses and topics a batch names, each row has its own."""
    first = bytes(up(publish(b"1", 1, topic=b"t00000")))
    at = first.index(b"t00000")
    frames = [
        b"".join(
            (
                first[:8],
                (2 * number).to_bytes(4, "big"),
                first[12:26],
                (167772160 + number).to_bytes(4, "big"),
                first[30:at],
                b"t%05d" % number,
                first[at + 6 :],
            )
        )
        for number in range(count)
    ]
    tables = decode(pcap(tmp_path / "made.pcap", frames), Decoder())
    assert tables.column("mqtt_topic") == [f"t{number:05}" for number in range(count)]
    assert tables.column("ip_src") == [str(IPv4Address(0x0A000000 + number)) for number in range(count)]
    assert len(set(tables.column("eth_src"))) == count


def test_more_topics_in_a_frame_than_before(tmp_path: Path) -> None:
    """A frame may name more topics than all frames before it."""
    topics = [b"t%03d" % number for number in range(2000)]
    frames = segments(b"".join(publish(b"1", 1, topic=topic) for topic in topics), [])
    tables = decoded(tmp_path, frames)
    assert tables.message("topic") == [topic.decode() for topic in topics]
