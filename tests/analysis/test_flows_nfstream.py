"""Flow statistics, compared with those of NFStream 6.6 on the same capture, and every difference of definition.

The differences, also in docs/dataset.md: NFStream has times in whole ms. It identifies a flow by its addresses and ports alone,
while a new SYN starts a new connection here. It writes 0 where nothing was measured. It has flows of every IP protocol.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nfstream import NFStreamer  # type: ignore[import-untyped]
from tests.analysis import made_run
from tests.analysis.made_frames import SYN, UDP, frame, level_of

from coldaisle_analysis.columns import columns
from coldaisle_analysis.dataset.aggregates import flows
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_contracts.clock import SECOND

MILLI = 1_000_000
START = 1_772_406_000 * SECOND
COMPARED = [column for column in columns("flows") if column.nfstream]
SHARED_KEY = ["first_ns", "ip_proto", "ip_src", "src_port", "ip_dst", "dst_port"]


def nfstream(pcap: Path, cut: Cut) -> pd.DataFrame:
    """Return NFStream's flows of TCP and UDP under our column names, in s and ns."""
    streamer = NFStreamer(str(pcap), idle_timeout=int(cut.idle_s), active_timeout=int(cut.active_s),
                          statistical_analysis=True, n_dissections=0, n_meters=1)  # fmt: skip
    flows_read = streamer.to_pandas()
    flows_read = flows_read[flows_read["protocol"].isin([6, 17])]
    per_unit = {"s": 1e-3, "ns": float(MILLI)}
    return pd.DataFrame(
        {column.name: flows_read[column.nfstream] * per_unit.get(column.unit, 1)
         if column.numeric else flows_read[column.nfstream] for column in COMPARED}
    )  # fmt: skip


def in_its_terms(frames: pd.DataFrame) -> pd.DataFrame:
    """Return frames as NFStream sees them: times in whole ms, and one connection for the same addresses and ports."""
    ends = [
        frames[ip].astype("str") + " " + frames[f"tcp_{port}"].fillna(frames[f"udp_{port}"]).astype("str")
        for ip, port in (("ip_src", "srcport"), ("ip_dst", "dstport"))
    ]
    pair = np.sort(np.column_stack(ends).astype(object), axis=1)
    keys = [frames["ip_proto"].fillna(0).to_numpy(), pair[:, 0], pair[:, 1]]
    connection = frames.groupby(keys, sort=False).ngroup()
    return frames.assign(
        time_ns=frames["time_ns"] // MILLI * MILLI, flow=connection.where(frames["flow"] >= 0, -1)
    )


def disagreements(pcap: Path, cut: Cut) -> list[str]:
    """Return a sentence for each column that differs from NFStream's."""
    ours, theirs = flows.build(in_its_terms(level_of([pcap])), cut), nfstream(pcap, cut)
    ours = ours.astype({"ip_src": "str", "ip_dst": "str"})
    ours, theirs = (table.sort_values(SHARED_KEY, ignore_index=True) for table in (ours, theirs))
    if len(ours) != len(theirs):
        return [f"{len(ours)} flows, NFStream has {len(theirs)}"]
    sentences = []
    for column in COMPARED:
        mine, its = ours[column.name], theirs[column.name]
        if column.numeric:
            same = np.isclose(mine.fillna(0).to_numpy(float), its.to_numpy(float), rtol=1e-6, atol=1e-6)
        else:
            same = mine.to_numpy(object) == its.to_numpy(object)
        if not same.all():
            at = int(np.argmin(same))
            sentences.append(
                f"{column.name}: {(~same).sum()} differ, the first {mine[at]!r} against {its[at]!r}"
            )
    return sentences


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random capture: 40 pairs of ports, TCP and UDP, all flags, pauses around both timeouts."""
    rng = np.random.default_rng(5)
    frames = []
    for number in range(40):
        at, proto = START + int(rng.integers(0, 60 * SECOND)), UDP if number % 5 == 0 else 6
        for _ in range(int(rng.integers(1, 120))):
            pause = rng.choice(
                [0, 1, 50, 20_000, 119_999, 120_000, 120_001], p=[0.1, 0.3, 0.3, 0.24, 0.02, 0.02, 0.02]
            )
            at += int(pause) * MILLI + int(rng.integers(0, MILLI)) * (pause < 100_000)
            flags, back = int(rng.integers(0, 256)) & ~SYN, bool(rng.integers(0, 2))
            sent = bytes(int(rng.integers(0, 900)))
            frames.append((at, frame((40_000 + number, 1883), flags, sent, back=back, proto=proto)))
    path = tmp_path_factory.mktemp("drawn") / "drawn.pcap"
    made_run.pcap(path, sorted(frames))
    return path


@pytest.mark.parametrize("cut", [Cut(), Cut(idle_s=20, active_s=60), Cut(idle_s=3600, active_s=120)])
def test_a_drawn_capture(drawn: Path, cut: Cut) -> None:
    """On a random capture every attribute of every flow equals NFStream's, with its default timeouts and with others."""
    assert disagreements(drawn, cut) == []


def test_a_run(tmp_path: Path) -> None:
    """On the capture of a run, with MQTT and ARP, every attribute equals NFStream's."""
    made_run.make(tmp_path)
    assert disagreements(tmp_path / "capture" / "day-1-000.pcap", Cut()) == []


@pytest.mark.dad
def test_a_published_day(dad: Path) -> None:
    """On a published day, where not all stamps are in order, every attribute equals NFStream's."""
    assert disagreements(min(dad.glob("*.pcap")), Cut()) == []


def test_timeouts_end_a_flow_when_they_are_reached(tmp_path: Path) -> None:
    """A pause of exactly the idle timeout ends a flow and a pause 1 ms shorter does not; the active timeout likewise."""
    path = tmp_path / "edges.pcap"
    paused = [(0, 40_001), (119_999, 40_001), (0, 40_002), (120_000, 40_002)]
    steady = [(100_000 * step, 40_003) for step in range(19)]
    stamps = sorted((START + at * MILLI, frame((port, 1883))) for at, port in paused + steady)
    made_run.pcap(path, stamps)
    table = flows.build(level_of([path]), Cut())
    assert table.groupby("src_port")["packets"].agg(list).tolist() == [[2], [1, 1], [18, 1]]
    assert disagreements(path, Cut()) == []


def test_a_new_syn_starts_a_flow_here_and_not_there(tmp_path: Path) -> None:
    """Two connections from one pair of ports within the timeout are two flows here and one flow in NFStream."""
    path = tmp_path / "reused.pcap"
    opened = [frame((40_000, 1883), SYN, seq=number) for number in (100, 9_000)]
    made_run.pcap(path, [(START + number * SECOND, sent) for number, sent in enumerate(opened)])
    assert len(flows.build(level_of([path]), Cut())) == 2
    assert len(nfstream(path, Cut())) == 1
    assert disagreements(path, Cut()) == []


def test_what_was_not_measured_is_missing_here_and_zero_there(tmp_path: Path) -> None:
    """One frame has no deviation, no inter-arrival time and no other direction: they are missing here and 0 in NFStream."""
    path = tmp_path / "single.pcap"
    made_run.pcap(path, [(START, frame((40_000, 1883)))])
    (ours,), (theirs,) = (
        table.to_dict("records") for table in (flows.build(level_of([path]), Cut()), nfstream(path, Cut()))
    )
    unmeasured = ["size_std", "iat_min", "iat_mean", "iat_std", "iat_max", "bwd_duration", "bwd_size_mean"]
    assert all(np.isnan(ours[name]) and theirs[name] == 0 for name in unmeasured)
    assert (ours["duration"], ours["bwd_packets"]) == (0, 0)


def test_only_tcp_and_udp_are_flows(tmp_path: Path) -> None:
    """An ICMP message is a flow in NFStream and none here."""
    path = tmp_path / "icmp.pcap"
    made_run.pcap(path, [(START, frame((0, 0), proto=1, payload=bytes(32)))])
    assert len(NFStreamer(str(path), n_dissections=0, n_meters=1).to_pandas()) == 1
    assert flows.build(level_of([path]), Cut()).empty
