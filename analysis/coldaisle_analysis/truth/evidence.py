"""The evidence of a run, read once: plan, journals, decoded captures and raw captures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.decoding import captures
from coldaisle_analysis.decoding.captures import Frames
from coldaisle_analysis.features import packets
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan

_KEYS = {
    "reading": (
        "shard",
        "client",
        "name",
        "slot",
        "taken_ns",
        "stamp_ns",
        "value",
        "mid",
        "port",
        "sent_ns",
        "acked_ns",
        "attempts",
        "synced",
        "episode",
    ),
    "frame": ("shard", "episode", "digest", "role", "anomalous", "side", "act", "at_ns"),
    "act": (
        "shard",
        "episode",
        "unit",
        "slot",
        "sensor",
        "operation",
        "before",
        "after",
        "port",
        "mid",
        "copy",
        "digest",
        "client",
        "at_ns",
    ),
    "connect": ("shard", "client", "port", "at_ns", "reason", "was", "episode"),
    "disconnect": ("shard", "client", "port", "at_ns", "reason", "episode"),
    "time": ("shard", "slot", "at_ns"),
    "episode": ("shard", "episode", "phase", "at_ns"),
    "sealed": ("shard", "file", "raw", "packets", "kernel_drops", "sha256", "raw_sha256"),
}
"""The keys of each journal event that the analysis reads, as documented in docs/architecture.md."""
_CAPTURE, _RAW = (
    re.compile(r"capture/day-[\d-]{1,20}\.pcap"),
    re.compile(r"capture/raw/day-[\d-]{1,20}\.pcap"),
)
"""Names of the captures of a run."""


@dataclass(frozen=True)
class Evidence:
    """The evidence of a run: its plan, journals and captures.

    Attributes:
        run: folder of the run.
        plan: plan of the run.
        readings: the ``reading`` lines of all units.
        frames: the ``frame`` lines of the injector, in order of time within their shard.
        acts: the ``act`` lines of injector and units, in order of time.
        phases: their ``episode`` lines.
        connects: the ``connect`` lines of all units, with ``host``, the unit.
        disconnects: their ``disconnect`` lines, with ``host``.
        times: their ``time`` lines, with ``host``, and whether the query ``failed``.
        sealed: the ``sealed`` lines of the capture, in order of time.
        trace: the retimed captures, decoded.
        raw: the captures as tcpdump wrote them: the same frames, in the order of the retimed captures.
    """

    run: Path
    plan: Plan
    readings: pd.DataFrame
    frames: pd.DataFrame
    acts: pd.DataFrame
    phases: pd.DataFrame
    connects: pd.DataFrame
    disconnects: pd.DataFrame
    times: pd.DataFrame
    sealed: pd.DataFrame
    trace: packets.Trace
    raw: Frames


def load(run: Path) -> Evidence:
    """Read the evidence of a run.

    Raises:
        InputError: if a journal or capture is missing, truncated or malformed, or raw and retimed captures differ in their number of frames.
    """
    plan = Plan.load(run / "plan.json")
    journal = run / "journal"
    units = [
        line | {"host": unit}
        for unit in plan.scenario.units
        for line in read_journal(journal / f"{unit}.jsonl")
    ]
    injector = list(read_journal(journal / "injector.jsonl")) if plan.episodes else []
    sealed = _table("sealed", read_journal(journal / "capture.jsonl"), journal / "capture.jsonl")
    _refuse_odd_names(sealed, journal / "capture.jsonl")
    sealed = sealed.sort_values("file", key=lambda names: names.map(_file_order), ignore_index=True)
    trace = packets.trace([run / name for name in sealed["file"]], list(sealed["shard"]), plan.utc_offset_s)
    raw = captures.read([run / name for name in sealed["raw"]])
    if len(raw) == len(trace.frames):
        raw = captures.in_order(raw, trace.packets["shard"].cat.codes.to_numpy().astype(np.int64))
    else:
        raise InputError(
            run / "capture", f"raw holds {len(raw)} frames, retimed {len(trace.frames)}: make the run again"
        )
    attacker = journal / "injector.jsonl"
    return Evidence(
        run=run,
        plan=plan,
        readings=_table("reading", units, journal),
        frames=_in_time(_table("frame", injector, attacker)),
        acts=_in_time(_table("act", [*injector, *units], journal)),
        phases=_table("episode", [*injector, *units], journal),
        connects=_in_time(_table("connect", units, journal, "host")),
        disconnects=_in_time(_table("disconnect", units, journal, "host")),
        times=_table(
            "time", [line | {"failed": "failed" in line} for line in units], journal, "host", "failed"
        ),
        sealed=sealed,
        trace=trace,
        raw=raw,
    )


def _in_time(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("at_ns", kind="stable", ignore_index=True)


def shard_of_frames(evidence: Evidence) -> Any:
    """Return the name of each frame's shard, an array of text."""
    return np.asarray(evidence.sealed["shard"], dtype=object)[evidence.raw.file]


def name_of_frame(evidence: Evidence, row: int) -> str:
    """Return the name of a frame: its number in Wireshark, and its capture file.

    Args:
        evidence: evidence of the run.
        row: position of the frame.
    """
    file = evidence.sealed["file"].iloc[int(evidence.raw.file[row])]
    return f"frame {evidence.trace.frames.number[row]} of {file}"


def _refuse_odd_names(sealed: pd.DataFrame, place: Path) -> None:
    """Refuse captures that are sealed twice, or lie outside the run."""
    for column, form in (("file", _CAPTURE), ("raw", _RAW)):
        names = sealed[column]
        if names.duplicated().any():
            first = names[names.duplicated()].iloc[0]
            raise InputError(
                f"{place}: event sealed", "the capture is sealed twice: the journal was edited", first
            )
        if wrong := [name for name in names if not form.fullmatch(name)]:
            raise InputError(
                f"{place}: event sealed: {column}", "no capture of the run: the journal was edited", wrong[0]
            )


def _file_order(name: str) -> tuple[int, ...]:
    """Return the numbers in a capture's name, days and number of the file, so that day-10 follows day-9."""
    return tuple(int(part) for part in Path(name).stem.split("-") if part.isdigit())


def _table(event: str, lines: Iterable[dict[str, Any]], place: Path, *more: str) -> pd.DataFrame:
    keys = (*_KEYS[event], *more)
    chosen = [line for line in lines if line.get("event") == event]
    for line in chosen:
        if missing := [key for key in _KEYS[event] if key not in line]:
            raise InputError(
                f"{place}: event {event}", f"has no key {missing[0]!r}: the journal was edited", line
            )
    return pd.DataFrame({key: [line[key] for line in chosen] for key in keys})
