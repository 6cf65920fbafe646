"""Alerts in every format lead to their frame, and their scores are those of a model with the same alarms."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset, judge, score_early, tables
from coldaisle_analysis.decoding.arrays import NO_TIME
from coldaisle_analysis.judge import Judgement, Terms
from coldaisle_analysis.judging import formats
from coldaisle_analysis.judging.alerts import Alert, table_of
from coldaisle_analysis.judging.frames import Frames, community_id
from coldaisle_analysis.judging.matching import Matches, match
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.report import detectors
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST

Frame = dict[str, Any]
Judge = Callable[..., Judgement]
UID = "CAbCdEfGh1jkLmNoP2"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run made by hand."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(folder)
    dataset.write(dataset.build(folder), folder / "dataset")
    (folder / MANIFEST).write_text(made_manifest(folder).model_dump_json())
    return folder


@pytest.fixture(scope="module")
def packets(run: Path) -> pd.DataFrame:
    """Its frames."""
    return tables.read_level(run, "packets")


@pytest.fixture(scope="module")
def frame(packets: pd.DataFrame) -> Frame:
    """A frame of an attack on a connection, with its row; no other frame of its flow is as near in time as a microsecond."""
    attacks = packets[(packets["label"] == 1) & packets["tcp_srcport"].notna()]
    row = int(attacks.index[len(attacks) // 2])
    return {str(name): value for name, value in packets.loc[row].items()} | {"row": row}


@pytest.fixture
def judged(run: Path, tmp_path: Path) -> Judge:
    """Judge the text of a file on the run."""

    def call(text: str, file: str = "alerts.csv", **options: Any) -> Judgement:
        (tmp_path / file).write_text(text, encoding="utf-8")
        return judge.of_run(run, [tmp_path / file], Terms(**options))

    return call


def iso(time_ns: int) -> str:
    """Return a time as ISO 8601 with microseconds and its offset, as Suricata writes it."""
    return f"{np.datetime64(time_ns // 1000, 'us')}+0000"


def of_snort(time_ns: int, form: str = "%m/%d-%H:%M:%S") -> str:
    """Return a time as Snort writes it."""
    return f"{pd.Timestamp(time_ns).strftime(form)}.{time_ns % SECOND // 1000:06d}"


def files(at: Frame) -> dict[str, str]:
    """Return an alert on a frame in every format, by name."""
    src, dst, sport, dport = at["ip_src"], at["ip_dst"], int(at["tcp_srcport"]), int(at["tcp_dstport"])
    time_ns, number, file = int(at["time_ns"]), int(at["frame_in_file"]), at["file"]
    ts = f"{time_ns / SECOND:.6f}"
    ends = f"{src}:{sport} -> {dst}:{dport}"
    zeek = "#separator \\x09\n#unset_field\t-\n#path\t{}\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t{}\n"
    tuple_of = f"{src}\t{sport}\t{dst}\t{dport}"
    eve = {"timestamp": iso(time_ns), "event_type": "alert", "src_ip": src, "src_port": sport, "dest_ip": dst, "dest_port": dport,
           "proto": "TCP", "alert": {"signature": "x", "severity": 2}}  # fmt: skip
    idmef = {"Version": "2.0.3", "Analyzer": {"Name": "Slips"}, "Status": "Event", "Severity": "High", "StartTime": iso(time_ns),
             "CreateTime": "2026-06-01T00:00:00+00:00", "Source": [{"IP": src, "Port": [sport], "Note": "{}"}],
             "Target": [{"IP": dst, "Port": [dport]}], "Note": json.dumps({"uids": [UID]})}  # fmt: skip
    idea = {"Format": "IDEA0", "DetectTime": iso(time_ns), "Confidence": 0.5, "Source": [{"IP4": [src], "Port": [sport]}],
            "Target": [{"IP4": [dst], "Port": [dport]}], "uids": [UID]}  # fmt: skip
    two = ["1", "1", "0", "x", "TCP", src, str(sport), dst, str(dport), *[""] * 17]
    snort = {
        "timestamp": of_snort(time_ns),
        "pkt_num": number,
        "proto": "TCP",
        "src_ap": f"{src}:{sport}",
        "dst_ap": f"{dst}:{dport}",
    }
    return {
        "eve": json.dumps({"event_type": "mqtt"}) + "\n" + json.dumps(eve | {"pcap_cnt": number, "pcap_filename": f"/c/{file}"}),
        "eve without frame": json.dumps(eve),
        "eve from the answer": json.dumps(eve | {"src_ip": dst, "src_port": dport, "dest_ip": src, "dest_port": sport}),
        "notice.log": zeek.format("notice", "note") + f"{ts}\t{UID}\t{tuple_of}\tBad::Thing\n#close\t2026\n",
        "notice.log, JSON": json.dumps({"ts": float(ts), "uid": UID, "id.orig_h": src, "id.orig_p": sport, "id.resp_h": dst, "id.resp_p": dport}),
        "alert_fast of Snort 2": f"{of_snort(time_ns)}  [**] [1:9:1] x [**] [Classification: Bad] [Priority: 2] {{TCP}} {ends}\n",
        "alert_fast of Snort 3": f'{of_snort(time_ns)} [**] [1:9:1] "x" [**] [Priority: 0] {{TCP}} {ends}\n',
        "fast.log": f"{of_snort(time_ns, '%m/%d/%Y-%H:%M:%S')}  [**] [1:9:1] x [**] [Classification: (null)] [Priority: 3] {{TCP}} {ends}\n",
        "alert_csv of Snort 3": f"{of_snort(time_ns)}, {number}, TCP, raw, 60, C2S, {src}:{sport}, {dst}:{dport}, 1:9:1, allow\n",
        "alert_csv of Snort 2": f"{of_snort(time_ns)} ,{','.join(two)}\n",
        "alert_json": json.dumps(snort),
        "Slips": json.dumps(idmef),
        "Slips of old": json.dumps(idea),
        "Slips' alerts.log": f"{iso(time_ns).replace('-', '/').replace('T', ' ')} (TW 1): Src IP {src:26}. Detected x. threat level: low.\nno host\n",
        "conn.log.labeled": zeek.format("conn", "conn_state\tlabel   detailed-label") + f"{ts}\t{UID}\t{tuple_of}\tSF\tMalicious   DDoS\n",
        "frame number": f"frame,score\n{at['frame']},0.9\n",
        "frame number in a file": f"file;frame_in_file;alert\n{file};{number};1\n{file};{number + 1};0\n",
        "time and addresses": f"time,src,src_port,dst,dst_port,proto\n{time_ns},{src},{sport},{dst},{dport},6\n",
        "Community ID": f"timestamp,community_id\n{iso(time_ns)},{community_id(src, dst, sport, dport, 6)}\n",
        "JSON lines": json.dumps({"Time": time_ns / SECOND, "src_ip": src, "src_port": sport, "dst_ip": dst, "dst_port": dport}),
    }  # fmt: skip


@pytest.mark.parametrize("form", files(dict.fromkeys(
    ("ip_src", "ip_dst", "file"), "198.18.0.1") | dict.fromkeys(("tcp_srcport", "tcp_dstport", "time_ns", "frame", "frame_in_file"), 1)))  # fmt: skip
def test_every_format_leads_to_the_frame(
    packets: pd.DataFrame, frame: Frame, tmp_path: Path, form: str
) -> None:
    """One alert in each format is read as one, with a score above 0, and names the one frame that it is about."""
    path = tmp_path / "alerts"
    path.write_text(files(frame)[form], encoding="utf-8")
    reading = formats.read([path], int(packets["time_ns"].iloc[0]))
    matches = match(table_of(reading.alerts), Frames.of(packets), SECOND)
    assert len(reading.alerts) == 1
    assert matches.raised.tolist() == matches.row.tolist() == [frame["row"]]
    assert 0 < reading.alerts[0].score <= 1


def test_parquet(packets: pd.DataFrame, frame: Frame, run: Path, tmp_path: Path) -> None:
    """Rows of our own level packets are alerts where their label says so."""
    part = packets.iloc[frame["row"] - 20 : frame["row"] + 1]
    tables.write(part[["file", "frame_in_file", "label"]], tmp_path / "alerts", ("parquet",))
    row = judge.of_run(run, [tmp_path / "alerts.parquet"]).row
    assert row["alerts"] == row["matched"]["frame"] == row["true_positives"] == int(part["label"].sum())
    assert row["left_out"] == int((part["label"] == 0).sum())


def test_a_perfect_detector(run: Path, packets: pd.DataFrame, judged: Judge) -> None:
    """Alerts on all attack frames score as a classifier with the labels as its scores does, in every measure of its cases."""
    attacks = packets[packets["label"] == 1]
    row = judged("frame\n" + "\n".join(map(str, attacks["frame"])) + "\n").row
    assert (row["precision"], row["recall"], row["f1"], row["unmatched"]) == (1, 1, 1, 0)
    assert row["episodes_caught"] == row["episodes"] == attacks["episode"].nunique()
    assert all(hit == every for hit, every in row["episodes_per_kind"].values())
    expected = score_early(run, "packets", packets["label"] == 1)["connection"]
    threshold = row["early"]["connection"]["threshold"]
    assert threshold == {name: expected[name] for name in threshold}
    assert row["incidents_per_day"] == 0


@pytest.mark.parametrize("text", ["", "\n", '{"event_type": "flow"}\n', "frame\n"])
def test_no_alert_is_a_result(judged: Judge, text: str) -> None:
    """A detector that said nothing, whatever it wrote, has recall 0, no false alarm, and ERDE of one that never alarms."""
    row = judged(text).row
    assert (row["alerts"], row["precision"], row["recall"], row["incidents_per_day"]) == (0, 0, 0, 0)
    assert row["erde_5"] == pytest.approx(row["erde_5_bounds"][1])


def test_an_alert_without_a_frame_is_a_false_alarm(packets: pd.DataFrame, judged: Judge) -> None:
    """Ten alerts on hosts that are not there, an hour's quarter apart, are ten false alarms and as many incidents as lie in the capture."""
    days = float(np.ptp(packets["time_ns"])) / SECOND / 86_400
    start = int(packets["time_ns"].min()) // SECOND
    lines = [f"{start + 100 * number},192.0.2.1,192.0.2.2" for number in range(10)]
    judgement = judged("\n".join(["time,src,dst", *lines]))
    row = judgement.row
    assert (row["unmatched"], row["false_positives"], row["precision"]) == (10, 10, 0)
    assert row["unmatched_per_day"] == row["false_alarms_per_day"] == pytest.approx(10 / days)
    assert row["incidents_per_day"] == pytest.approx(1 / days), (
        "they follow each other within a quarter of an hour"
    )
    assert "10 of 10 alerts match no frame" in judgement.remarks[0]


def test_a_connection_is_known_at_its_end(packets: pd.DataFrame, frame: Frame, judged: Judge) -> None:
    """A verdict on a connection speaks of all of its frames, and raises no alarm before the last of them."""
    flow = packets[packets["flow"] == frame["flow"]]
    first, last = int(flow["time_ns"].min()), int(flow["time_ns"].max())
    head = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tduration\tconn_state\tlabel\n"
    cells = [
        f"{first / SECOND:.6f}",
        UID,
        frame["ip_src"],
        int(frame["tcp_srcport"]),
        frame["ip_dst"],
        int(frame["tcp_dstport"]),
    ]
    duration = (last - first) / SECOND + 0.001
    row = judged(head + "\t".join(map(str, [*cells, duration, "SF", "malicious"])) + "\n", "conn.log").row
    assert row["true_positives"] + row["false_positives"] == len(flow)
    assert row["model"] == "zeek"
    assert row["seconds_to_detect"] >= 0 or row["caught_cases"] == 0
    assert (
        judged(head + "\t".join(map(str, [*cells, duration, "SF", "benign"])) + "\n", "conn.log").row[
            "alerts"
        ]
        == 0
    )


def test_a_uid_names_a_connection(packets: pd.DataFrame, frame: Frame, run: Path, tmp_path: Path) -> None:
    """An alert that has no more than a uid gets addresses and time of the connection of that name in a conn.log beside it."""
    flow = packets[packets["flow"] == frame["flow"]]
    first, duration = int(flow["time_ns"].min()), float(np.ptp(flow["time_ns"])) / SECOND + 0.001
    conn = {"ts": first / SECOND, "uid": UID, "id.orig_h": frame["ip_src"], "id.orig_p": int(frame["tcp_srcport"]),
            "id.resp_h": frame["ip_dst"], "id.resp_p": int(frame["tcp_dstport"]), "duration": duration, "conn_state": "SF"}  # fmt: skip
    (tmp_path / "conn.log").write_text(json.dumps(conn) + "\n")
    (tmp_path / "mine.csv").write_text(f"uid,score\n{UID},0.7\n")
    row = judge.of_run(run, [tmp_path / "mine.csv", tmp_path / "conn.log"], Terms(name="mine")).row
    assert (row["model"], row["alerts"], row["matched"]["flow"]) == ("mine", 1, 1)
    assert row["true_positives"] + row["false_positives"] == len(flow)


def matches_of(packets: pd.DataFrame, path: Path, within_s: float = 1.0) -> Matches:
    """Return the frames of the alerts in a file."""
    reading = formats.read([path], int(packets["time_ns"].iloc[0]))
    return match(table_of(reading.alerts), Frames.of(packets), round(within_s * SECOND))


@pytest.mark.parametrize(
    ("ahead_s", "within_s", "is_found"), [(0.5, 1.0, True), (400.0, 1.0, False), (0.5, 0.1, False)]
)
def test_time_has_a_tolerance(
    packets: pd.DataFrame, frame: Frame, tmp_path: Path, ahead_s: float, within_s: float, is_found: bool
) -> None:
    """The frame of a flow is found as far from the alert's time as the tolerance allows, and no further."""
    flow = packets[packets["flow"] == frame["flow"]]
    first = int(flow["time_ns"].min()) - round(ahead_s * SECOND)
    text = f"ts,src,src_port,dst,dst_port\n{first},{frame['ip_src']},{frame['tcp_srcport']},{frame['ip_dst']},{frame['tcp_dstport']}\n"
    (tmp_path / "a.csv").write_text(text)
    found = matches_of(packets, tmp_path / "a.csv", within_s)
    assert found.raised.tolist() == [flow.index[0] if is_found else -1]


def test_a_frame_number_that_contradicts_is_not_believed(
    packets: pd.DataFrame, frame: Frame, tmp_path: Path
) -> None:
    """Where the frame of that number has other addresses, the alert's flow and time decide; Suricata counts a folder's frames in one go."""
    text = files(frame)["eve"].replace(f'"pcap_cnt": {frame["frame_in_file"]}', '"pcap_cnt": 1')
    (tmp_path / "eve.json").write_text(text)
    found = matches_of(packets, tmp_path / "eve.json")
    assert found.counts() == {"frame": 0, "flow": 1, "hosts": 0, "source": 0}
    assert found.raised.tolist() == [frame["row"]]


def test_a_flow_that_was_given_up(packets: pd.DataFrame, frame: Frame, tmp_path: Path) -> None:
    """An alert that Suricata raises minutes after a flow has ended speaks of the last frame of the flow alone."""
    flow = packets[packets["flow"] == frame["flow"]]
    event = json.loads(files(frame)["eve without frame"])
    late = {
        "timestamp": iso(int(flow["time_ns"].max()) + 300 * SECOND),
        "flow": {"start": iso(int(flow["time_ns"].min()))},
    }
    (tmp_path / "eve.json").write_text(json.dumps(event | late))
    found = matches_of(packets, tmp_path / "eve.json")
    assert found.raised.tolist() == found.row.tolist() == [flow.index[-1]]


def test_hosts_and_senders(packets: pd.DataFrame, frame: Frame, tmp_path: Path) -> None:
    """Without ports the hosts decide, with one address the sender does, and ARP has the addresses that it claims."""
    asked = packets[packets["arp_src_ip"].notna()].iloc[0]
    lines = [
        f"{frame['time_ns']},{frame['ip_src']},{frame['ip_dst']}",
        f"{frame['time_ns']},{frame['ip_src']},",
        f"{asked['time_ns']},{asked['arp_src_ip']},{asked['arp_dst_ip']}",
    ]
    (tmp_path / "a.csv").write_text("\n".join(["time,src,dst", *lines]))
    found = matches_of(packets, tmp_path / "a.csv")
    assert found.counts() == {"frame": 0, "flow": 0, "hosts": 2, "source": 1}
    assert found.raised.tolist() == [frame["row"], frame["row"], asked.name]


def test_community_ids_are_those_of_the_specification() -> None:
    """An example of the specification's own tests, in both directions."""
    ends = ("128.232.110.120", "66.35.250.204", 34855, 80)
    assert community_id(*ends, 6) == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
    assert community_id(ends[1], ends[0], ends[3], ends[2], 6) == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("what is this\n", "is of no known format"),
        ('{"event_type": "alert"\n', "is of no known format"),
        ('{"event_type": "flow"}\n{"event_type": "al', "line 2: is not JSON"),
        ("frame\nx\n", "line 2: frame number is 'x'"),
        ("frame\n0\n", "line 2: frame number is '0'"),
        ("frame,score\n1\n", "line 2: has 1 cells, the header 2"),
        ("time,src\nyesterday,198.18.0.1\n", "line 2: time is 'yesterday'"),
        ("time,src\n02/03/2026 10:00,198.18.0.1\n", "line 2: time is"),
        ("time,src\n1e99,198.18.0.1\n", "line 2: time is"),
        ("time,src\n1,broker\n", "line 2: src is 'broker'"),
        ("time,src,src_port\n1,198.18.0.1,99999\n", "line 2: source port is '99999'"),
        ("time,end,src\n9,8,198.18.0.1\n", "line 2: end is '8'"),
        ("frame,score\n1,inf\n", "line 2: score is 'inf'"),
        ("#fields\tts\tuid\n1.0\n", "line 2: has 1 cells, #fields names 2"),
        (
            "02/30-10:00:00.000000  [**] [1:1:1] x [**] [Priority: 0] {TCP} 198.18.0.1:1 -> 198.18.0.2:2\n",
            "line 1: time is",
        ),
    ],
)
def test_bad_alerts_are_one_sentence(judged: Judge, text: str, part: str) -> None:
    """It names file, line, value and what would be right."""
    with pytest.raises(InputError, match=r"alerts\.csv") as refused:
        judged(text)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("options", "place"), [({"name": "a/b"}, "--name"), ({"within_s": -1.0}, "--within")]
)
def test_bad_options_are_refused(judged: Judge, options: dict[str, Any], place: str) -> None:
    """A name that is no file name, and a tolerance below 0."""
    with pytest.raises(InputError, match=place):
        judged("frame\n1\n", **options)


def test_a_threshold_and_a_budget(packets: pd.DataFrame, judged: Judge) -> None:
    """Rows below the threshold are no alerts, whatever they match; a prediction beside a label decides, and the label does not."""
    clean = packets[(packets["label"] == 0) & packets["episode"].isna()]
    scores = pd.DataFrame({"frame": packets["frame"], "score": np.where(packets["label"] == 1, 0.9, 0.2)})
    text = scores.to_csv(index=False)
    assert judged(text).row["recall"] == 1
    assert judged(text).row["false_positives"] == len(packets) - int(packets["label"].sum()) >= len(clean)
    row = judged(text, least=0.5).row
    assert (row["precision"], row["recall"], row["alerts"]) == (1, 1, int(packets["label"].sum()))
    assert row["left_out"] == len(packets) - row["alerts"]
    predicted = scores.assign(label=1, prediction=(scores["score"] > 0.5).astype(int)).drop(columns="score")
    assert judged(predicted.to_csv(index=False)).row["precision"] == 1


def test_numbers_of_several_files(packets: pd.DataFrame) -> None:
    """A number without a file counts through all captures, or in the file whose frame of that number agrees in addresses and time."""
    half = packets.assign(
        file=np.where(packets["frame"] <= 100, "a.pcap", "b.pcap"),
        frame_in_file=np.where(packets["frame"] <= 100, packets["frame"], packets["frame"] - 100),
    )
    frames, at = Frames.of(half), half[half["tcp_srcport"].notna()].iloc[-1]
    src, dst = (str(at[name]) for name in ("ip_src", "ip_dst"))
    facts = {"src": src, "dst": dst, "time_ns": int(at["time_ns"])}
    numbers = [
        (int(at["frame"]), None),
        (int(at["frame_in_file"]), None),
        (int(at["frame_in_file"]), "b.pcap"),
    ]
    alerts = [Alert("x", number=number, file=file, **facts) for number, file in numbers]  # type: ignore[arg-type]
    found = match(table_of(alerts), frames, SECOND)
    assert found.raised.tolist() == [at.name] * 3
    assert found.counts()["frame"] == 3


def test_packed_logs(packets: pd.DataFrame, frame: Frame, tmp_path: Path) -> None:
    """A log packed with gzip is read as it is, and one that was cut off is one sentence."""
    packed = gzip.compress(files(frame)["notice.log"].encode())
    (tmp_path / "notice.log.gz").write_bytes(packed)
    assert matches_of(packets, tmp_path / "notice.log.gz").raised.tolist() == [frame["row"]]
    (tmp_path / "cut.gz").write_bytes(packed[:-12])
    with pytest.raises(InputError, match="gzip"):
        matches_of(packets, tmp_path / "cut.gz")


def test_a_report_shows_detectors_beside_our_models(
    analysed_run: Path, packets: pd.DataFrame, judged: Judge, tmp_path: Path
) -> None:
    """The section stands once, with every detector and our models; the rest of the page is as it was, and an older page gets it, too."""
    folder = Path(shutil.copytree(analysed_run / "analyses" / "001", tmp_path / "copy"))
    report, before = (
        folder / "report" / "index.html",
        (analysed_run / "report" / "index.html").read_text("utf-8"),
    )
    report.write_text(before.replace(detectors.BEGIN, "").replace(detectors.END, ""), "utf-8")
    text = packets.loc[packets["label"] == 1, ["frame"]].to_csv(index=False)
    for name in ("ours", "theirs"):
        judge.add(judged(text, name=name), folder)
        page = report.read_text("utf-8")
        assert page.count('<section id="detectors">') == 1
        assert f"{name}, kind by kind" in page
    assert "ours, kind by kind" in page
    assert all(MODELS[row["model"]].title in page for row in judge.models_of(folder))
    head, _, rest = page.partition(detectors.BEGIN)
    outside = head + rest.partition(detectors.END)[2]
    assert outside.split() == before.replace(detectors.BEGIN, "").replace(detectors.END, "").split()


def test_a_run_of_an_older_version_is_judged(packets: pd.DataFrame, tmp_path: Path) -> None:
    """Columns that only later versions write are not needed, so the result is the same without one."""
    (tmp_path / "alerts.csv").write_text("frame\n7\n9\n")
    older = packets.drop(columns=["series", "value_run"])
    rows = [judge.of_packets(table, [tmp_path / "alerts.csv"]).row for table in (packets, older)]
    assert json.dumps(rows[0]) == json.dumps(rows[1])


def test_frames_without_a_time(packets: pd.DataFrame, frame: Frame, tmp_path: Path) -> None:
    """A frame that has no time is near no alert, and its number still names it."""
    timeless = packets.assign(
        time_ns=np.where(packets["frame"] == frame["frame"], NO_TIME, packets["time_ns"])
    )
    other = packets.iloc[0]
    (tmp_path / "a.csv").write_text(
        f"frame,time\n{frame['frame']},\n{frame['frame']},{frame['time_ns']}\n{other['frame']},{other['time_ns']}\n"
    )
    reading = formats.read([tmp_path / "a.csv"], int(frame["time_ns"]))
    found = match(table_of(reading.alerts), Frames.of(timeless), SECOND)
    assert found.raised.tolist() == [frame["row"], -1, 0]
