"""Journals, and the digest that joins their lines with captured frames."""

import json
import struct
from pathlib import Path

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import Journal, frame_digest, read_journal
from coldaisle_contracts.journal_lines import EpisodeLine, OffsetLine

TCP, UDP, ICMP = 6, 17, 1
PAYLOAD = b"\x30\x0c\x00\x03IoT\x00\x0115.54"


def ip_frame(
    protocol: int = TCP,
    payload: bytes = PAYLOAD,
    *,
    macs: bytes = b"\x02" * 12,
    checksums: tuple[int, int] = (0, 0),
    options: bytes = b"",
    identification: int = 1,
    padding: bytes = b"",
) -> bytes:
    """Return an Ethernet frame with IPv4 and TCP, UDP or ICMP."""
    ip_sum, sum_ = checksums
    head = {
        TCP: struct.pack(">HHIIBBHHH", 40001, 1883, 1000, 2000, 0x50, 0x18, 500, sum_, 0),
        UDP: struct.pack(">HHHH", 40001, 123, 8 + len(payload), sum_),
        ICMP: struct.pack(">BBHI", 8, 0, sum_, 0),
    }[protocol]
    size = 20 + len(options) + len(head) + len(payload)
    version = 0x45 + len(options) // 4
    network = struct.pack(
        ">BBHHHBBH4s4s",
        version,
        0,
        size,
        identification,
        0x4000,
        64,
        protocol,
        ip_sum,
        b"\xc6\x12\0)",
        b"\xc6\x12\0\1",
    )
    return macs + b"\x08\x00" + network + options + head + payload + padding


def arp_frame(operation: int = 2, padding: bytes = b"") -> bytes:
    """Return an ARP frame."""
    body = struct.pack(
        ">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, b"\2" * 6, b"\xc6\x12\0)", b"\4" * 6, b"\xc6\x12\0\1"
    )
    return b"\xff" * 6 + b"\2" * 6 + b"\x08\x06" + body + padding


@pytest.mark.parametrize("protocol", [TCP, UDP])
@pytest.mark.parametrize("options", [b"", b"\x01" * 8])
def test_digest_ignores_checksums(protocol: int, options: bytes) -> None:
    """IPv4, TCP and UDP checksums do not count, with or without options: a network card may fill them in later."""
    plain = ip_frame(protocol, options=options)
    filled = ip_frame(protocol, options=options, checksums=(0xABCD, 0x1234))
    assert plain != filled
    assert frame_digest(plain) == frame_digest(filled)


def test_digest_ignores_padding_and_macs() -> None:
    """Ethernet padding and MAC addresses do not count, so a relayed frame keeps its digest."""
    assert frame_digest(ip_frame(padding=bytes(9))) == frame_digest(ip_frame())
    assert frame_digest(ip_frame(macs=b"\x04" * 12)) == frame_digest(ip_frame())
    assert frame_digest(arp_frame(padding=bytes(18))) == frame_digest(arp_frame())


@pytest.mark.parametrize(
    "other",
    [
        ip_frame(payload=PAYLOAD[:-1] + b"5"),
        ip_frame(payload=PAYLOAD + b"0"),
        ip_frame(identification=2),
        ip_frame(UDP),
        arp_frame(),
        arp_frame(operation=1),
    ],
)
def test_an_edit_changes_the_digest(other: bytes) -> None:
    """A frame with one other byte of payload, another identification, protocol or operation has another digest."""
    assert frame_digest(other) not in {frame_digest(ip_frame()), frame_digest(ip_frame(padding=b"\1" * 4))}
    assert frame_digest(arp_frame(operation=1)) != frame_digest(arp_frame())


def test_a_checksum_of_another_protocol_counts() -> None:
    """A network card does not fill in ICMP's checksum, so it is part of the digest."""
    assert frame_digest(ip_frame(ICMP, checksums=(0, 1))) != frame_digest(ip_frame(ICMP))


@pytest.mark.parametrize("size", range(60))
def test_digest_of_any_cut_frame(size: int) -> None:
    """A frame cut at any byte has a digest of 16 hex digits."""
    assert len(bytes.fromhex(frame_digest(ip_frame()[:size].ljust(15, b"\0")))) == 8


def test_journal_lines_carry_event_shard_and_facts(tmp_path: Path) -> None:
    """Each line is an object with its event, its shard and the facts; a second journal continues the file."""
    path = tmp_path / "inrow-13.jsonl"
    first = Journal(path, "day-1")
    first.write(OffsetLine(wall_ns=3, offset_ns=5))
    first.close()
    second = Journal(path, "day-2")
    second.write(EpisodeLine("e01", "begin", 5))
    second.close()
    assert list(read_journal(path)) == [
        {"event": "offset", "shard": "day-1", "wall_ns": 3, "offset_ns": 5},
        {"event": "episode", "shard": "day-2", "episode": "e01", "phase": "begin", "at_ns": 5},
    ]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_flush_puts_lines_into_the_file(tmp_path: Path) -> None:
    """After a flush the lines can be read while the journal is open."""
    path = tmp_path / "unit.jsonl"
    journal = Journal(path, "day-1")
    journal.write(OffsetLine(1, 1))
    assert list(read_journal(path)) == []
    journal.flush()
    assert len(list(read_journal(path))) == 1
    journal.close()


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """A cut line and a missing journal are refused with file, line and value."""
    path = tmp_path / "unit.jsonl"
    path.write_text('{"event":"time","shard":"day-1"}\n{"event":"rea')
    with pytest.raises(InputError, match=r"unit\.jsonl: line 2 is '\{\"event\":\"rea': it is not JSON"):
        list(read_journal(path))
    with pytest.raises(InputError, match=r"none\.jsonl: every run has this journal"):
        list(read_journal(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"null", "it is not an object"),
        (b"7", "is 7: it is not an object"),
        (b'{"event": "time"}', "it has no event or no shard"),
        (b'{"event": "time", "shard": 1}', "its shard has another type"),
        (b'{"event": "time", "shard": "day-1", "slot": "1"}', "its slot has another type"),
        (b'{"event": "time", "shard": "day-1", "slot": 1.0}', "its slot has another type"),
        (b'{"event": "time", "shard": "day-1", "slot": NaN}', "its slot has another type"),
        (b'{"event": "time", "shard": "day-1", "at_ns": 9223372036854775808}', "its at_ns is too large"),
        (b'{"event": "reading", "shard": "day-1", "value": null}', "its value has another type"),
        (b'{"event": "reading", "shard": "day-1", "value": "\\ud800"}', "its value is not valid text"),
        (b"[" * 200_000, "it is not JSON, so the journal was cut or edited"),
        (b"\xff", "is not UTF-8"),
        (b"1],[2", "not JSON"),
    ],
)
def test_lines_that_are_none_of_a_journal(tmp_path: Path, line: bytes, expected: str) -> None:
    """A wrong type, a number out of range, bytes that are not UTF-8 and endless nesting are refused; the line is named and its text is cut."""
    path = tmp_path / "unit.jsonl"
    path.write_bytes(b'{"event": "time", "shard": "day-1", "extra": [1]}\n' + line + b"\n")
    with pytest.raises(InputError) as caught:
        list(read_journal(path))
    assert str(caught.value).startswith(f"{path}: line 2")
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_journal_that_is_a_device(tmp_path: Path) -> None:
    """A journal may have any length, so an endless device in its place is refused at once."""
    path = tmp_path / "unit.jsonl"
    path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"unit\.jsonl: it is not a file"):
        list(read_journal(path))
