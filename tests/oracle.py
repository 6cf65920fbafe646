"""tshark as the outside witness: what it decodes of a capture, compared field by field with our packets."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.columns import Column, columns

_NUMBER = 10**9
_MESSAGE = "mqtt_"


def differences(decoded: pd.DataFrame, pcap: Path) -> list[str]:
    """Return one sentence for each column in which tshark sees something else in a capture.

    tshark reassembles segments out of order (``tcp.reassemble_out_of_order``), otherwise it reports messages never
    sent. It joins the fields of several messages in a frame by commas and leaves out those a message lacks, so of such
    frames the first value is compared where the first message has the field.

    Args:
        decoded: rows of level ``packets`` of this capture alone.
        pcap: the capture.
    """
    wanted = [column for column in columns("packets") if column.tshark]
    seen = tshark(pcap, [column.tshark for column in wanted])
    if len(seen) != len(decoded):
        return [f"tshark sees {len(seen)} frames, we see {len(decoded)}"]
    found = []
    for column in wanted:
        ours, theirs = _ours(decoded[column.name], column), _theirs(seen[column.tshark], column)
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


def tshark(pcap: Path, fields: list[str]) -> pd.DataFrame:
    """Return these display fields of every frame, as tshark writes them, empty where it has none."""
    options = [option for name in fields for option in ("-e", name)]
    command = ["tshark", "-n", "-r", str(pcap), "-o", "tcp.reassemble_out_of_order:TRUE", "-T", "fields",
               "-E", "separator=/t", "-E", "occurrence=a", *options]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in output.splitlines()]
    return pd.DataFrame(rows, columns=fields, dtype="str")


def _ours(values: pd.Series, column: Column) -> pd.Series:
    if column.name == "time_ns":
        return (values // _NUMBER).astype("str") + "." + (values % _NUMBER).astype("str").str.zfill(9)
    values = values.reset_index(drop=True)
    if column.numeric:
        return values.astype("Int64")
    return values.astype("str").where(values.notna(), None)


def _theirs(values: pd.Series, column: Column) -> pd.Series:
    """Return tshark's text in our terms: numbers as numbers, payloads as text, the first of several."""
    if column.name == "time_ns":
        return values
    first = values.str.split(",").str[0]
    first = first.where(first != "", None)
    if column.name == "mqtt_payload":
        return first.map(lambda text: bytes.fromhex(text).decode("utf-8", "replace"), na_action="ignore")
    if not column.numeric:
        return first
    return first.map(_number, na_action="ignore").astype("Int64")


def _number(text: str) -> int:
    return {"True": 1, "False": 0}[text] if text in ("True", "False") else int(text, 0)
