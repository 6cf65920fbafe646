"""Sealing: packets are counted and hashed, and an incomplete capture is refused."""

from pathlib import Path

import pytest
from tests.analysis.made_run import ethernet, pcap
from tests.published import UNITS

from coldaisle_capture.seal import seal
from coldaisle_capture.tcpdump import CaptureError, Tally
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.journal import Journal, read_journal
from coldaisle_contracts.journal_lines import OffsetLine
from coldaisle_contracts.manifest import sha256_of

FRAME = ethernet(UNITS["inrow-13"].mac, BROKER.mac, 0x0806, bytes(28))
SHARD = "day-1"


def _run(folder: Path, counts: tuple[int, ...] = (3, 2)) -> list[Path]:
    """Make a run's folder with a timeline and raw captures with these numbers of packets; return the captures."""
    (folder / "capture" / "raw").mkdir(parents=True)
    (folder / "journal").mkdir()
    timeline = Journal(folder / "journal" / "timeline.jsonl", SHARD)
    timeline.write(OffsetLine(wall_ns=0, offset_ns=1_000))
    timeline.close()
    raws = [folder / "capture" / "raw" / f"{SHARD}.tcpdump{number or ''}" for number in range(len(counts))]
    for raw, count in zip(raws, counts, strict=True):
        pcap(raw, [(10**18 + number, FRAME) for number in range(count)])
    return raws


def _seal(folder: Path, raws: list[Path], tally: Tally) -> None:
    journal = Journal(folder / "journal" / "capture.jsonl", SHARD)
    try:
        seal(folder, SHARD, raws, tally, journal)
    finally:
        journal.close()


def test_every_file_is_counted_and_hashed(tmp_path: Path) -> None:
    """Each raw capture gets a number, a retimed copy, and a journal line with counts and both hashes."""
    _seal(tmp_path, _run(tmp_path), Tally(captured=5, dropped=0))
    lines = list(read_journal(tmp_path / "journal" / "capture.jsonl"))
    assert [line["packets"] for line in lines] == [3, 2]
    assert [line["kernel_drops"] for line in lines] == [0, 0]
    for number, line in enumerate(lines):
        assert line["file"] == f"capture/{SHARD}-00{number}.pcap"
        assert line["raw"] == f"capture/raw/{SHARD}-00{number}.pcap"
        assert line["sha256"] == sha256_of(tmp_path / line["file"]) != line["raw_sha256"]
        assert line["raw_sha256"] == sha256_of(tmp_path / line["raw"])


def test_a_drop_is_refused_and_written_down(tmp_path: Path) -> None:
    """One dropped packet is enough to refuse the capture, and the journal records it."""
    with pytest.raises(CaptureError, match="the kernel dropped 1 packets: end other programs"):
        _seal(tmp_path, _run(tmp_path), Tally(captured=5, dropped=1))
    lines = list(read_journal(tmp_path / "journal" / "capture.jsonl"))
    assert sum(line["kernel_drops"] for line in lines) == 1


@pytest.mark.parametrize("captured", [4, 6])
def test_files_must_hold_what_tcpdump_counted(tmp_path: Path, captured: int) -> None:
    """Files with one packet more or less than tcpdump counted are refused."""
    with pytest.raises(CaptureError, match=f"tcpdump counted {captured} packets, its files hold 5"):
        _seal(tmp_path, _run(tmp_path), Tally(captured=captured, dropped=0))
