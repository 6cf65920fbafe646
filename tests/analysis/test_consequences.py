"""Consequences on a unit's connections follow from the unit's journal, even if a kernel uses a port or a segment again."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis import made_run
from tests.analysis.made_run import ACK, MILLI, PSH, Connection, Recorder
from tests.published import UNITS

from coldaisle_analysis.truth import custody, evidence
from coldaisle_analysis.truth.readings import settle
from coldaisle_contracts.clock import SECOND

FIN = 1
UNIT = UNITS["inrow-13"]
PORT, OTHER = 40_001, 45_555
"""The port of client 131, and the port of its second connection."""


def _write(run: Path, recorder: Recorder) -> None:
    """Add the frames of a recorder to both captures of a run, and its lines to the journals."""
    retimed = [(at, frame) for at, _, frame in recorder.frames]
    raw = [(at - made_run.OFFSET, frame) for at, frame, _ in recorder.frames]
    for folder, fresh in (("capture", retimed), ("capture/raw", raw)):
        path = run / folder / "day-1-000.pcap"
        made_run.pcap(path, sorted([*made_run.captured(path), *fresh], key=lambda pair: pair[0]))
    for name, lines in {**recorder.units, "injector": recorder.injector}.items():
        with (run / "journal" / f"{name}.jsonl").open("a") as file:
            file.writelines(json.dumps({**line, "shard": made_run.SHARD}) + "\n" for line in lines)


def _connect(port: int, was: int, at: int, reason: str = "lost") -> dict[str, Any]:
    return {"event": "connect", "client": "131", "name": "131", "port": port, "at_ns": at, "reason": reason,
            "was": was, "episode": ""}  # fmt: skip


def _closed(recorder: Recorder, at: int, conn: Connection) -> None:
    """Close a connection: both sides send FIN."""
    recorder.upward(at, conn, FIN | ACK)
    recorder.downward(at + MILLI, conn, FIN | ACK)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run in which client 131 is expelled, connects from another port, and then connects from its first port."""
    planned = made_run.make(tmp_path / "run")
    recorder = Recorder(planned)
    start = planned.reading_ns(8, UNIT.name) + 10 * SECOND
    first = Connection(UNIT, PORT, "131", up=5000, down=6000)
    second = Connection(UNIT, OTHER, "131", up=100, down=200)
    third = Connection(UNIT, PORT, "131", up=90_000, down=80_000)
    episode = planned.episodes[0].id
    recorder.act(
        start, first, 8, 0, episode, operation="reset", before=None, after=None, copy=0, client="131"
    )
    _closed(recorder, start + MILLI, first)
    recorder.open(start + SECOND, second)
    _closed(recorder, start + 2 * SECOND, second)
    recorder.open(start + 3 * SECOND, third)
    _closed(recorder, start + 4 * SECOND, third)
    recorder.units[UNIT.name] = [
        _connect(OTHER, PORT, start + SECOND - MILLI),
        _connect(PORT, OTHER, start + 3 * SECOND - MILLI, reason="start"),
    ]
    _write(tmp_path / "run", recorder)
    return tmp_path / "run"


def _labels(run: Path) -> pd.DataFrame:
    """Return ports, flags and labels of the frames of client 131's last connections."""
    account = settle(run)
    packets = account.evidence.trace.packets
    table = packets[["tcp_srcport", "tcp_dstport", "tcp_fin", "time_ns"]].join(account.join.table)
    start = account.evidence.plan.reading_ns(8, UNIT.name) + 10 * SECOND
    return table[table["time_ns"] >= start]


def test_port_given_again_is_another_connection(run: Path) -> None:
    """The consequences of an attack end with the connection that it made necessary; the next one from the same port is normal."""
    table = _labels(run)
    second = (table["tcp_srcport"] == OTHER) | (table["tcp_dstport"] == OTHER)
    assert len(table) == 2 + 7 + 7
    assert table["label"].tolist() == [1, 1, *[1] * 5, 1, 1, *[0] * 7]
    assert set(table.loc[second, "role"]) == {"consequence"}
    assert table["role"].iloc[-7:].isna().all()


def test_line_accounts_for_one_connection_only(run: Path) -> None:
    """A second connection from a known port is unexplained if no unit recorded it."""
    assert len(custody.unexplained(settle(run))) == 0
    planned = evidence.load(run).plan
    recorder = Recorder(planned)
    later = planned.reading_ns(8, UNIT.name) + 20 * SECOND
    recorder.open(later, Connection(UNIT, PORT, "131", up=700, down=800))
    _write(run, recorder)
    assert len(custody.unexplained(settle(run))) == 5


def test_repeated_segment_of_a_reading_under_an_own_episode_counts(tmp_path: Path) -> None:
    """A segment that the kernel sends again carries the same reading, although the broker discards it."""
    planned = made_run.make(tmp_path / "run")
    run = tmp_path / "run"
    path = run / "journal" / "inrow-13.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    sent_ns = 0
    for line in lines:
        if line["event"] == "reading" and (line["client"], line["slot"]) == ("131", 7):
            line["episode"], line["acked_ns"] = planned.episodes[0].id, line["sent_ns"] + SECOND
            sent_ns = line["sent_ns"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    recorder = Recorder(planned)
    again = Connection(UNIT, PORT, "131", up=1000, down=2000)
    recorder.upward(sent_ns + 500 * MILLI, again, PSH | ACK, made_run.publish(made_run.value(1, 7), 8))
    _write(run, recorder)
    account = settle(run)
    rows = account.join.table[account.join.table["role"] == "consequence"]
    assert len(rows) == 2
    assert set(rows["episode"]) == {planned.episodes[0].id}


def test_equal_readings_of_other_sensors_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sensors of a unit with the same value and message id send equal bytes; only those of the faulty sensor belong to its episode."""
    monkeypatch.setattr(made_run, "value", lambda _, slot: f"{20 + slot / 100:.2f}")
    planned = made_run.make(tmp_path / "run")
    path = tmp_path / "run" / "journal" / "inrow-13.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["event"] == "reading" and (line["client"], line["slot"]) == ("132", 7):
            line["episode"] = planned.episodes[0].id
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    account = settle(tmp_path / "run")
    (row,) = account.join.table.index[account.join.table["role"] == "consequence"]
    assert account.evidence.trace.packets["tcp_srcport"][row] == PORT + 1
