"""Sealing: retime what tcpdump wrote and note packets, drops and hashes of every file."""

from pathlib import Path

from coldaisle_capture.retime import Retimer, retimed
from coldaisle_capture.tcpdump import CaptureError, Tally
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import SealedLine
from coldaisle_contracts.manifest import sha256_of
from coldaisle_contracts.timeline import Timeline


def seal(run: Path, shard: str, raws: list[Path], tally: Tally, journal: Journal) -> None:
    """Retime a shard's raw captures and write one ``sealed`` line for each.

    Args:
        run: the run's folder.
        shard: name of the shard, the first part of each file's name.
        raws: files as tcpdump wrote them, oldest first.
        tally: the counts of tcpdump.
        journal: the capture's journal.

    Raises:
        CaptureError: if a packet was dropped, or the files hold another number of packets than tcpdump counted.
    """
    retimer = Retimer(Timeline.load(run / "journal" / "timeline.jsonl", shard))
    renamed = [raw.rename(raw.with_name(f"{shard}-{number:03d}.pcap")) for number, raw in enumerate(raws)]
    total = 0
    for number, (raw, (packets, content)) in enumerate(zip(renamed, retimed(renamed, retimer), strict=True)):
        out = run / "capture" / raw.name
        out.write_bytes(content)
        total += packets
        line = SealedLine(
            file=f"capture/{out.name}",
            raw=f"capture/raw/{raw.name}",
            packets=packets,
            kernel_drops=tally.dropped if number == 0 else 0,
            sha256=sha256_of(out),
            raw_sha256=sha256_of(raw),
        )
        journal.write(line)
    if tally.dropped:
        remedy = "end other programs on the machine, and make the run again"
        raise CaptureError(f"the kernel dropped {tally.dropped} packets: {remedy}")
    if total != tally.captured:
        raise CaptureError(
            f"tcpdump counted {tally.captured} packets, its files hold {total}: make the run again"
        )
