"""A clean hour, shards and seeds: tshark finds no errors, and equal runs have equal outcomes."""

from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import remarks

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import semantic_digest, settle
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding
from coldaisle_testbed.obedience.observed import count, fields

pytestmark = pytest.mark.netns
BASE = {"seed": 5, "first_day": "2026-03-02", "time_zone": "Europe/Madrid"}
EPISODES = (
    {"kind": "removal", "unit": "inrow-13", "day": 1, "start": "05:00", "readings": 1},
    {
        "kind": "modification",
        "unit": "inrow-25",
        "day": 2,
        "start": "07:00",
        "readings": 2,
        "variant": "drift",
    },
    {"kind": "duplication", "unit": "inrow-15", "day": 2, "start": "09:00", "readings": 1, "variant": "once"},
)


def _play(folder: Path, shards: int = 1, **scenario: Any) -> tuple[Plan, Path]:
    plan = build_plan(Scenario.model_validate({**BASE, **scenario}))
    shard_folders.prepare(folder, plan)
    sharding.play(plan, folder, shards, lambda _: None)
    return plan, folder


def _sysctls() -> dict[str, str]:
    """Return this machine's own values of the network settings that the engine changes in its namespaces."""
    names = ("ipv4/ip_forward", "ipv6/conf/all/disable_ipv6", "ipv6/conf/default/disable_ipv6")
    paths = [path for name in names if (path := Path("/proc/sys/net") / name).exists()]
    return {str(path): path.read_text() for path in paths}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour without episodes."""
    before = _sysctls()
    _, stage = _play(tmp_path_factory.mktemp("clean") / "run", name="clean", duration_h=1)
    assert _sysctls() == before
    return stage


def test_tshark_has_nothing_against_a_clean_hour(clean: Path) -> None:
    """In the retimed and the raw capture tshark reports no wrong checksum, retransmission, unseen segment or other error.

    One in 65,536 TCP checksums that Linux computes itself is 0xffff in place of 0; retiming writes 0.
    """
    for folder, meant in (("capture", ()), ("capture/raw", ("TCP Checksum 0xffff instead of 0x0000",))):
        (path,) = (clean / folder).glob("*.pcap")
        assert [remark for remark in remarks(path) if not remark.partition(": ")[2].startswith(meant)] == []
        assert count(path, "tcp.analysis.flags && !tcp.analysis.window_update") == 0


def test_clean_time_never_goes_backwards(clean: Path) -> None:
    """After retiming, packet times and the TCP timestamps of every connection never decrease."""
    (path,) = (clean / "capture").glob("*.pcap")
    assert count(path, "frame.time_delta < 0") == 0
    newest: dict[str, int] = {}
    for *ends, value in fields(path, "tcp", "tcp.stream", "ip.src", "tcp.options.timestamp.tsval"):
        name = " ".join(ends)
        assert int(value) >= newest.get(name, 0)
        newest[name] = int(value)
    assert len(newest) == 32


def test_tcp_timestamps_tell_the_packets_time(clean: Path) -> None:
    """Over an hour, a connection's TSval and its packet times advance alike, to a few milliseconds."""
    (path,) = (clean / "capture").glob("*.pcap")
    rows = fields(
        path, "tcp.stream == 0 && tcp.dstport == 1883", "frame.time_epoch", "tcp.options.timestamp.tsval"
    )
    (first, low), (last, high) = rows[0], rows[-1]
    assert float(last) - float(first) == pytest.approx((int(high) - int(low)) / 1000, abs=0.02)


def test_clean_hour_conserves_every_reading_and_has_no_attacker(clean: Path) -> None:
    """Without episodes every reading is delivered and the attacker sends no frame."""
    assert ledger.check(clean) == []
    (path,) = (clean / "capture").glob("*.pcap")
    assert count(path, "eth.src == 02:42:c6:12:00:42") == 0


def test_same_semantic_trace_whatever_the_shards(tmp_path: Path) -> None:
    """Two days in one shard, in two shards and a second time give the same senders, times and fates."""
    scenario = {
        "name": "coarse",
        "duration_h": 48,
        "interval_s": 3600,
        "keepalive_s": 7200,
        "episodes": EPISODES,
    }
    digests = []
    for number, shards in enumerate((1, 2, 2)):
        _, stage = _play(tmp_path / str(number), shards, **scenario)
        assert len(list((stage / "capture").glob("*.pcap"))) == shards
        assert ledger.check(stage) == []
        digests.append(semantic_digest(settle(stage)))
    assert len(set(digests)) == 1


def test_real_time_plays_without_skipping(tmp_path: Path) -> None:
    """With ``time = "real"`` the same code runs with a constant offset."""
    _, stage = _play(
        tmp_path / "run", name="real", duration_h=10 / 3600, interval_s=10, units=("inrow-13",), time="real"
    )
    assert ledger.check(stage) == []
    assert len((stage / "journal" / "timeline.jsonl").read_text().splitlines()) == 1
