"""tshark as the outside witness: what it decodes of a capture, compared field by field with our packets and messages."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Column, columns

_NUMBER = 10**9
_MESSAGE = "mqtt_"
_JOINED = "\x1f"
"""What tshark is told to put between several values: a comma may stand in a value."""
_REASSEMBLED = ("ip.defragment:TRUE", "ipv6.defragment:TRUE", "tcp.reassemble_out_of_order:TRUE")
"""By default tshark reports messages never sent when segments come out of order."""
_EXTENSIONS = tuple(f"ipv6.{name}.nxt" for name in ("fraghdr", "dstopts", "routing", "hopopts"))
_ACKNOWLEDGES, _ENDS = (4, 5, 6, 7), (14, 15)
"""Types of control packets whose reason code may be left out."""
_IP_LENGTH, _FRAGMENT = ("ip.len", "ipv6.plen"), ("ip.frag_offset", "ipv6.fraghdr.offset")


def differences(decoded: pd.DataFrame, pcap: Path) -> list[str]:
    """Return one sentence for each column in which tshark sees something else in a capture.

    tshark joins the fields of several messages in a frame and leaves out those a message lacks, so of such frames the
    first value is compared where the first message has the field; :func:`message_differences` compares all of them.

    Args:
        decoded: rows of level ``packets`` of this capture alone.
        pcap: the capture.
    """
    wanted = [column for column in columns("packets") if column.tshark or column.name in _OWN]
    seen = tshark(pcap, sorted({field for column in wanted for field in _fields(column)}))
    if len(seen) != len(decoded):
        return [f"tshark sees {len(seen)} frames, we see {len(decoded)}"]
    found = []
    for column in wanted:
        ours, theirs = _ours(decoded[column.name], column), _theirs(_first(seen, _fields(column)), column)
        if column.name in _OWN:
            theirs = _OWN[column.name](seen)
        if column.name.startswith(_MESSAGE):
            several = decoded["mqtt_messages"].fillna(0).to_numpy(int) > 1
            theirs = theirs.mask(several & ours.isna().to_numpy())
        same = (ours == theirs).fillna(value=False) | (ours.isna() & theirs.isna())
        wrong = np.flatnonzero(~same.to_numpy(bool))
        if len(wrong):
            at = wrong[0]
            found.append(
                f"{column.name}: {len(wrong)} frames differ from {column.tshark}, the first is {at + 1}: "
                f"{ours.iloc[at]!r} against {theirs.iloc[at]!r}"
            )
    return found


def message_differences(decoded: pa.Table, pcap: Path, port: int = 1883) -> list[str]:
    """Return one sentence for each column of level ``messages`` in which tshark sees something else.

    A frame's values of a field are compared one by one, in the order of its messages, those that have none left out.

    Args:
        decoded: the rows of this capture alone.
        pcap: the capture.
        port: the port of MQTT.
    """
    wanted = [column for column in columns("messages") if column.tshark]
    fields = sorted({field for column in wanted for field in column.tshark.split()})
    seen = tshark(pcap, fields, "-d", f"tcp.port=={port},mqtt")
    frame = np.asarray(decoded["frame"]) - 1
    found = []
    for column in wanted:
        ours: list[list[str]] = [[] for _ in range(len(seen))]
        cells = decoded[column.name].to_pylist()
        for row, value, omitted in zip(frame, cells, _omitted(decoded, column), strict=True):
            if value is not None and not omitted:
                ours[row].append(_written(value))
        theirs = [_listed(values, column) for values in seen[column.tshark.split()].itertuples(index=False)]
        wrong = [row for row, (left, right) in enumerate(zip(ours, theirs, strict=True)) if left != right]
        if wrong:
            at = wrong[0]
            found.append(
                f"{column.name}: {len(wrong)} frames differ from {column.tshark}, the first is {at + 1}: "
                f"{ours[at]} against {theirs[at]}"
            )
    return found


def _omitted(decoded: pa.Table, column: Column) -> list[bool]:
    """Return in which rows a reason code is left out, of which tshark shows nothing: then it is 0 (MQTT 5, 3.4.2.1 and 3.14.2.1)."""
    if column.name != "reason":
        return [False] * len(decoded)
    kinds, lengths = decoded["msgtype"].to_pylist(), decoded["len"].to_pylist()
    return [
        (kind in _ACKNOWLEDGES and length == 2) or (kind in _ENDS and length == 0)
        for kind, length in zip(kinds, lengths, strict=True)
    ]


def tshark(pcap: Path, fields: list[str], *options: str) -> pd.DataFrame:
    """Return these display fields of every frame, as tshark writes them, empty where it has none."""
    wanted = [option for name in fields for option in ("-e", name)]
    settings = [option for setting in _REASSEMBLED for option in ("-o", setting)]
    command = ["tshark", "-n", "-r", str(pcap), *settings, *options, "-T", "fields", "-E", "separator=/t",
               "-E", "occurrence=a", "-E", f"aggregator={_JOINED}", *wanted]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in output.split("\n")[:-1]]
    return pd.DataFrame(rows, columns=fields, dtype="str")


def _fields(column: Column) -> tuple[str, ...]:
    """Return the display fields that say what a column says, the one that counts first."""
    if column.name == "ip_proto":
        return ("ip.proto", *_EXTENSIONS, "ipv6.nxt")
    return {"ip_len": _IP_LENGTH, "ip_frag": _FRAGMENT}.get(column.name) or tuple(column.tshark.split())


def _first(seen: pd.DataFrame, fields: tuple[str, ...]) -> pd.Series:
    """Return of each frame the first of these fields that it has."""
    values = seen[fields[0]]
    for field in fields[1:]:
        values = values.where(values != "", seen[field])
    return values


def _numbers(values: pd.Series) -> pd.Series:
    first = values.str.split(_JOINED).str[0]
    return first.where(first != "", None).map(_number, na_action="ignore").astype("Int64")


def _lengths(seen: pd.DataFrame) -> pd.Series:
    """Return total lengths: IPv6 says how long the payload is."""
    return _numbers(seen["ip.len"]).fillna(_numbers(seen["ipv6.plen"]) + 40)


def _offsets(seen: pd.DataFrame) -> pd.Series:
    """Return fragment offsets in bytes: both versions count in eights; an IPv6 packet in one piece has none."""
    return _without_fragments(seen, "ip.frag_offset", "ipv6.fraghdr.offset") * 8


def _more(seen: pd.DataFrame) -> pd.Series:
    return _without_fragments(seen, "ip.flags.mf", "ipv6.fraghdr.more")


def _without_fragments(seen: pd.DataFrame, version_4: str, version_6: str) -> pd.Series:
    found = _numbers(seen[version_4]).fillna(_numbers(seen[version_6]))
    return found.mask(found.isna() & (seen["ipv6.nxt"] != ""), 0)


_OWN: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "ip_len": _lengths,
    "ip_frag": _offsets,
    "ip_mf": _more,
}
"""Columns that are no display field as it stands."""


def _ours(values: pd.Series, column: Column) -> pd.Series:
    if column.name == "time_ns":
        return (values // _NUMBER).astype("str") + "." + (values % _NUMBER).astype("str").str.zfill(9)
    values = values.reset_index(drop=True)
    if column.name == "eth_type":
        return values.astype("Int64").mask(values == 0)  # a column without holes: 0 says that there is none
    if column.numeric:
        return values.astype("Int64")
    return values.astype("str").where(values.notna(), None)


def _theirs(values: pd.Series, column: Column) -> pd.Series:
    """Return tshark's text in our terms: numbers as numbers, payloads as text, the first of several."""
    if column.name == "time_ns":
        return values
    if column.numeric:
        return _numbers(values)
    first = values.str.split(_JOINED).str[0]
    first = first.where(first != "", None)
    if column.name == "mqtt_payload":
        return first.map(lambda text: bytes.fromhex(text).decode("utf-8", "replace"), na_action="ignore")
    return first


def _written(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _listed(values: tuple[str, ...], column: Column) -> list[str]:
    """Return the values of a frame's messages that tshark wrote into any of a column's fields."""
    found = [value for part in values if part for value in part.split(_JOINED)]
    return [str(_number(value)) for value in found] if column.numeric else found


def _number(text: str) -> int:
    return {"True": 1, "False": 0}[text] if text in ("True", "False") else int(text, 0)
