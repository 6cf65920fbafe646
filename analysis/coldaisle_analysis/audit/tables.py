"""Foreign tables: any CSV or Parquet file with a label; its columns are recognised by their usual names."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.audit.subject import Subject
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import refuse_odd

NORMAL = ("", "0", "0.0", "false", "no", "none", "normal", "benign", "background", "legitimate", "nan", "-")
"""Labels of rows that are no attack, in lower case."""
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("frame", "framenumber", "id", "flowid", "uid", "recordid"),
    "time": ("time", "timestamp", "ts", "frametime", "frametimeepoch", "datetime", "date", "stime", "starttime", "firstseen"),
    "src": ("ipsrc", "srcip", "src", "saddr", "sourceip", "sourceipaddress", "idorigh", "ipsrchost"),
    "dst": ("ipdst", "dstip", "dst", "daddr", "destinationip", "destinationipaddress", "idresph", "ipdsthost", "destip"),
    "sport": ("tcpsrcport", "srcport", "sport", "sourceport", "idorigp", "l4srcport"),
    "dport": ("tcpdstport", "dstport", "dport", "destinationport", "destport", "idrespp", "l4dstport"),
    "proto": ("ipproto", "proto", "protocol", "ipprotocol"),
    "mac": ("ethsrc", "srcmac", "smac", "sourcemac"),
    "ttl": ("ipttl", "ttl", "sttl", "minttl"),
    "window": ("tcpwindow", "tcpwindowsizevalue", "tcpwindowsize", "swin", "initwinbytesforward", "initfwdwinbyts"),
    "ipid": ("ipid",),
    "seq": ("tcpseq", "tcpseqraw", "stcpb"),
    "ack": ("tcpack", "tcpackraw", "dtcpb"),
    "flags": ("tcpflags",),
    "length": ("framelen", "length", "len"),
    "payload": ("tcplen", "payloadlen", "totlenfwdpkts"),
    "flow": ("flow", "tcpstream", "flownumber"),
    "client": ("client", "clientid", "mqttclientid"),
    "episode": ("episode",),
    "day": ("day",),
}  # fmt: skip
"""Names of columns for each meaning, in lower case and without punctuation."""
_KINDS = (
    "kind",
    "attack",
    "attackcat",
    "attacktype",
    "category",
    "type",
    "class",
    "attackname",
    "subcategory",
)
_IDENTITY = ("src", "dst", "sport", "dport", "mac", "ttl", "window", "ipid", "seq", "ack", "flow", "client")
_NO_FEATURE = ("id", "time", "episode", "day", *_IDENTITY)
_HEADER = 1 << 20
"""The most characters of a header that are read."""
_STRAY = 0.05
"""Share of the rows that may lack a valid time."""
_FIRST, _LAST = pd.Timestamp("1950-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
_FARTHEST_NS = 9e18
"""Limits of the times of a data set; the time between any two then fits into 64 bits of ns, too."""
_EPOCH = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
"""Unit of an epoch, in ns, by its number of digits; any other number is in s."""


def load(path: Path, label: str = "label") -> Subject:
    """Read a table with a label column.

    Args:
        path: CSV (separated by comma, semicolon or tab) or Parquet.
        label: name of its label column, with 0 and 1, or with names of which those in :data:`NORMAL` are no attack.

    Raises:
        InputError: if it cannot be read or has no such column.
    """
    frame = _read(path)
    if frame.empty:
        raise InputError(path, "has no rows: give a table with some")
    return of_frame(frame, path.name, label)


def of_frame(frame: pd.DataFrame, name: str, label: str = "label") -> Subject:
    """Return a table as a subject.

    Args:
        frame: the rows.
        name: its name, usually that of its file.
        label: name of its label column.

    Raises:
        InputError: if it has no such column, or its time cannot be parsed.
    """
    if label not in frame:
        names = ", ".join(map(str, frame.columns[:12]))
        raise InputError(f"{name}: column {label}", f"name the label column with --label; there are {names}")
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{name}: column {twice}", "is there twice: rename one")
    texts = frame[label].astype("object").where(frame[label].notna(), "").astype("str").str.strip()
    attack = ~texts.str.lower().isin(NORMAL)
    meaning = _meanings(frame, label)
    kinds = next((str(column) for column in frame if _plain(column) in _KINDS and column != label), None)
    named = frame[kinds].astype("str") if kinds else texts
    return Subject(
        name=name,
        level="table",
        frame=_with_time(frame, meaning, name),
        label=attack.to_numpy(),
        kind=named.where(attack, "normal").reset_index(drop=True),
        features=_features(frame, meaning, {label, *([kinds] if kinds else [])}),
        identity=[meaning[key] for key in _IDENTITY if key in meaning],
        clocks=[meaning["time"]] if "time" in meaning else [],
        meaning=meaning,
    )


def _read(path: Path) -> pd.DataFrame:
    remedy = "give a run, or a readable CSV or Parquet table with a label column"
    refuse_odd(path, remedy)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, sep=_separator(path), low_memory=False)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(path, remedy) from error


def _separator(path: Path) -> str:
    """Return the separator of a CSV: the first of comma, semicolon and tab that its header has."""
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline(_HEADER)
    return next((sign for sign in ",;\t" if sign in header), ",")


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _meanings(frame: pd.DataFrame, label: str) -> dict[str, str]:
    """Return the column of each meaning: the first alias that the table has."""
    plain = {_plain(name): str(name) for name in reversed(list(frame)) if name != label}
    hits = {key: [plain[name] for name in names if name in plain] for key, names in _ALIASES.items()}
    return {key: names[0] for key, names in hits.items() if names}


def _with_time(frame: pd.DataFrame, meaning: dict[str, str], place: str) -> pd.DataFrame:
    """Return the table with its time in UTC; a number is an epoch in s, ms, µs or ns, by its number of digits."""
    if "time" not in meaning:
        return frame.reset_index(drop=True)
    column, name = frame[meaning["time"]], meaning["time"]
    if pd.api.types.is_numeric_dtype(column):
        size = column.astype("Float64").fillna(np.inf).astype("float64").abs()
        finite = size[np.isfinite(size)]
        scale = _EPOCH.get(len(str(int(finite.iloc[0]))) if len(finite) else 10, SECOND)
        inside = size * scale < _FARTHEST_NS
        epoch = column if inside.all() else column.where(inside)  # whole numbers stay exact if all are valid
        time = pd.to_datetime((epoch * scale).round(), utc=True, errors="coerce")
    else:
        time = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    time = time.where((time >= _FIRST) & (time <= _LAST))
    stray = time.isna().to_numpy()
    if stray.sum() > _STRAY * len(stray):
        row = int(stray.argmax())
        flaw = f"is no time in {int(stray.sum())} of {len(stray)} rows, the first of them row {row + 1}"
        raise InputError(f"{place}: column {name}", f"{flaw}: rename it, or write ISO 8601", column.iloc[row])
    whole = (
        time.astype("datetime64[ns, UTC]").ffill().bfill()
    )  # an invalid time counts as that of the previous row
    return frame.assign(**{name: whole}).reset_index(drop=True)


def _features(frame: pd.DataFrame, meaning: dict[str, str], truth: set[str]) -> list[str]:
    """Return the numeric columns that are no identity, time or label."""
    skipped = {meaning[key] for key in _NO_FEATURE if key in meaning} | truth
    return [str(name) for name in frame if name not in skipped and pd.api.types.is_numeric_dtype(frame[name])]
