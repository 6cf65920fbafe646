"""Holes that the capture made: what stands behind them is on its own frame, whatever the size of a block."""

import random
from pathlib import Path

import pytest
from scapy.all import Packet
from tests.analysis.decoding.made import (
    Decoded,
    block,
    control,
    decode,
    down,
    enhanced,
    interface,
    pcap,
    publish,
    section,
    up,
)
from tests.analysis.decoding.test_connections import BEHIND, CONNECTED

from coldaisle_analysis.decoding import Decoder, outlook


def exchange(count: int, both: bool = True, port: int = 40_001) -> list[Packet]:
    """Return so many PUBLISH messages of QoS 1, with PUBACK and ACK if both directions are captured."""
    frames, seq = [], BEHIND
    for number in range(count):
        data = publish(f"{number}.5".encode(), number + 1)
        frames.append(up(data, seq, ack=504 + 4 * number * both, port=port))
        seq += len(data)
        if both:
            frames.append(
                down(control(0x40, (number + 1).to_bytes(2, "big")), 504 + 4 * number, ack=seq, port=port)
            )
            frames.append(up(b"", seq, "A", ack=508 + 4 * number, port=port))
    return frames


def expected(frames: list[Packet]) -> list[tuple[int, int]]:
    """Return frame and message id of each message, when each has one frame."""
    payloads = [(number, bytes(frame["TCP"].payload)) for number, frame in enumerate(frames, 1)]
    return [
        (at, int.from_bytes(data[7:9] if data[0] == 0x32 else data[2:4], "big"))
        for at, data in payloads
        if data[:1] in (b"\x32", b"\x40")
    ]


def placed(tables: Decoded) -> list[tuple[object, object]]:
    """Return frame and message id of each message that has one."""
    pairs = zip(tables.message("frame"), tables.message("msgid"), strict=True)
    return [(frame, number) for frame, number in pairs if number is not None]


@pytest.mark.parametrize("seed", range(6))
def test_bursts_that_the_capture_lost(tmp_path: Path, seed: int) -> None:
    """Whatever bursts of both directions are missing, each message that is there stands on its own frame."""
    draw = random.Random(seed)  # noqa: S311 - losses, not secrets
    whole = [*CONNECTED, *exchange(200)]
    lost: set[int] = set()
    for _ in range(12):
        first = draw.randrange(len(CONNECTED), len(whole) - 10)
        lost |= set(range(first, first + draw.randrange(1, 9)))
    frames = [frame for number, frame in enumerate(whole) if number not in lost]
    path = pcap(tmp_path / "made.pcap", frames)
    tables = decode(path)
    assert placed(tables) == expected(frames)
    assert tables.column("mqtt_msgid") == [
        dict(expected(frames)).get(frame) for frame in range(1, len(frames) + 1)
    ]
    for size in (1, 7, 4096):
        again = decode(path, Decoder(frames=size, size=0))
        assert again.messages.to_pylist() == tables.messages.to_pylist()
        assert again.packets.to_pylist() == tables.packets.to_pylist()


@pytest.mark.parametrize("gone", [0, 1, 2, 50, 298, 299])
def test_one_direction_with_a_segment_missing(tmp_path: Path, gone: int) -> None:
    """Where only one direction was captured nothing acknowledges; the hole is given up all the same, and each message keeps its frame."""
    frames = exchange(300, both=False)
    del frames[gone]
    tables = decode(pcap(tmp_path / "made.pcap", frames))
    assert placed(tables) == expected(frames)
    assert tables.gaps == (gone not in (0, 299))


def test_a_hole_that_is_filled_later(tmp_path: Path) -> None:
    """Segments behind a hole that a later frame fills wait for it, even if many frames of others come between."""
    first, second, third = exchange(3, both=False)
    others = [up(b"", 1000, "A", port=port) for port in range(1000, 1200)]
    frames = [*CONNECTED, second, third, *others, first, down(b"", 504, "A", ack=BEHIND + 42)]
    tables = decode(pcap(tmp_path / "made.pcap", frames))
    assert placed(tables) == [(len(frames) - 1, number) for number in (1, 2, 3)]
    assert tables.gaps == 0


def test_an_acknowledgement_beyond_the_outlook(tmp_path: Path) -> None:
    """Where nothing within the outlook tells, the hole is given up on the frame that acknowledges it."""
    sent = exchange(2, both=False)
    others = [bytes(up(b"", 1000, "A", port=1000))] * (outlook.AHEAD + 5)
    frames: list[Packet | bytes] = [*CONNECTED, sent[1]]
    frames += [*others, down(b"", 504, "A", ack=BEHIND + 28)]
    for size in (512, 8192):
        tables = decode(pcap(tmp_path / "made.pcap", frames), Decoder(frames=size, size=0))
        assert placed(tables) == [(len(frames), 2)]
        assert (tables.gaps, tables.packets.num_rows) == (1, len(frames))


def test_captures_that_follow_each_other(tmp_path: Path) -> None:
    """The end of a capture is no end where another one follows: the segment that fills the hole may be its first."""
    first, second = exchange(2, both=False)
    paths = [pcap(tmp_path / "a.pcap", [*CONNECTED, second]), pcap(tmp_path / "b.pcap", [first])]
    decoder = Decoder(frames=64, size=0)
    batches = list(decoder.decode(paths))
    assert sum(batch.messages.num_rows for batch in batches) == 4
    assert decoder.gaps == 0


def test_an_outlook_across_blocks_of_a_pcapng(tmp_path: Path) -> None:
    """Other blocks between the frames, even sections, neither lose frames nor repeat them."""
    frames = [*CONNECTED, *exchange(40)]
    frames = [frame for number, frame in enumerate(frames) if number % 11 != 10]
    blocks = [section(), interface()]
    for number, frame in enumerate(frames):
        blocks.append(enhanced(bytes(frame), 10**6 * number))
        blocks += [block(4, bytes(4))] if number % 7 == 3 else []
        blocks += [section(), interface()] if number % 37 == 20 else []
    path = tmp_path / "made.pcapng"
    path.write_bytes(b"".join(blocks))
    for size in (1, 5, 1024):
        tables = decode(path, Decoder(frames=size, size=0))
        assert tables.column("frame_in_file") == list(range(1, len(frames) + 1))
        assert sorted(str(number) for _, number in placed(tables)) == sorted(
            str(number) for _, number in expected(frames)
        )


def test_frames_in_memory_have_no_outlook(tmp_path: Path) -> None:
    """In a live watch a hole is given up once it is acknowledged."""
    sent = exchange(2, both=False)
    frames = [*CONNECTED, sent[1], down(b"", 504, "A", ack=BEHIND + 28)]
    decoder = Decoder(frames=64, size=0)
    counts = [
        view.message_count
        for number, frame in enumerate(frames)
        for view in decoder.take([(number, bytes(frame))])
    ]
    assert (counts[-2:], decoder.gaps) == ([0, 1], 1)
    assert tmp_path.is_dir()
