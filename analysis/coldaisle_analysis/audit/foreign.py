"""Foreign tables: any CSV or Parquet with a label, its columns recognised by the names data sets usually give them."""

import csv
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.audit.subject import Subject
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

NORMAL = ("", "0", "0.0", "false", "no", "none", "normal", "benign", "background", "legitimate", "nan", "-")
"""Labels, in lower case, that say a row is no attack."""
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
"""Names, in lower case and without signs, under which a meaning is found."""
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
_EPOCH = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
"""Nanoseconds in the unit of an epoch, by the epoch's digits; a number of another length is seconds."""


def load(path: Path, label: str = "label") -> Subject:
    """Read a table with a label column.

    Args:
        path: CSV (separated by comma, semicolon or tab) or Parquet.
        label: its label column: 0 and 1, or names of which those in :data:`NORMAL` are no attack.

    Raises:
        InputError: if it cannot be read or has no such column.
    """
    return of_frame(_read(path), path.name, label)


def of_frame(frame: pd.DataFrame, name: str, label: str = "label") -> Subject:
    """Return a table as a subject.

    Args:
        frame: the rows.
        name: what to call it, usually its file.
        label: its label column.

    Raises:
        InputError: if it has no such column, or its time is none.
    """
    if label not in frame:
        known = ", ".join(map(str, frame.columns[:12]))
        raise InputError(f"{name}: column {label}", f"name the label column with --label; there are {known}")
    said = frame[label].astype("object").where(frame[label].notna(), "").astype("str").str.strip()
    attack = ~said.str.lower().isin(NORMAL)
    meaning = _meanings(frame, label)
    kinds = next((str(each) for each in frame if _plain(each) in _KINDS and each != label), None)
    named = frame[kinds].astype("str") if kinds else said
    return Subject(
        name=name,
        level="table",
        frame=_with_time(frame, meaning, name),
        label=attack.to_numpy(),
        kind=named.where(attack, "normal").reset_index(drop=True),
        features=_features(frame, meaning, {label, *([kinds] if kinds else [])}),
        identity=[meaning[what] for what in _IDENTITY if what in meaning],
        clocks=[meaning["time"]] if "time" in meaning else [],
        meaning=meaning,
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return (
            pd.read_csv(path, sep=None, engine="python")
            if _odd(path)
            else pd.read_csv(path, low_memory=False)
        )
    except (OSError, ValueError, csv.Error, pa.ArrowInvalid) as error:
        raise InputError(
            path, "give a run, or a readable CSV or Parquet table with a label column"
        ) from error


def _odd(path: Path) -> bool:
    """Tell whether a CSV is separated by something else than commas."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return "," not in file.readline()


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _meanings(frame: pd.DataFrame, label: str) -> dict[str, str]:
    """Return which column means what, the first alias that is there."""
    plain = {_plain(name): str(name) for name in reversed(list(frame)) if name != label}
    found = {what: [plain[name] for name in names if name in plain] for what, names in _ALIASES.items()}
    return {what: names[0] for what, names in found.items() if names}


def _with_time(frame: pd.DataFrame, meaning: dict[str, str], place: str) -> pd.DataFrame:
    """Return the table with its time as UTC; a number is an epoch in s, ms, µs or ns, by its digits."""
    if "time" not in meaning:
        return frame.reset_index(drop=True)
    column = frame[meaning["time"]]
    if pd.api.types.is_numeric_dtype(column):
        known = column.dropna().abs()
        scale = _EPOCH.get(len(str(int(known.iloc[0]))) if len(known) else 10, SECOND)
        time = pd.to_datetime((column * scale).round(), utc=True, errors="coerce")
    else:
        time = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    if time.isna().all() and len(time):
        raise InputError(
            f"{place}: column {meaning['time']}", "is no time: rename it, or write ISO 8601", column.iloc[0]
        )
    return frame.assign(**{meaning["time"]: time.astype("datetime64[ns, UTC]")}).reset_index(drop=True)


def _features(frame: pd.DataFrame, meaning: dict[str, str], truth: set[str]) -> list[str]:
    """Return the numeric columns that neither name, time nor label a row."""
    taken = {meaning[what] for what in _NO_FEATURE if what in meaning} | truth
    return [str(name) for name in frame if name not in taken and pd.api.types.is_numeric_dtype(frame[name])]
