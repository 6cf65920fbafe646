"""Decoding: captures read, headers and streams decoded, flow features causal."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from coldaisle_analysis.streams import Segment, follow
from tests.analysis import made_run
from tests.analysis.made_run import ACK, PSH, SYN, connect, ethernet, ipv4, pcap, puback, publish, tcp

from coldaisle_analysis import captures, mqtt, packets
from coldaisle_analysis.columns import names
from coldaisle_contracts.addressing import BROKER, UNITS
from coldaisle_contracts.errors import InputError

UNIT = UNITS["inrow-13"]
SECOND = 1_000_000_000


def frame(payload: bytes, seq: int = 1000, flags: int = PSH | ACK, ack: int = 0) -> bytes:
    """Return a frame of the unit to the broker."""
    segment = tcp((40001, 1883), (seq, ack), flags, 5, payload)
    return ethernet(UNIT.mac, BROKER.mac, 0x0800, ipv4(UNIT.ip, BROKER.ip, 6, segment))


def decoded(folder: Path, frames: list[bytes]) -> pd.DataFrame:
    """Return the packets of these frames, a second apart."""
    path = folder / "made.pcap"
    pcap(path, [(number * SECOND, each) for number, each in enumerate(frames)])
    return packets.decode([path])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "resolution"), [(0xA1B23C4D, 1), (0xA1B2C3D4, 1000)])
def test_reads_every_pcap(tmp_path: Path, order: str, magic: int, resolution: int) -> None:
    """Nanosecond and microsecond captures of either byte order give the same frame and its time."""
    path = tmp_path / "made.pcap"
    pcap(path, [(7 * SECOND + 123_456_789, frame(b""))], order, magic)
    read = captures.read([path])
    assert read.time_ns.tolist() == [7 * SECOND + 123_456_789 // resolution * resolution]
    assert read.frame(0) == frame(b"")


def test_truncated_capture_names_file_frame_and_offset(tmp_path: Path) -> None:
    """A capture cut within its second frame is refused with file, frame and offset."""
    path = tmp_path / "cut.pcap"
    pcap(path, [(0, frame(b"")), (1, frame(b""))])
    path.write_bytes(path.read_bytes()[:-5])
    offset = 24 + 16 + len(frame(b""))
    with pytest.raises(InputError, match=rf"cut\.pcap: frame 2, offset {offset}"):
        packets.decode([path])


def test_cut_within_a_record_header(tmp_path: Path) -> None:
    """A capture cut within a record's header is refused too."""
    path = tmp_path / "cut.pcap"
    pcap(path, [(0, frame(b""))])
    path.write_bytes(path.read_bytes() + bytes(7))
    with pytest.raises(InputError, match="frame 2, offset"):
        packets.decode([path])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "editcap -F pcap"),
        (b"", "not a pcap file"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 113), "link type is not Ethernet"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A pcapng, an empty and a cooked capture are refused with what to do."""
    path = tmp_path / "other.pcap"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        captures.read([path])


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A capture that is not there is refused by name."""
    with pytest.raises(InputError, match=r"none\.pcap"):
        captures.read([tmp_path / "none.pcap"])


def test_empty_capture_has_no_rows(tmp_path: Path) -> None:
    """A capture without frames decodes to a table without rows."""
    assert decoded(tmp_path, []).empty


def test_several_messages_in_a_frame(tmp_path: Path) -> None:
    """The row carries the first message's fields and their number; the messages table has both."""
    path = tmp_path / "made.pcap"
    pcap(path, [(0, frame(publish("15.54", 3) + publish("16.00", 4)))])
    trace = packets.trace([path])
    row = trace.packets.iloc[0]
    assert (row.mqtt_messages, row.mqtt_msgid, row.mqtt_value) == (2, 3, 15.54)
    assert trace.messages["payload"].tolist() == ["15.54", "16.00"]


def test_message_over_segments_stands_on_the_last(tmp_path: Path) -> None:
    """A message split over three segments is reported on the frame that completes it."""
    whole = publish("15.54", 3)
    parts = [(0, 1), (1, 6), (6, len(whole))]
    table = decoded(tmp_path, [frame(whole[a:b], 1000 + a) for a, b in parts])
    assert table["mqtt_msgtype"].isna().tolist() == [True, True, False]
    assert table["mqtt_payload"].iloc[2] == "15.54"


def test_out_of_order_and_retransmitted(tmp_path: Path) -> None:
    """Segments out of order are put right, and one sent twice counts once."""
    first, second = publish("15.54", 3), publish("16.00", 4)
    opened = frame(b"", 999, SYN)
    late, early = frame(first, 1000), frame(second, 1000 + len(first))
    table = decoded(tmp_path, [opened, early, late, late])
    assert table["mqtt_messages"].fillna(0).tolist() == [0, 0, 2, 0]
    assert table["mqtt_msgid"].iloc[2] == 3
    assert table["tcp_retransmission"].tolist() == [0, 0, 1, 1]
    assert table["tcp_gap"].tolist() == [0, 1, 0, 0]


def segment(
    index: int, seq: int, payload: bytes = b"", *, ack: int = 0, forward: bool = True, syn: bool = False
) -> Segment:
    """Return a segment of flow 0."""
    return index, 0, forward, seq, ack, syn, payload


def test_sequence_numbers_wrap() -> None:
    """A message across 2^32 is put together."""
    whole, start = publish("15.54", 3), 2**32 - 4
    found, gaps = follow([segment(0, start, whole[:4]), segment(1, 0, whole[4:])])
    assert [(index, body) for index, _, body in found] == [(1, whole[2:])]
    assert gaps == 0


def test_overlapping_segment_adds_only_what_is_new() -> None:
    """A retransmission that carries more than was seen adds the rest."""
    whole = publish("15.54", 3) + publish("16.00", 4)
    found, _ = follow([segment(0, 1000, whole[:10]), segment(1, 1000, whole)])
    assert [index for index, _, _ in found] == [1, 1]


def test_hole_is_given_up_once_acknowledged() -> None:
    """A segment missing from the capture is skipped when the other side acknowledges past it, and counted."""
    message = publish("15.54", 3)
    size = len(message)
    found, gaps = follow(
        [
            segment(0, 1000, message),
            segment(1, 1000 + 2 * size, message),
            segment(2, 1, ack=1000 + 3 * size, forward=False),
            segment(3, 1000 + 3 * size, message),
        ]
    )
    assert [index for index, _, _ in found] == [0, 2, 3]
    assert gaps == 1


def test_remaining_length_of_several_bytes() -> None:
    """A message of 300 bytes, whose remaining length takes two, is read whole."""
    body = b"\0\3IoT" + bytes(300)
    found, _ = follow([segment(0, 1, b"\x30" + bytes([len(body) & 127 | 128, len(body) >> 7]) + body)])
    assert found == [(0, 0x30, body)]


def test_bytes_that_are_no_mqtt_give_no_message() -> None:
    """Bytes that start with a reserved type are dropped, and reading goes on with the next segment."""
    found, _ = follow([segment(0, 1, b"\xf7abc"), segment(1, 5, puback(1))])
    assert [index for index, _, _ in found] == [1]


def test_connect_of_version_3_1() -> None:
    """A CONNECT of MQTT 3.1 gives protocol name, level, keepalive, clean-session flag and client id."""
    data = connect("134")
    message = mqtt.parse(data[0], data[2:])
    assert (message.protoname, message.version, message.keepalive, message.cleansess, message.clientid) == (
        "MQIsdp", 3, 600, 1, "134",
    )  # fmt: skip


@pytest.mark.parametrize("kind", range(16))
def test_malformed_messages_give_what_they_have(kind: int) -> None:
    """A body cut short of any type is parsed without an error."""
    for size in range(6):
        assert mqtt.parse(kind << 4 | 2, b"\0\3IoT"[:size]).msgtype == kind


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the capture of a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run / "capture" / "day-1-000.pcap"


def test_packets_have_their_columns(made: Path) -> None:
    """Decoding alone gives every column but the labels and what only a run knows."""
    later = {*names("packets", "label"), "day", "wall_ns"}
    assert set(packets.decode([made])) == set(names("packets")) - later


def test_nothing_comes_from_the_future(made: Path, tmp_path: Path) -> None:
    """Rows of a capture cut in the middle equal those of the whole one, column by column."""
    whole = captures.read([made])
    count = len(whole) // 2
    part = tmp_path / made.name
    pcap(part, [(int(whole.time_ns[row]), whole.frame(row)) for row in range(count)])
    short, full = packets.decode([part]), packets.decode([made]).iloc[:count]
    for name in short:
        ours, theirs = short[name].astype("str"), full[name].astype("str")
        assert ours.fillna("").tolist() == theirs.fillna("").tolist(), name


def test_flow_features_by_hand(tmp_path: Path) -> None:
    """Packets, bytes, duration and times between of a flow are those counted by hand."""
    reply = tcp((1883, 40001), (1, 1001), ACK, 5)
    back = ethernet(BROKER.mac, UNIT.mac, 0x0800, ipv4(BROKER.ip, UNIT.ip, 6, reply))
    there = frame(publish("15.54", 1))
    table = decoded(tmp_path, [there, back, frame(b"", 1014)])
    sizes = [len(there), len(back), len(back)]
    assert table["flow_packets"].tolist() == [1, 2, 3]
    assert table["flow_mean_bytes"].tolist() == [sizes[0], sum(sizes[:2]) / 2, sum(sizes) / 3]
    assert table["flow_duration"].tolist() == [0, 1, 2]
    assert table["dir_packets"].tolist() == [1, 1, 2]
    assert table["flow_iat"].iloc[1:].tolist() == [1, 1]
    assert np.isnan(table["dir_iat"].iloc[1])
    assert table["dir_iat"].iloc[2] == 2
    assert table["reply_s"].iloc[1:].tolist() == [1, 1]


def test_a_port_used_again_is_a_new_flow(tmp_path: Path) -> None:
    """A SYN with a new sequence number starts a flow; its own retransmission does not."""
    opened, again = frame(b"", 999, SYN), frame(b"", 5999, SYN)
    table = decoded(tmp_path, [opened, opened, frame(b"", 1000), again, frame(b"", 6000)])
    assert table["flow"].tolist() == [0, 0, 0, 1, 1]
