"""What carries MQTT within TCP: PROXY headers, WebSocket behind an HTTP upgrade, TLS; and on which ports it is looked for."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from scapy.all import IP, TCP, Packet  # type: ignore[attr-defined]
from tests.analysis.decoding.made import (
    BROKER,
    ETHERNET,
    UNIT,
    Decoded,
    connect,
    control,
    decode,
    pcap,
    publish,
)

from coldaisle_analysis.decoding import Decoder

CONNACK = control(0x20, b"\0\0")
REQUEST = (
    b"GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
)
MASK = b"\x37\xfa\x21\x3d"
PROXY_1 = b"PROXY TCP4 192.0.2.7 198.18.0.2 56324 1883\r\n"
PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f" + bytes(12) + b"\4\0\0"


def framed(payload: bytes, first: int = 0x82, *, masked: bool = True, wide: int = 0) -> bytes:
    """Return a WebSocket frame; ``wide`` forces the form of its length."""
    size, bit = len(payload), 0x80 if masked else 0
    if size > 0xFFFF or wide == 8:
        length = bytes([bit | 127]) + struct.pack(">Q", size)
    elif size > 125 or wide == 2:
        length = bytes([bit | 126]) + struct.pack(">H", size)
    else:
        length = bytes([bit | size])
    if not masked:
        return bytes([first]) + length + payload
    return bytes([first]) + length + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


def stream(parts: Sequence[tuple[str, bytes]], port: int = 9001, *, opened: bool = True) -> list[Packet]:
    """Return the segments of a conversation with a port: ``>`` up, ``<`` down."""
    at, frames = {">": 1000, "<": 1}, []
    if opened:
        frames += [segment(">", port, b"", 999, 0, "S"), segment("<", port, b"", 0, 1000, "SA")]
    for side, data in parts:
        other = "<" if side == ">" else ">"
        frames.append(segment(side, port, data, at[side], at[other], "PA"))
        at[side] += len(data)
    return frames


def segment(side: str, port: int, data: bytes, seq: int, ack: int, flags: str) -> Packet:
    """Return one segment."""
    (source, sport), (target, dport) = ((UNIT, 40_001), (BROKER, port))[:: 1 if side == ">" else -1]
    frame: Packet = (
        ETHERNET
        / IP(src=source, dst=target)
        / TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags)
        / data
    )
    return frame


def read(folder: Path, frames: Sequence[Packet], **options: object) -> Decoded:
    """Decode frames."""
    return decode(pcap(folder / "made.pcap", frames), Decoder(frames=1024, size=0, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("header", [PROXY_1, b"PROXY UNKNOWN\r\n", PROXY_2, PROXY_1 + PROXY_2])
@pytest.mark.parametrize("cuts", [(), (2,), (9, 20), (11, 13, 14, 15)])
@pytest.mark.parametrize("opened", [True, False])
def test_a_proxy_header_is_stepped_over(
    tmp_path: Path, header: bytes, cuts: tuple[int, ...], opened: bool
) -> None:
    """In both versions, cut or not, before CONNECT (proxy-protocol.txt, 2.1 and 2.2)."""
    said = header + connect() + publish()
    edges = [0, *cuts, len(said)]
    parts = [(">", said[start:stop]) for start, stop in pairwise(edges)]
    tables = read(tmp_path, stream([*parts, ("<", CONNACK), (">", publish())], 1883, opened=opened))
    assert tables.message("msgtype") == [1, 3, 2, 3]
    assert (set(tables.column("malformed")), tables.remarks) == ({None}, [])


def test_what_looks_like_a_proxy_header_and_has_no_end_is_said(tmp_path: Path) -> None:
    """A line of more than 107 bytes is none, and the frame that shows it is flagged."""
    tables = read(tmp_path, stream([(">", b"PROXY " + b"x" * 200)], 1883))
    assert str(tables.column("malformed")[-1]).startswith("no MQTT message starts where one has to")


UPGRADED = [(">", REQUEST), ("<", RESPONSE)]


@pytest.mark.parametrize("port", [80, 1883, 8083, 9001])
def test_websocket_is_read_wherever_it_is_agreed_on(tmp_path: Path, port: int) -> None:
    """On any port; `to_server` is the direction of the HTTP client."""
    parts = [
        *UPGRADED, (">", framed(connect())), ("<", framed(CONNACK, masked=False)), (">", framed(publish())),
        ("<", framed(control(0x40, b"\0\7"), masked=False)),
    ]  # fmt: skip
    tables = read(tmp_path, stream(parts, port))
    assert tables.message("msgtype") == [1, 2, 3, 4]
    assert tables.message("payload")[2] == b"15.54"
    assert tables.message("client") == ["131"] * 4
    assert tables.column("to_server")[-4:] == [1, 0, 1, 0]
    assert (set(tables.column("malformed")), tables.remarks) == ({None}, [])


def in_frames(data: bytes, sizes: Sequence[int]) -> bytes:
    """Return a stream in WebSocket frames of these sizes, the last for what is left."""
    out, at = b"", 0
    for size in [*sizes, len(data) - sum(sizes)]:
        out += framed(data[at : at + size])
        at += size
    return out


TOLD = connect() + b"".join(publish(b"%d" % number) for number in range(9)) + publish(b"x" * 70_000)
CARRIED = {
    "all in one frame": framed(TOLD),
    "a frame for each byte": b"".join(framed(TOLD[at : at + 1]) for at in range(300)) + framed(TOLD[300:]),
    "cut anywhere": in_frames(TOLD, (1, 20, 7, 0, 126, 200)),
    "in fragments": framed(TOLD[:9], 0x02)
    + framed(TOLD[9:100], 0x00)
    + framed(b"ping", 0x89)
    + framed(TOLD[100:], 0x80),
    "with long forms of the length": framed(TOLD[:50], wide=2)
    + framed(TOLD[50:90], wide=8)
    + framed(TOLD[90:]),
    "not masked": framed(TOLD, masked=False),
    "between pings and a close": framed(b"", 0x89)
    + framed(b"a", 0x8A)
    + framed(TOLD)
    + framed(b"\x03\xe8", 0x88),
}


@pytest.mark.parametrize("name", CARRIED)
@pytest.mark.parametrize("size", [1, 3, 1400])
def test_frames_and_packets_need_not_line_up(tmp_path: Path, name: str, size: int) -> None:
    """Several packets in a frame, one in several, either cut by segments anywhere: MQTT is one stream ([MQTT-6.0.0-2])."""
    data = CARRIED[name]
    head = data[: 900 if size < 1400 else 0]
    pieces = [head[at : at + size] for at in range(0, len(head), size)]
    pieces += [data[at : at + 40_000] for at in range(len(head), len(data), 40_000)]
    tables = read(tmp_path, stream([*UPGRADED, *((">", piece) for piece in pieces)]))
    assert tables.message("msgtype") == [1] + [3] * 10
    assert tables.message("payload")[1:-1] == [b"%d" % number for number in range(9)]
    assert tables.message("payload_len")[-1] == 70_000
    assert (set(tables.column("malformed")), tables.remarks) == ({None}, [])


@pytest.mark.parametrize("name", CARRIED)
def test_small_blocks_and_short_files_change_nothing(tmp_path: Path, name: str) -> None:
    """What a stream is and where its frames end is remembered from block to block."""
    data = CARRIED[name]
    frames = stream([*UPGRADED, *((">", data[at : at + 500]) for at in range(0, len(data), 500))])
    path = pcap(tmp_path / "made.pcap", frames)
    small, large = decode(path, Decoder(frames=3, size=0)), decode(path)
    assert small.messages.to_pylist() == large.messages.to_pylist()
    assert small.column("malformed") == large.column("malformed")


def test_a_snapshot_length_cuts_messages_and_no_frames(tmp_path: Path) -> None:
    """The payload of a WebSocket frame that was not captured whole is counted, and the next frame is read."""
    frames = stream(
        [
            *UPGRADED,
            (">", framed(connect())),
            (">", framed(publish(b"x" * 900, 0)) + framed(publish(b"mid", 8))),
            (">", framed(publish(b"last"))),
        ]
    )
    whole = [bytes(frame) for frame in frames]
    records = [
        struct.pack("<IIII", number, 0, min(len(data), 400), len(data)) + data[:400]
        for number, data in enumerate(whole)
    ]
    path = pcap(tmp_path / "made.pcap", [])
    path.write_bytes(path.read_bytes() + b"".join(records))
    tables = decode(path)
    assert tables.message("msgtype") == [1, 3, 3]
    assert tables.message("len")[1:] == [905, 11]
    assert tables.message("malformed")[1:] == ["MQTT control packet not captured whole", None]
    assert tables.message("payload")[1:] == [None, b"last"]


@pytest.mark.parametrize("cut", [1, 2, 40, len(REQUEST) - 1])
def test_the_header_may_come_in_pieces(tmp_path: Path, cut: int) -> None:
    """And MQTT may stand behind it in the same segment, on a port that is known."""
    parts = [
        (">", REQUEST[:cut]),
        (">", REQUEST[cut:] + framed(connect())),
        ("<", RESPONSE[:cut]),
        ("<", RESPONSE[cut:]),
    ]
    assert read(tmp_path, stream([*parts, (">", framed(publish()))])).message("msgtype") == [1, 3]


def test_reordered_segments_are_unmasked_once(tmp_path: Path) -> None:
    """Also where they waited behind a hole, or were sent twice."""
    data = framed(connect()) + framed(publish()) + framed(publish(b"16.00", 8))
    frames = stream([*UPGRADED, *((">", data[at : at + 10]) for at in range(0, len(data), 10))])
    head, tail = frames[:4], frames[4:]
    tables = read(tmp_path, [*head, tail[1], tail[0], tail[1], *tail[:1:-1]])
    assert [value for value in tables.message("payload") if value] == [b"15.54", b"16.00"]


def test_a_compressed_message_is_refused_and_counted(tmp_path: Path) -> None:
    """What permessage-deflate compressed is not read (RFC 7692); what it left as it is, is."""
    parts = [
        (">", framed(connect())),
        (">", framed(b"\xaa\xbb\xcc", 0xC2)),
        (">", framed(b"\xaa", 0x42) + framed(b"\xbb", 0x80)),
        (">", framed(publish())),
    ]
    tables = read(tmp_path, stream([*UPGRADED, *parts]))
    assert tables.message("msgtype") == [1, 3]
    (remark,) = tables.remarks
    assert remark.startswith("3 WebSocket frames are compressed (permessage-deflate)")


def test_a_hole_in_websocket_ends_with_the_next_frame_that_begins_a_packet(tmp_path: Path) -> None:
    """Framing is found again as well as MQTT."""
    frames = stream([
        *UPGRADED, (">", framed(connect())), (">", framed(publish(b"lost" * 100))), (">", framed(publish(b"next"))), ("<", framed(control(0x40, b"\0\7"), masked=False)),
        (">", framed(publish(b"last"))),
    ])  # fmt: skip
    tables = read(tmp_path, [*frames[:5], *frames[6:]])
    assert [value for value in tables.message("payload") if value] == [b"next", b"last"]
    assert tables.gaps == 1


def test_a_capture_may_start_within_a_websocket_connection(tmp_path: Path) -> None:
    """On port 9001, where no upgrade was seen; other things on that port leave no message and no flaw."""
    parts = [
        (">", framed(publish())),
        ("<", framed(control(0x40, b"\0\7"), masked=False)),
        (">", framed(publish(b"16.00", 8))),
    ]
    assert read(tmp_path, stream(parts, opened=False)).message("msgtype") == [3, 4, 3]
    assert read(tmp_path, stream(parts, 8083, opened=False)).messages.num_rows == 0
    other = read(
        tmp_path, stream([(">", b"\x16\x03\x01\x02\x00\x01\x00"), ("<", b"220 hello\r\n"), (">", publish())])
    )
    assert (other.messages.num_rows, set(other.column("malformed")), other.remarks) == (0, {None}, [])


@pytest.mark.parametrize("port", [80, 9001, 1883])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        RESPONSE.replace(b": mqtt", b": chat"),
    ],
)
def test_other_http_is_not_mqtt(tmp_path: Path, port: int, answer: bytes) -> None:
    """Pages, and WebSocket for other things, complete no message; on a port of MQTT they are flagged."""
    asked = REQUEST.replace(b": mqtt", b": chat")
    tables = read(
        tmp_path,
        stream(
            [(">", asked), ("<", answer), (">", framed(publish())), ("<", framed(CONNACK, masked=False))],
            port,
        ),
    )
    assert tables.messages.num_rows == 0
    assert ({None} == set(tables.column("malformed"))) == (port == 80)


def test_an_upgrade_after_other_requests_is_seen(tmp_path: Path) -> None:
    """A connection may fetch a page first."""
    page = [
        (">", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("<", b"HTTP/1.1 200 OK\r\n\r\n<html>"),
        ("<", b"more of it"),
    ]
    tables = read(
        tmp_path,
        stream([*page, *UPGRADED, (">", framed(connect())), ("<", framed(CONNACK, masked=False))], 80),
    )
    assert tables.message("msgtype") == [1, 2]


def test_text_frames_are_read_and_flagged(tmp_path: Path) -> None:
    """MQTT has to be in binary frames ([MQTT-6.0.0-1])."""
    tables = read(tmp_path, stream([*UPGRADED, (">", framed(connect(), 0x81))]))
    assert tables.message("msgtype") == [1]
    assert str(tables.column("malformed")[-1]).startswith("WebSocket frame of text")


def test_a_reserved_frame_is_flagged_and_the_next_one_read(tmp_path: Path) -> None:
    """What no frame can begin with ends the reading of its segment, not of its connection."""
    tables = read(
        tmp_path,
        stream([*UPGRADED, (">", framed(connect())), (">", framed(b"x", 0x83)), (">", framed(publish()))]),
    )
    assert tables.message("msgtype") == [1, 3]
    assert str(tables.column("malformed")[-2]).startswith("WebSocket frame of a reserved type")


def test_tls_on_a_port_of_mqtt_is_counted_once_a_connection(tmp_path: Path) -> None:
    """Its frames are not taken for damaged MQTT; on 8883, the port of MQTT over TLS, it is counted unasked."""
    parts = [
        (">", b"\x16\x03\x01\x00\x05\1ello"),
        ("<", b"\x16\x03\x03\x00\x02\2b"),
        (">", b"\x17\x03\x03\x00\x01x" * 9),
    ]
    for port in (8883, 1883):
        tables = read(tmp_path, stream(parts, 8883), port=port)
        assert (tables.messages.num_rows, set(tables.column("malformed"))) == (0, {None})
        assert tables.remarks == ["1 connections are encrypted (TLS); the MQTT in them cannot be read"]
    assert read(tmp_path, stream(parts, 443)).remarks == []


def test_several_ports_are_read(tmp_path: Path) -> None:
    """Each of those named, and no other."""
    frames = [
        frame for port in (1883, 1884, 1885) for frame in stream([(">", connect()), (">", publish())], port)
    ]
    tables = read(tmp_path, frames, port=(1884, 1885))
    assert tables.message("msgtype") == [1, 3] * 2
    assert tables.column("to_server") == [0] * 4 + [1, 0, 1, 1] * 2
    assert tables.remarks == [
        "1 connections of MQTT are on other ports and not read: `--port 1883` reads them instead"
    ]


@pytest.mark.parametrize("level", [3, 4, 5])
def test_mqtt_on_other_ports_is_remarked(tmp_path: Path, level: int) -> None:
    """By its CONNECT, of any version, short or long; the port of most connections comes first, and nothing else counts."""
    said = connect(level, b"a" * 200, b"\0" if level == 5 else b"")
    near, far = (
        stream([(">", connect(level, properties=b"\0" if level == 5 else b""))], 1884),
        stream([(">", said)], 1885),
    )
    other = stream([(">", b"\x10 no CONNECT at all")], 1886)
    again = [frame.copy() for frame in far]
    for frame in again:
        frame[IP].src, frame[IP].dst = (
            address.replace("10.6.56.41", "10.6.56.42") for address in (frame[IP].src, frame[IP].dst)
        )
    tables = read(tmp_path, [*near, *far, *again, *other])
    assert tables.remarks == [
        "3 connections of MQTT are on other ports and not read: `--port 1885 1884` reads them instead"
    ]
