"""Exports, each read by the tools it is made for; either all formats are written or none."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from tests.analysis import made_run
from tests.analysis.made_frames import frame, level_of
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import LEVELS, Level, names
from coldaisle_analysis.dataset.aggregates import flows
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.export import FORMATS, eve, export, zeek
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS, SHIPPED
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.plan import Plan


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run made by hand, exported to every format."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(folder)
    dataset.write(dataset.build(folder), folder / "dataset")
    (folder / MANIFEST).write_text(made_manifest(folder).model_dump_json())
    export(folder, list(FORMATS))
    return folder


@pytest.fixture(scope="module")
def packets(run: Path) -> pd.DataFrame:
    """Return the packets of the run."""
    return tables.read_level(run, "packets")


def fields(capture: Path, filtered: str, *names: str) -> list[list[str]]:
    """Return display fields of the frames that match a filter, as tshark reads them."""
    options = [option for name in names for option in ("-e", name)]
    command = ["tshark", "-n", "-r", str(capture), "-Y", filtered, "-T", "fields", *options]
    return [line.split("\t") for line in subprocess.run(
        command, check=True, capture_output=True, text=True).stdout.splitlines()]  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_parquet_in_three_tools(run: Path, level: Level) -> None:
    """pandas, DuckDB and Polars read every row and column, the day from the names of the folders, and the same labels."""
    folder, table = run / "export" / "parquet" / level, tables.read_level(run, level)
    assert [path.name for path in folder.iterdir()] == ["day=1"]
    expected = (len(table), int(table["label"].sum()), int(table["day"].sum()))
    by_pandas = pd.read_parquet(folder)
    by_polars = pl.read_parquet(folder / "**" / "*.parquet", hive_partitioning=True)
    query = "select count(*), sum(label), sum(day) from read_parquet(?, hive_partitioning=true)"
    by_duckdb = duckdb.execute(query, [f"{folder}/*/*.parquet"]).fetchone()
    assert by_duckdb == expected
    for table_read in (by_pandas, by_polars):
        assert sorted(table_read.columns) == sorted(names(level))
        assert (len(table_read), int(table_read["label"].sum()), table_read["day"].astype("int64").sum()
                if isinstance(table_read, pd.DataFrame) else table_read["day"].sum()) == expected  # fmt: skip


def test_parquet_keeps_days_apart_and_rows_in_order(run: Path, tmp_path: Path) -> None:
    """Each day has its folder with its rows in order, compressed with zstd."""
    table = tables.read_level(run, "packets").assign(day=lambda rows: rows["frame"] % 3 + 1)
    tables.partition(table, tmp_path / "packets", "day")
    for day in (1, 2, 3):
        rows = pl.read_parquet(tmp_path / "packets" / f"day={day}" / "*.parquet", hive_partitioning=False)
        assert rows["frame"].to_list() == table.loc[table["day"] == day, "frame"].tolist()
    codec = "select distinct compression from parquet_metadata(?)"
    assert duckdb.execute(codec, [f"{tmp_path}/packets/*/*.parquet"]).fetchall() == [("ZSTD",)]


@pytest.mark.parametrize("level", LEVELS)
def test_csv_in_three_tools(run: Path, level: Level) -> None:
    """pandas, DuckDB and Polars read the same rows and labels from CSV."""
    path, table = run / "export" / "csv" / f"{level}.csv", tables.read_level(run, level)
    expected = (len(table), int(table["label"].sum()))
    by_pandas, by_polars = pd.read_csv(path, low_memory=False), pl.read_csv(path, infer_schema_length=None)
    assert duckdb.execute("select count(*), sum(label) from read_csv(?)", [str(path)]).fetchone() == expected
    assert list(by_pandas) == by_polars.columns == names(level)
    assert (
        (len(by_pandas), by_pandas["label"].sum()) == (len(by_polars), by_polars["label"].sum()) == expected
    )


def test_wireshark_shows_the_label_of_each_frame(run: Path, packets: pd.DataFrame) -> None:
    """Display filters on the comment match as many frames as the table has; frames without an episode have no comment."""
    capture = run / "export" / "pcapng" / "day-1-000.pcapng"
    touched = packets[packets["episode"].notna()]
    kinds = {episode.id: episode.kind for episode in Plan.load(run / "plan.json").episodes}
    expected = Counter(kinds[episode] for episode in touched["episode"])
    assert len(expected) > 2
    for kind, count in expected.items():
        assert len(fields(capture, f'frame.comment contains "kind={kind} "', "frame.number")) == count
        technique = f'frame.comment contains "technique={KINDS[kind].technique}"'
        assert len(fields(capture, technique, "frame.number")) >= count
    attacks = fields(capture, 'frame.comment contains "label=attack"', "frame.number")
    assert [int(number) for (number,) in attacks] == packets.loc[packets["label"] == 1, "frame"].tolist()
    assert len(fields(capture, "frame.comment", "frame.number")) == len(touched)


def test_a_comment_names_episode_and_role(run: Path, packets: pd.DataFrame) -> None:
    """The comment of a frame holds label, kind, episode, role and technique of its row."""
    capture = run / "export" / "pcapng" / "day-1-000.pcapng"
    row = packets[packets["role"] == "duplicate"].iloc[0]
    ((comment,),) = fields(capture, f"frame.number == {row['frame']}", "frame.comment")
    assert comment == f"label=attack kind=duplication episode={row['episode']} role=duplicate technique=T0856"


def test_pcapng_holds_the_same_frames(run: Path) -> None:
    """The time in ns, the length and every byte of each frame equal those of the capture."""
    names = ("frame.time_epoch", "frame.len", "frame.cap_len", "tcp.payload", "eth.src", "tcp.seq_raw")
    pair = (run / "capture" / "day-1-000.pcap", run / "export" / "pcapng" / "day-1-000.pcapng")
    before, after = (fields(path, "frame", *names) for path in pair)
    assert before == after
    sums = [subprocess.run(["editcap", "-F", "nsecpcap", str(path), "-"], check=True, capture_output=True).stdout
            for path in pair]  # fmt: skip
    assert sums[0][24:] == sums[1][24:]


def read_log(path: Path) -> pd.DataFrame:
    """Return a Zeek log as its readers see it: names from ``#fields``, without comments, ``-`` as missing."""
    lines = path.read_text().splitlines()
    (head,) = (line.split("\t")[1:] for line in lines if line.startswith("#fields"))
    (types,) = (line.split("\t")[1:] for line in lines if line.startswith("#types"))
    assert len(types) == len(head)
    return pd.read_csv(path, sep="\t", comment="#", names=head, na_values="-", keep_default_na=False)


def test_zeek_has_a_row_a_flow_and_one_a_labelled_frame(run: Path, packets: pd.DataFrame) -> None:
    """conn.log has one row per flow, labels.log has one row per labelled frame, and ``uid`` joins them."""
    rows, folder = tables.read_level(run, "flows"), run / "export" / "zeek"
    conn, labels = read_log(folder / "conn.log"), read_log(folder / "labels.log")
    assert list(conn) == list(zeek.CONN)
    assert list(labels) == list(zeek.LABELS)
    assert conn["uid"].is_unique
    assert conn["orig_pkts"].tolist() == rows["fwd_packets"].tolist()
    assert conn["orig_bytes"].sum() + conn["resp_bytes"].sum() == rows["payload"].sum()
    carried = packets.loc[packets["flow"] >= 0, "ip_len"].sum()
    assert conn["orig_ip_bytes"].sum() + conn["resp_ip_bytes"].sum() == carried
    assert (conn["label"] == "attack").tolist() == (rows["label"] == 1).tolist()
    labelled = packets[(packets["label"] == 1) | (packets["benign"] == 1)]
    assert labels["frame"].tolist() == labelled["frame_in_file"].tolist()
    joined = labels.dropna(subset="uid").merge(conn, on="uid", suffixes=("", "_flow"))
    assert len(joined) == (labelled["flow"] >= 0).sum()
    assert (joined["episode"] == joined["episode_flow"]).all()


def test_zeek_logs_in_duckdb(run: Path) -> None:
    """DuckDB reads a log as tab-separated text after its header."""
    path = run / "export" / "zeek" / "conn.log"
    query = "select count(*) from read_csv(?, delim='\\t', header=false, comment='#', names=?)"
    (count,) = duckdb.execute(query, [str(path), list(zeek.CONN)]).fetchone() or (0,)
    assert count == len(tables.read_level(run, "flows"))


@pytest.mark.parametrize(
    ("frames", "state", "history"),
    [
        (["S", "H", "A", "D", "d", "F", "f"], "SF", "ShADdFf"),
        (["S"], "S0", "S"),
        (["S", "r"], "REJ", "Sr"),
        (["S", "H", "A"], "S1", "ShA"),
        (["S", "H", "A", "R"], "RSTO", "ShAR"),
        (["S", "H", "A", "r"], "RSTR", "ShAr"),
        (["S", "H", "A", "F"], "S2", "ShAF"),
        (["S", "H", "A", "f"], "S3", "ShAf"),
        (["D", "a"], "OTH", "Da"),
    ],
)
def test_zeek_states(tmp_path: Path, frames: list[str], state: str, history: str) -> None:
    """State and history of a connection follow Zeek's documentation; ``H`` is the answer to a SYN."""
    assert zeek_of(tmp_path, frames) == (state, history)


def zeek_of(folder: Path, frames: list[str]) -> tuple[str, str]:
    """Return conn_state and history of a run whose one connection has these frames; capitals are frames to the broker."""
    flags = {"S": 2, "H": 18, "A": 16, "D": 24, "F": 17, "R": 4}
    made_run.make(folder)
    capture = folder / "capture" / "day-1-000.pcap"
    (start, _), *_ = made_run.captured(capture)
    sent_frames = [
        frame((51_000, 1883), flags[letter.upper()], b"\xc0\x00" if letter in "Dd" else b"",
              back=letter.islower() or letter == "H", seq=100 + number)
        for number, letter in enumerate(frames)
    ]  # fmt: skip
    made_run.pcap(capture, [(start + number * 1_000_000, sent) for number, sent in enumerate(sent_frames)])
    packets = level_of([capture])
    tables.write(packets, folder / "dataset" / "packets", ("parquet",))
    tables.write(flows.build(packets, Cut()), folder / "dataset" / "flows", ("parquet",))
    (folder / MANIFEST).write_text(made_manifest(folder).model_dump_json())
    export(folder, ["zeek"])
    row = read_log(folder / "export" / "zeek" / "conn.log").iloc[0]
    return row["conn_state"], row["history"]


def test_eve_in_three_tools(run: Path, packets: pd.DataFrame) -> None:
    """An mqtt event for each request and its answer, an alert an attack frame, for pandas, DuckDB and Polars alike."""
    path = run / "export" / "eve" / "eve.json"
    requests = packets["mqtt_msgtype"].notna() & ~packets["mqtt_msgtype"].isin([2, 4])
    expected = {"mqtt": int(requests.sum()), "alert": int(packets["label"].sum())}
    by_pandas = pd.read_json(path, lines=True)["event_type"].value_counts().to_dict()
    by_polars = dict(pl.read_ndjson(path, infer_schema_length=None)["event_type"].value_counts().iter_rows())
    query = "select event_type, count(*) from read_json(?, format='newline_delimited') group by all"
    by_duckdb = dict(duckdb.execute(query, [str(path)]).fetchall())
    assert by_pandas == by_polars == by_duckdb == expected


def test_eve_names_techniques_of_attack_for_ics(run: Path, packets: pd.DataFrame) -> None:
    """Each alert has the technique of its frame's kind, a PUBLISH has topic and payload, and events are in order of time."""
    events = [json.loads(line) for line in (run / "export" / "eve" / "eve.json").read_text().splitlines()]
    alerts = [event for event in events if event["event_type"] == "alert"]
    marked = packets[packets["label"] == 1]
    assert [event["pcap_cnt"] for event in alerts] == marked["frame_in_file"].tolist()
    techniques = [event["alert"]["metadata"]["mitre_technique_id"] for event in alerts]
    assert techniques == [[KINDS[kind].technique] for kind in marked["kind"]]
    published = [event["mqtt"]["publish"] for event in events if "publish" in event.get("mqtt", {})]
    sent = packets[packets["mqtt_msgtype"] == 3]
    assert [message["message"] for message in published] == sent["mqtt_payload"].astype("str").tolist()
    assert {(message["topic"], message["qos"], message["dup"]) for message in published} == {
        ("IoT", 1, False)
    }
    stamps = [event["timestamp"] for event in events]
    assert stamps == sorted(stamps)
    assert len(set(eve.SIGNATURES.values())) == len(SHIPPED)


def test_all_or_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one format fails, no format remains, not even a finished one."""
    (tmp_path / "mine.txt").write_text("keep")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    broken = FORMATS | {"eve": FORMATS["eve"].__class__("", full)}
    monkeypatch.setattr("coldaisle_analysis.export.FORMATS", broken)
    with pytest.raises(InputError, match=r"the disk at .* is full"):
        export(run, ["csv", "eve"], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_formats_are_added_and_never_replaced(run: Path, tmp_path: Path) -> None:
    """A further format is added to the existing ones; an existing one is refused before anything is written."""
    out = tmp_path / "deep" / "out"
    assert export(run, ["csv", "csv"], out) == [out / "csv"]
    assert export(run, ["zeek"], out) == [out / "zeek"]
    with pytest.raises(InputError, match="csv: exists already"):
        export(run, ["eve", "csv"], out)
    assert sorted(path.name for path in out.iterdir()) == ["csv", "zeek"]


def test_a_capture_that_is_not_the_datasets(run: Path, tmp_path: Path) -> None:
    """A capture with another number of frames than the dataset is refused, and the error names it."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("export"))
    capture = copy / "capture" / "day-1-000.pcap"
    made_run.pcap(capture, made_run.captured(capture)[:-1])
    with pytest.raises(InputError, match=r"day-1-000\.pcap: holds 270 frames, but the dataset has 271 of it"):
        export(copy, ["pcapng"])
    assert not (copy / "export").exists()
