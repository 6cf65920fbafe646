"""Checks of everything derived: retimed captures and tables are derived again from raw captures and journals."""

from collections.abc import Iterator

from coldaisle_analysis import dataset
from coldaisle_analysis.dataset import comparison
from coldaisle_capture.retime import Retimer, retimed
from coldaisle_contracts.timeline import Timeline
from coldaisle_testbed import provenance
from coldaisle_testbed.verification.case import Case


def captures(case: Case) -> Iterator[str]:
    """Yield a sentence for each capture that differs from the retimed raw capture in any byte."""
    sealed = case.account.evidence.sealed
    for shard, rows in sealed.groupby("shard", sort=False):
        timeline = Timeline.load(case.run / "journal" / "timeline.jsonl", str(shard))
        raws = [case.run / name for name in rows["raw"]]
        for name, (_, content) in zip(rows["file"], retimed(raws, Retimer(timeline)), strict=True):
            there = (case.run / name).read_bytes()
            if there != content:
                at = next(n for n in range(len(content) + 1) if there[n : n + 1] != content[n : n + 1])
                yield f"{name}: is not what the raw capture and the timeline give, from byte {at} on"


def tables(case: Case) -> Iterator[str]:
    """Yield a sentence for each table that differs from the one derived again, with the first value that differs."""
    other = "" if provenance.made_here(case.manifest) else f"the run was made by {case.manifest.made_by}"
    for level, frame in dataset.build(case.run, case.account).levels().items():
        yield from comparison.differences(
            frame, case.run, f"dataset/{level}", other, has_csv="csv" in case.forms
        )
