"""The evidence of a run, read once: plan, journals, decoded captures and raw captures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.decoding import MqttOptions, captures
from coldaisle_analysis.decoding.captures import Frames
from coldaisle_analysis.features import packets
from coldaisle_contracts.addressing import MQTT_PORTS
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.journal_lines import (
    ActLine,
    ConnectLine,
    DisconnectLine,
    EpisodeLine,
    FailedTimeLine,
    FetchLine,
    FrameLine,
    LeaseLine,
    Line,
    LookupLine,
    MessageLine,
    ReadingLine,
    ReceivedLine,
    RefuseLine,
    SealedLine,
)
from coldaisle_contracts.listeners import KEY_LOG
from coldaisle_contracts.plan import Plan

_EDITED = "the journal was edited, so make the run again"
_DTYPES = {int: "int64", bool: "bool"}
"""Type of a column by the type of its key; every other key holds text."""
_NAMES = {"file": r"capture/day-[\d-]{1,20}\.pcap", "raw": r"capture/raw/day-[\d-]{1,20}\.pcap"}
"""Forms of the names of a run's captures, by column of ``sealed``."""


@dataclass(frozen=True)
class Evidence:
    """The evidence of a run: its plan, journals and captures.

    Attributes:
        run: folder of the run.
        plan: plan of the run.
        readings: the ``reading`` lines of all units, with ``host``, the unit.
        frames: the ``frame`` lines of the injector, in order of time within their shard.
        acts: the ``act`` lines of injector and units, in order of time.
        refusals: the ``refuse`` lines of the injector, in order of time.
        phases: the ``episode`` lines of both.
        connects: the ``connect`` lines of units and companions, with ``host``, in order of time.
        disconnects: their ``disconnect`` lines, with ``host``, in order of time.
        published: their ``message`` lines, with ``host``, in order of time.
        received: their ``received`` lines, with ``host``, in order of time.
        times: the ``time`` lines of units and workstations, with ``host``; ``failed`` is empty where the query had an answer.
        lookups: the ``lookup`` lines of workstations, with ``host``.
        leases: their ``lease`` lines, with ``host``.
        fetches: their ``fetch`` lines, with ``host``.
        sealed: the ``sealed`` lines of the capture, in order of time.
        trace: the retimed captures, decoded.
        raw: the captures as tcpdump wrote them: the same frames, in the order of the retimed captures.
    """

    run: Path
    plan: Plan
    readings: pd.DataFrame
    frames: pd.DataFrame
    acts: pd.DataFrame
    refusals: pd.DataFrame
    phases: pd.DataFrame
    connects: pd.DataFrame
    disconnects: pd.DataFrame
    published: pd.DataFrame
    received: pd.DataFrame
    times: pd.DataFrame
    lookups: pd.DataFrame
    leases: pd.DataFrame
    fetches: pd.DataFrame
    sealed: pd.DataFrame
    trace: packets.Trace
    raw: Frames

    def said(self, row: int) -> bytes:
        """Return what a frame says: the frame, or what it carries within TLS."""
        return self.trace.said.get(row) or self.raw.frame(row)


def load(run: Path) -> Evidence:
    """Read the evidence of a run.

    Raises:
        InputError: if a journal or capture is missing, truncated or malformed, or raw and retimed captures differ in their number of frames.
    """
    plan = Plan.load(run / "plan.json")
    journal = run / "journal"
    units, stations = _lines_of(journal, plan.scenario.units), _lines_of(journal, plan.workstations)
    devices = [*units, *_lines_of(journal, plan.companions)]
    injector = list(read_journal(journal / "injector.jsonl")) if plan.episodes else []
    sealed = _table(SealedLine, read_journal(journal / "capture.jsonl"), journal / "capture.jsonl")
    _refuse_odd_names(sealed, journal / "capture.jsonl")
    sealed = sealed.sort_values("file", key=lambda names: names.map(_file_order), ignore_index=True)
    files, shards = [run / name for name in sealed["file"]], list(sealed["shard"])
    encrypted = plan.scenario.site.broker.tls is not None
    mqtt, keys = (MqttOptions(MQTT_PORTS), run / "capture" / KEY_LOG) if encrypted else (MqttOptions(), None)
    trace = packets.trace(files, shards, plan.utc_offset_s, mqtt=mqtt, keys=keys)
    raw = captures.read([run / name for name in sealed["raw"]])
    if len(raw) == len(trace.frames):
        raw = captures.in_order(raw, trace.packets["shard"].cat.codes.to_numpy().astype(np.int64))
    else:
        raise InputError(
            run / "capture",
            f"holds {len(raw)} raw frames, but {len(trace.frames)} retimed ones: make the run again",
        )
    return Evidence(
        run=run,
        plan=plan,
        readings=_table(ReadingLine, units, journal, "host"),
        frames=_in_time(_table(FrameLine, injector, journal / "injector.jsonl")),
        acts=_in_time(_table(ActLine, [*injector, *units], journal)),
        refusals=_in_time(_table(RefuseLine, injector, journal / "injector.jsonl")),
        phases=_table(EpisodeLine, [*injector, *units], journal),
        connects=_in_time(_table(ConnectLine, devices, journal, "host")),
        disconnects=_in_time(_table(DisconnectLine, devices, journal, "host")),
        published=_in_time(_table(MessageLine, devices, journal, "host"), "sent_ns"),
        received=_in_time(_table(ReceivedLine, devices, journal, "host")),
        times=_table(FailedTimeLine, [{"failed": "", **line} for line in units + stations], journal, "host"),
        lookups=_table(LookupLine, stations, journal, "host"),
        leases=_table(LeaseLine, stations, journal, "host"),
        fetches=_table(FetchLine, stations, journal, "host"),
        sealed=sealed,
        trace=trace,
        raw=raw,
    )


def _lines_of(journal: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the lines of devices, each with ``host``, the device."""
    return [line | {"host": name} for name in names for line in read_journal(journal / f"{name}.jsonl")]


def _in_time(table: pd.DataFrame, time: str = "at_ns") -> pd.DataFrame:
    return table.sort_values(time, kind="stable", ignore_index=True)


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
    for column, form in _NAMES.items():
        names = sealed[column]
        if names.duplicated().any():
            first = names[names.duplicated()].iloc[0]
            raise InputError(f"{place}: event sealed", f"the capture is sealed twice: {_EDITED}", first)
        if wrong := [name for name in names if not re.fullmatch(form, name)]:
            raise InputError(
                f"{place}: event sealed: {column}", f"this is no capture of the run: {_EDITED}", wrong[0]
            )


def _file_order(name: str) -> tuple[int, ...]:
    """Return the numbers in a capture's name, days and number of the file, so that day-10 follows day-9."""
    return tuple(int(part) for part in Path(name).stem.split("-") if part.isdigit())


def _table(kind: type[Line], lines: Iterable[dict[str, Any]], place: Path, *more: str) -> pd.DataFrame:
    """Return the lines of one kind as a table: its keys, the shard, and ``more`` texts that were added to the lines."""
    types: dict[str, Any] = {"shard": str, **dict.fromkeys(more, str)}
    types |= {field.name: field.type for field in fields(kind)}
    chosen = [line for line in lines if line["event"] == kind.event]
    for line in chosen:
        if missing := [key for key in types if key not in line]:
            raise InputError(f"{place}: event {kind.event}", f"has no key {missing[0]!r}: {_EDITED}", line)
    table = pd.DataFrame({key: [line[key] for line in chosen] for key in types})
    return table.astype({key: _DTYPES.get(of_key, "str") for key, of_key in types.items()})
