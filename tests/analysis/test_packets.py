"""Packets and messages of captures as tables: files are read, rows are complete, features are causal."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_run import ACK, PSH, ethernet, ipv4, pcap, publish, tcp
from tests.published import UNITS

from coldaisle_analysis.columns import names
from coldaisle_analysis.decoding import captures
from coldaisle_analysis.features import packets
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

UNIT = UNITS["inrow-13"]


def frame(payload: bytes, seq: int = 1000, flags: int = PSH | ACK, ack: int = 0) -> bytes:
    """Return a frame from the unit to the broker."""
    segment = tcp((40001, 1883), (seq, ack), flags, 5, payload)
    return ethernet(UNIT.mac, BROKER.mac, 0x0800, ipv4(UNIT.ip, BROKER.ip, 6, segment))


def decoded(folder: Path, frames: list[bytes]) -> pd.DataFrame:
    """Return the packets of these frames, one second apart."""
    path = folder / "made.pcap"
    pcap(path, [(number * SECOND, data) for number, data in enumerate(frames)])
    return packets.decode([path])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "resolution"), [(0xA1B23C4D, 1), (0xA1B2C3D4, 1000)])
def test_reads_every_pcap(tmp_path: Path, order: str, magic: int, resolution: int) -> None:
    """Captures with ns or µs, in either byte order, give the same frame and its time."""
    path = tmp_path / "made.pcap"
    pcap(path, [(7 * SECOND + 123_456_789, frame(b""))], order, magic)
    read = captures.read([path])
    assert read.time_ns.tolist() == [7 * SECOND + 123_456_789 // resolution * resolution]
    assert read.frame(0) == frame(b"")


def test_truncated_capture_names_file_frame_and_offset(tmp_path: Path) -> None:
    """A capture that ends within its second frame is refused with file, frame and offset."""
    path = tmp_path / "cut.pcap"
    pcap(path, [(0, frame(b"")), (1, frame(b""))])
    path.write_bytes(path.read_bytes()[:-5])
    offset = 24 + 16 + len(frame(b""))
    with pytest.raises(InputError, match=rf"cut\.pcap: frame 2, offset {offset}"):
        packets.decode([path])


def test_cut_within_a_record_header(tmp_path: Path) -> None:
    """A capture that ends within the header of a record is refused with file, frame and offset."""
    path = tmp_path / "cut.pcap"
    pcap(path, [(0, frame(b""))])
    path.write_bytes(path.read_bytes() + bytes(7))
    with pytest.raises(InputError, match="frame 2, offset"):
        packets.decode([path])


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A missing capture is refused, and the error names it."""
    with pytest.raises(InputError, match=r"none\.pcap"):
        captures.read([tmp_path / "none.pcap"])


def test_empty_capture_has_no_rows(tmp_path: Path) -> None:
    """A capture without frames gives a table without rows."""
    assert decoded(tmp_path, []).empty


def test_several_messages_in_a_frame(tmp_path: Path) -> None:
    """The row has the fields of the first message and the number of messages; the table of messages has both."""
    path = tmp_path / "made.pcap"
    pcap(path, [(0, frame(publish("15.54", 3) + publish("16.00", 4)))])
    trace = packets.trace([path])
    row = trace.packets.iloc[0]
    assert (row.mqtt_messages, row.mqtt_msgid, row.mqtt_value) == (2, 3, 15.54)
    assert trace.messages["payload"].tolist() == ["15.54", "16.00"]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the capture of a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run / "capture" / "day-1-000.pcap"


def test_packets_have_their_columns(capture: Path) -> None:
    """Decoding gives every column except the labels and those that only a run can have."""
    later = {*names("packets", "label"), "day", "wall_ns"}
    assert set(packets.decode([capture])) == set(names("packets")) - later


def test_nothing_comes_from_the_future(capture: Path, tmp_path: Path) -> None:
    """The rows of a capture that is cut in the middle equal those of the whole capture, column by column."""
    whole = captures.read([capture])
    count = len(whole) // 2
    part = tmp_path / capture.name
    pcap(part, [(int(whole.time_ns[row]), whole.frame(row)) for row in range(count)])
    short, full = packets.decode([part]), packets.decode([capture]).iloc[:count]
    for name in short:
        ours, theirs = short[name].astype("str"), full[name].astype("str")
        assert ours.fillna("").tolist() == theirs.fillna("").tolist(), name


def test_flow_features_by_hand(tmp_path: Path) -> None:
    """Packets, bytes, duration and inter-arrival times of a flow equal those counted by hand."""
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


def test_texts_that_become_alike_are_one_category(tmp_path: Path) -> None:
    """Payloads that differ only in bytes that are no UTF-8 become the same text, and the table can be built."""
    frames = [
        frame(b"\x30\x06\0\3IoT" + byte, 1000 + 8 * number) for number, byte in enumerate((b"\xff", b"\xfe"))
    ]
    assert decoded(tmp_path, frames)["mqtt_payload"].tolist() == ["\ufffd", "\ufffd"]
