"""TCP as it is: repeated, forged and late SYNs, segments that change places, keep-alives, snapshot lengths, clocks that are set back."""

import struct
from pathlib import Path

import pytest
from scapy.all import Packet
from tests.analysis.decoding.made import Decoded, connect, control, decode, down, pcap, publish, segments, up

ONE, TWO, THREE = publish(b"15.54", 3), publish(b"16.00", 4), publish(b"16.25", 5)
SIZE = len(ONE)
HELLO = connect()
OPENED = [up(b"", 999, "S"), down(b"", 499, "SA", ack=1000), up(b"", 1000, "A", ack=500)]
"""A connection whose next bytes are 1000 from the unit and 500 from the broker."""
BEHIND = 1000 + len(HELLO)
"""Sequence number behind the unit's CONNECT."""
CONNECTED = [
    *OPENED,
    up(HELLO, 1000, ack=500),
    down(control(0x20, b"\0\0"), 500, ack=BEHIND),
    up(b"", BEHIND, "A", ack=504),
]


def decoded(folder: Path, frames: list[Packet]) -> Decoded:
    """Decode these frames."""
    return decode(pcap(folder / "made.pcap", frames))


def sent(tables: Decoded) -> list[tuple[object, object, object]]:
    """Return frame, payload and client of each PUBLISH."""
    columns = zip(*map(tables.message, ("msgtype", "frame", "payload", "client")), strict=True)
    return [(frame, payload, client) for kind, frame, payload, client in columns if kind == 3]


@pytest.mark.parametrize("again", [OPENED[0], OPENED[1]])
def test_a_syn_that_comes_again_changes_nothing(tmp_path: Path, again: Packet) -> None:
    """In a synchronised connection a SYN sent again, from either side, is only acknowledged (RFC 9293, 3.10.7.4)."""
    frames = [
        *CONNECTED[:4],
        again,
        up(HELLO, 1000, ack=500),
        *CONNECTED[4:],
        again,
        up(ONE, BEHIND, ack=504),
    ]
    tables = decoded(tmp_path, frames)
    assert tables.message("msgtype") == [1, 2, 3]
    assert tables.message("frame") == [4, 7, 10]
    assert set(tables.column("flow")) == {0}
    assert (tables.gaps, sum(tables.column("tcp_gap"))) == (0, 0)  # type: ignore[arg-type]


def test_a_syn_that_comes_late_belongs_to_its_connection(tmp_path: Path) -> None:
    """A SYN captured behind the first data starts neither a flow nor the stream anew, whichever side sent it."""
    for order in ((1, 2, 0, 3), (2, 3, 0, 1), (1, 2, 3, 0), (2, 3, 1, 0)):
        tables = decoded(
            tmp_path, [*(CONNECTED[at] for at in order), *CONNECTED[4:], up(ONE, BEHIND, ack=504)]
        )
        assert tables.message("msgtype") == [1, 2, 3]
        assert set(tables.column("flow")) == {0}
        assert (tables.gaps, set(tables.column("malformed"))) == (0, {None})


@pytest.mark.parametrize("seq", [500_000, BEHIND + 3, 2**32 - 1])
def test_a_forged_syn_leaves_the_connection_as_it_is(tmp_path: Path, seq: int) -> None:
    """The broker answers a forged SYN with an ACK of the living connection, which goes on (RFC 5961, 4.2); the SYN is a flow of its own."""
    challenge = down(b"", 504, "A", ack=BEHIND)
    after = [
        up(ONE, BEHIND, ack=504),
        down(b"", 504, "A", ack=BEHIND + SIZE),
        up(TWO, BEHIND + SIZE, ack=504),
    ]
    tables = decoded(tmp_path, [*CONNECTED, up(b"", seq, "S"), challenge, *after])
    assert sent(tables) == [(9, b"15.54", "131"), (11, b"16.00", "131")]
    assert tables.column("flow") == [0] * 6 + [1] + [0] * 4
    assert set(tables.column("tcp_retransmission")) == {0}


def test_many_forged_syns_take_one_place(tmp_path: Path) -> None:
    """Of unanswered SYNs only the last is kept beside the living connection, so a flood of them forgets no other flow."""
    from coldaisle_analysis.decoding import Decoder  # noqa: PLC0415

    forged = [up(b"", 10_000 * number, "S") for number in range(2, 30)]
    other = [up(connect(client=b"132"), port=40_002)]
    frames = [*other, *CONNECTED, *forged, up(ONE, BEHIND, ack=504), up(TWO, 1000 + len(HELLO), port=40_002)]
    tables = decode(pcap(tmp_path / "made.pcap", frames), Decoder(frames=1024, size=0, flows=3))
    assert [client for _, _, client in sent(tables)] == ["131", "132"]
    assert tables.remarks == []


def test_a_forged_syn_ack_leaves_the_connection_as_it_is(tmp_path: Path) -> None:
    """A SYN/ACK with another sequence number within a connection does not move the broker's stream."""
    forged = down(b"", 90_000, "SA", ack=1000)
    tables = decoded(tmp_path, [*CONNECTED[:4], forged, *CONNECTED[4:], up(ONE, BEHIND, ack=504)])
    assert tables.message("msgtype") == [1, 2, 3]


def test_a_device_that_restarts_on_its_old_port(tmp_path: Path) -> None:
    """Its SYN is answered with an ACK of the half-open connection, which it resets; the same SYN again opens the new one."""
    challenge, reset = down(b"", 504, "A", ack=BEHIND), up(b"", BEHIND, "R")
    opened = [up(b"", 70_000, "S"), down(b"", 90_000, "SA", ack=70_001)]
    tables = decoded(
        tmp_path,
        [*CONNECTED, opened[0], challenge, reset, *opened, up(connect(client=b"9"), 70_001, ack=90_001)],
    )
    assert tables.column("flow") == [0] * 6 + [1, 0, 0, 1, 1, 1]
    assert tables.message("client") == ["131", "131", "9"]


def test_segments_that_change_places_are_no_retransmission(tmp_path: Path) -> None:
    """A segment that fills a hole brings bytes for the first time, whatever the order; the same bytes again are a retransmission."""
    parts = segments(ONE + TWO + THREE + ONE + TWO, [SIZE * number for number in (1, 2, 3, 4)])
    for order in ((1, 0, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 0, 3, 1), (0, 4, 2, 1, 3)):
        frames = [up(b"", 999, "S"), *(parts[at] for at in order), parts[order[1]], parts[order[4]]]
        tables = decoded(tmp_path, frames)
        assert tables.column("tcp_retransmission") == [0] * 6 + [1, 1]
        assert len(sent(tables)) == 5


def test_a_part_of_a_hole_sent_twice(tmp_path: Path) -> None:
    """Bytes in the middle of a hole count as new once, and the rest of the hole as new still."""
    parts = segments(ONE + TWO + THREE + ONE, [SIZE, 2 * SIZE, 3 * SIZE])
    frames = [up(b"", 999, "S"), parts[3], parts[1], parts[1], parts[0], parts[2], parts[3]]
    assert decoded(tmp_path, frames).column("tcp_retransmission") == [0, 0, 0, 1, 0, 0, 1]


def test_keep_alives_are_no_retransmissions(tmp_path: Path) -> None:
    """A keep-alive repeats the last byte, or none (RFC 9293, 3.8.4): nothing is sent again, and nothing is read from it."""
    alive = [up(b"\0", BEHIND - 1, "A", ack=504), up(b"", BEHIND - 1, "A", ack=504)]
    later = up(b"\0", BEHIND + SIZE - 1, "A", ack=504)
    tables = decoded(tmp_path, [*CONNECTED, *alive, up(ONE, BEHIND, ack=504), later])
    assert set(tables.column("tcp_retransmission")) == {0}
    assert set(tables.column("tcp_gap")) == {0}
    assert tables.message("msgtype") == [1, 2, 3]
    began = decoded(tmp_path, [alive[1], down(b"", 504, "A", ack=BEHIND), up(ONE, BEHIND, ack=504)])
    assert (began.column("tcp_gap"), began.message("frame")) == ([0, 0, 0], [3])


def test_loss_of_both_directions(tmp_path: Path) -> None:
    """What follows a burst that the capture lost acknowledges what was never seen; it is read once the other side acknowledges it."""
    lost = 500 + 3 * 4
    frames = [
        *CONNECTED,
        down(control(0x40, b"\0\3"), lost, ack=BEHIND + 2 * SIZE),
        up(b"", BEHIND + 2 * SIZE, "A", ack=lost + 4),
        up(TWO, BEHIND + 2 * SIZE, ack=lost + 4),
        down(b"", lost + 4, "A", ack=BEHIND + 3 * SIZE),
    ]
    tables = decoded(tmp_path, frames)
    assert tables.message("msgtype") == [1, 2, 4, 3]
    assert tables.gaps == 2


def test_what_nothing_acknowledges_is_named(tmp_path: Path) -> None:
    """A segment that is refused by its receiver and one that waits when the capture ends are counted in the remarks."""
    refused = up(publish(b"99.99", 9), BEHIND + SIZE, ack=9000)
    tables = decoded(tmp_path, [*CONNECTED, refused, up(ONE + TWO, BEHIND, ack=504)])
    assert [payload for _, payload, _ in sent(tables)] == [b"15.54", b"16.00"]
    assert tables.remarks == [
        "1 segments ahead of their stream are unread: they acknowledge bytes never sent, so that their receiver drops them"
    ]


def snapped(folder: Path, frames: list[Packet], snap: int) -> Path:
    """Write a capture with a snapshot length."""
    records = [
        struct.pack("<IIII", number, 0, min(len(data), snap), len(data)) + data[:snap]
        for number, data in enumerate(map(bytes, frames))
    ]
    path = folder / "snapped.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1) + b"".join(records))
    return path


def test_messages_over_segments_that_were_cut(tmp_path: Path) -> None:
    """Of a message over several cut segments the row stands on the last one; what follows within the snapshot length is read."""
    long = publish(b"x" * 600, 9)
    stream = long + ONE + long + TWO
    frames = [up(b"", 999, "S"), *segments(stream, [300, len(long), len(long) + SIZE, len(long) * 2 + SIZE])]
    tables = decode(snapped(tmp_path, frames, 100))
    assert tables.message("frame") == [3, 4, 5, 6]
    assert tables.message("msgid") == [9, 3, 9, 4]
    assert tables.message("len") == [len(long) - 3, SIZE - 2, len(long) - 3, SIZE - 2]
    assert tables.gaps == 0


def test_early_segments_that_were_cut(tmp_path: Path) -> None:
    """A cut segment that waits behind a hole counts whole once the hole is filled."""
    long = publish(b"x" * 600, 9)
    frames = [up(b"", 999, "S"), up(long, 1000 + SIZE), up(TWO, 1000 + SIZE + len(long)), up(ONE, 1000)]
    tables = decode(snapped(tmp_path, frames, 90))
    assert (tables.message("msgid"), tables.gaps) == ([3, 9, 4], 0)


@pytest.mark.parametrize("snap", range(54, 75))
def test_every_snapshot_length(tmp_path: Path, snap: int) -> None:
    """Wherever the payloads are cut, nothing is missing but what was cut off: short messages are read, and no field is made up."""
    stream = [
        publish(b"21.55", 0, b"a/long/topic"),
        control(0xC0, b""),
        publish(b"21.55", 7, b"a/long/topic"),
        control(0xC0, b""),
    ]
    frames, seq = [up(b"", 999, "S")], 1000
    for data in stream:
        frames.append(up(data, seq))
        seq += len(data)
    tables = decode(snapped(tmp_path, frames, snap))
    assert tables.gaps == 0
    assert set(tables.message("payload")) <= {None, b"21.55"}
    assert set(tables.message("topic")) <= {None, "a/long/topic"}
    kinds = dict(zip(tables.message("frame"), tables.message("msgtype"), strict=True))
    assert kinds == ({2: 3, 3: 12, 4: 3, 5: 12} if snap > 55 else {})


def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    """Nothing lasts less than no time, and the remark says how many stamps lie before the one in front of them."""
    frames = [*CONNECTED, up(ONE, BEHIND, ack=504), down(b"", 504, "A", ack=BEHIND + SIZE)]
    times = (10, 11, 12, 13, 7, 8, 9, 20)
    records = [
        struct.pack("<IIII", at, 0, len(data), len(data)) + data
        for at, data in zip(times, map(bytes, frames), strict=True)
    ]
    path = tmp_path / "back.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1) + b"".join(records))
    tables = decode(path)
    assert tables.column("flow_duration") == [0, 1, 2, 3, 3, 3, 3, 10]
    assert tables.column("flow_iat") == [None, 1, 1, 1, 0, 0, 0, 7]
    assert tables.column("dir_iat") == [None, None, 2, 1, 2, 0, 0, 7]
    assert "3 frames have a time before that of their flow's last frame" in tables.remarks[0]
