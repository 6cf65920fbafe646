"""The dataset of a run and of published captures: both levels, written and read back."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.analysis import made_run

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import LEVELS, Level, columns, names
from coldaisle_analysis.dataset import Dataset
from coldaisle_contracts.errors import InputError

DAD = Path(os.environ.get("COLDAISLE_DAD", Path(__file__).parents[3] / "shared" / "data" / "dad"))
needs_dad = pytest.mark.skipif(
    not DAD.is_dir(), reason=f"the published captures are not in {DAD}; name them in COLDAISLE_DAD"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run


@pytest.fixture(scope="module")
def data(run: Path) -> Dataset:
    """Return the dataset of the run."""
    return dataset.build(run)


@pytest.mark.parametrize("level", LEVELS)
def test_columns_and_types_are_the_tables(data: Dataset, level: Level) -> None:
    """Each level has exactly the documented columns, in their order and of their types."""
    table = data.levels()[level]
    assert list(table) == names(level)
    assert [str(table[column.name].dtype) for column in columns(level)] == [
        column.dtype for column in columns(level)
    ]


def test_rows(run: Path, data: Dataset) -> None:
    """There is a row for every frame of the capture and for every planned reading, even if it was removed."""
    assert len(data.packets) == len(made_run.captured(run / "capture" / "day-1-000.pcap"))
    assert len(data.readings) == 2 * 4 * 9
    assert data.readings["fate"].eq("removed").sum() == 1


def test_both_clocks(data: Dataset) -> None:
    """Wall time is that of the raw capture: in this run it is virtual time less a constant."""
    assert (data.packets["time_ns"] - data.packets["wall_ns"]).eq(made_run.OFFSET).all()
    assert data.packets["time"].astype("int64").equals(data.packets["time_ns"])


def test_local_time_is_the_scenarios(data: Dataset) -> None:
    """Weekday and hour are local: the run starts at midnight of a Monday in Madrid."""
    assert set(data.packets["weekday"]) == {0}
    assert data.readings["hour"].iloc[0] == pytest.approx(2.5 / 3600, abs=1e-5)


def test_frames_of_a_reading(data: Dataset) -> None:
    """The frame number of a reading is that of its PUBLISH in ``packets``, whose row has the slot and the number of the copy."""
    copied = data.readings[data.readings["copies"] > 0].iloc[0]
    first, last = (
        data.packets[data.packets["frame"] == copied[name]].iloc[0] for name in ("first_frame", "last_frame")
    )
    assert (first["mqtt_value"], first["slot"], first["copy"]) == (copied["value"], copied["slot"], 0)
    assert (last["slot"], last["copy"], last["role"]) == (copied["slot"], 2, "duplicate")


def test_written_and_read_back(data: Dataset, tmp_path: Path) -> None:
    """Parquet gives the same tables back; CSV has the same rows and columns; no unfinished file remains."""
    files = dataset.write(data, tmp_path / "dataset", csv=True)
    again = dataset.load(tmp_path / "dataset")
    pd.testing.assert_frame_equal(again.packets, data.packets, check_categorical=False)
    pd.testing.assert_frame_equal(again.messages, data.messages, check_categorical=False)
    pd.testing.assert_frame_equal(again.readings, data.readings, check_categorical=False)
    for level, table in data.levels().items():
        typed = tables.read(tmp_path / "dataset" / f"{level}.parquet")
        pd.testing.assert_frame_equal(typed, table, check_categorical=False)
        text = pd.read_csv(tmp_path / "dataset" / f"{level}.csv", low_memory=False)
        assert (len(text), list(text)) == (len(table), names(level))
        assert text["kind"].tolist() == table["kind"].tolist()
    assert sorted(files) == sorted((tmp_path / "dataset").iterdir())


def test_a_folder_that_cannot_be_written(data: Dataset, tmp_path: Path) -> None:
    """A file in place of the folder gives one clear error."""
    (tmp_path / "dataset").write_text("in the way")
    with pytest.raises(InputError, match="dataset: it exists already: name another"):
        dataset.write(data, tmp_path / "dataset")


def test_a_table_that_is_none(tmp_path: Path) -> None:
    """A file that is not Parquet is refused, and the error names it."""
    (tmp_path / "packets.parquet").write_text("no")
    with pytest.raises(InputError, match=r"packets\.parquet"):
        tables.read(tmp_path / "packets.parquet")


@pytest.fixture
def foreign(run: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a capture and a label table that matches it, with two frames labelled."""
    packets = dataset.build(run).packets
    path = tmp_path / "labels.csv"
    columns = ("frame_in_file", "ip_src", "tcp_srcport")
    cells = zip(*(packets[name].astype("str").fillna("") for name in columns), packets["role"], strict=True)
    lines = ["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label"]
    lines += [
        f"{number};{source};{port};;;{int(role == 'duplicate')}" for number, source, port, role in cells
    ]
    path.write_text("\n".join(lines) + "\n")
    return run / "capture" / "day-1-000.pcap", path


def test_foreign_capture(foreign: tuple[Path, Path]) -> None:
    """Labels come from the table, readings from PUBLISH messages, sensors from client ids; two labelled frames make one episode."""
    data = dataset.from_captures([foreign[0]], [foreign[1]])
    assert data.packets["label"].sum() == 2
    assert len(data.readings) == 2 * 4 * 9 - 1 + 2
    marked = data.readings[data.readings["label"] == 1]
    assert marked[["unit", "sensor", "kind", "episode"]].drop_duplicates().to_numpy().tolist() == [
        ["inrow-25", 3, "attack", "a01"]
    ]
    assert data.readings["value_sent"].isna().all()


def change(line: int, cell: int, value: str) -> Callable[[list[list[str]]], None]:
    """Return an edit of one cell; lines count from 1, as in an editor."""

    def edit(rows: list[list[str]]) -> None:
        rows[line - 1][cell] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (change(5, 0, "9"), r"labels\.csv: line 5: frame.number is '9'"),
        (change(7, 1, "10.0.0.1"), r"labels\.csv: line 7: ip.src is '10\.0\.0\.1': is not the frame's source address"),
        (change(7, 2, "1"), r"labels\.csv: line 7: tcp.srcport is '1'"),
        (change(9, 5, "2"), r"labels\.csv: line 9: label is '2': write 0, 1 or the name"),
        (change(9, 5, ""), r"labels\.csv: line 9: label is '': write 0, 1 or the name"),
        (change(1, 5, "class"), r"labels\.csv: line 1.*add the column label"),
        (lambda rows: rows.pop(), r"labels\.csv: line 272: has 270 rows, day-1-000\.pcap 271 frames"),
        (lambda rows: rows.append(["272", "", "", "", "", "0"]), r"line 273: has 272 rows"),
    ],
)  # fmt: skip
def test_label_rows_that_do_not_match(
    foreign: tuple[Path, Path], edit: Callable[[list[list[str]]], object], error: str
) -> None:
    """Each way in which a label table can disagree with its capture is refused with file and line."""
    capture, path = foreign
    rows = [line.split(";") for line in path.read_text().splitlines()]
    edit(rows)
    path.write_text("\n".join(";".join(row) for row in rows) + "\n")
    with pytest.raises(InputError, match=error):
        dataset.from_captures([capture], [path])


def test_labelled_frames_without_an_address(run: Path, foreign: tuple[Path, Path]) -> None:
    """If only ARP frames are labelled, they make an episode of the host that sent them."""
    capture, path = foreign
    packets = dataset.build(run).packets
    rows = [line.split(";") for line in path.read_text().splitlines()]
    forged = (packets["protocol"] == "ARP").to_numpy() & (packets["label"] == 1).to_numpy()
    for row, labelled in zip(rows[1:], forged, strict=True):
        row[5] = str(int(labelled))
    path.write_text("\n".join(";".join(row) for row in rows) + "\n")
    data = dataset.from_captures([capture], [path])
    marked = data.packets[data.packets["label"] == 1]
    assert len(marked) == forged.sum() > 0
    assert marked["ip_src"].isna().all()
    assert marked["episode"].tolist() == ["a01"] * len(marked)
    assert data.readings["label"].sum() == 0


def test_a_header_is_checked_before_the_capture(tmp_path: Path) -> None:
    """A label table without a column, an empty one and a device are refused before the capture is read: here there is none."""
    (tmp_path / "short.csv").write_text("frame.number;ip.src\n1;\n")
    (tmp_path / "commas.csv").write_text("frame.number,ip.src,label\n1,,0\n")
    (tmp_path / "empty.csv").touch()
    for name, error in (
        ("commas.csv", "line 1.*separate the columns by ';'"),
        ("short.csv", "line 1.*add the column tcp.srcport"),
        ("empty.csv", "is empty"),
        ("/dev/null", "it is not a file"),
    ):
        with pytest.raises(InputError, match=error):
            dataset.from_captures([tmp_path / "none.pcap"], [tmp_path / name])


def test_a_capture_without_a_value(tmp_path: Path) -> None:
    """A capture in which nobody reports a number, or nobody speaks at all, has packets and no readings."""
    header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)
    asks = bytes.fromhex(
        "ffffffffffff02420a0000010806000108000604000102420a0000010a0000010000000000000a000002"
    )
    for frames in ([], [asks] * 3):
        lines = ["frame.number;ip.src;tcp.srcport;mqtt.clientid;mqtt.msgid;label"]
        lines += [f"{number};;;;;1" for number in range(1, len(frames) + 1)]
        (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
        records = [struct.pack("<IIII", 1000, 0, len(frame), len(frame)) + frame for frame in frames]
        (tmp_path / "made.pcap").write_bytes(header + b"".join(records))
        built = dataset.from_captures([tmp_path / "made.pcap"], [tmp_path / "labels.csv"])
        assert (len(built.packets), len(built.readings)) == (len(frames), 0)
        assert built.recognised == "0 series of 0 clients, 0 readings"
        assert {level: len(rows) for level, rows in built.levels().items()} == {
            "packets": len(frames), "messages": 0, "readings": 0, "flows": 0, "windows": 0,
        }  # fmt: skip


def test_as_many_tables_as_captures(foreign: tuple[Path, Path]) -> None:
    """A capture without its label table is refused."""
    with pytest.raises(InputError, match="one source of labels is needed for each capture: 1 captures"):
        dataset.from_captures([foreign[0]], [])


@pytest.mark.dad
@needs_dad
def test_published_captures() -> None:
    """The four published days give 57,891 packets, of which 160 on one host are labelled, and 16 sensors."""
    data = dataset.from_captures(sorted(DAD.glob("*.pcap")), sorted(DAD.glob("*labels.csv")), 7200)
    assert (len(data.packets), data.packets["label"].sum()) == (57_891, 160)
    assert data.packets.groupby("day").size().tolist() == [14_431, 14_398, 14_524, 14_538]
    marked = data.packets[data.packets["label"] == 1]
    assert set(marked["ip_src"]) == {"10.6.56.41"}
    assert data.readings["label"].sum() == 160
    assert data.readings["client_id"].nunique() == 16
    medians = data.readings[data.readings["label"] == 0].groupby("sensor")["value"].median()
    assert medians.tolist() == pytest.approx([11.5, 15.3, 20.0, 26.9], abs=0.2)  # of all seven days
