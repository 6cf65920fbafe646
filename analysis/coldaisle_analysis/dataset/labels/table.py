"""A label table: one row per frame, as published with the DAD captures (Vigoya et al., Sensors 2020, 20(13), 3745).

It is ``;``-separated with the columns frame.number, ip.src, tcp.srcport, mqtt.clientid, mqtt.msgid and label. The label is 0, 1 or the
name of a class.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.dataset.labels.truth import named
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import refuse_odd

HEADER = ("frame.number", "ip.src", "tcp.srcport", "mqtt.clientid", "mqtt.msgid", "label")


class FrameTable:
    """The label table of one capture.

    Args:
        path: its path.

    Raises:
        InputError: if it cannot be read or lacks a column.
    """

    def __init__(self, path: Path) -> None:
        self._path, remedy = path, "give a readable label table, separated by ';'"
        refuse_odd(path, remedy)
        try:
            self._table = pd.read_csv(path, sep=";", dtype="str", keep_default_na=False, index_col=False)
        except (OSError, ValueError) as error:
            raise InputError(path, remedy) from error
        missing = [name for name in HEADER if name not in self._table]
        if missing:
            fault = (
                "separate the columns by ';'"
                if len(self._table.columns) == 1
                else f"add the column {missing[0]}"
            )
            wanted = f"{fault}; wanted are {';'.join(HEADER)}"
            raise InputError(f"{path}: line 1", wanted, ";".join(map(str, self._table)))

    def truth(self, frames: pd.DataFrame, pcap: Path) -> pd.DataFrame:
        """Return the label columns of every frame of a capture.

        Args:
            frames: the capture's rows of level ``packets``.
            pcap: path of the capture, for errors.

        Raises:
            InputError: naming file and line of the first row that does not match the capture.
        """
        table, shared = self._table, min(len(self._table), len(frames))
        for name, expected, remedy in _columns(frames, pcap):
            cells = table[name].to_numpy(object)[:shared]
            stated = (cells != "") | (name == "frame.number")  # the published tables leave some cells empty
            self._refuse(stated & (cells != expected.to_numpy(object)[:shared]), name, remedy)
        if len(table) != len(frames):
            problem = f"has {len(table)} rows, {pcap.name} {len(frames)} frames: give the label table of this capture"
            raise InputError(f"{self._path}: line {shared + 2}", problem)
        label = table["label"].str.strip()
        odd = (label == "") | (label.str.fullmatch(r"[-+]?[\d.]+") & ~label.isin(["0", "1"]))
        self._refuse(odd.to_numpy(bool), "label", "write 0, 1 or the name of a class")
        return named(label.to_numpy(object))

    def _refuse(self, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], name: str, remedy: str) -> None:
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise InputError(
                f"{self._path}: line {rows[0] + 2}: {name}", remedy, self._table[name].iloc[rows[0]]
            )


def _columns(frames: pd.DataFrame, pcap: Path) -> tuple[tuple[str, pd.Series, str], ...]:
    """Return, for each column that is compared, its name, the cells that the capture has, and what is wrong with another cell."""
    port = frames["tcp_srcport"].fillna(frames["udp_srcport"])
    return (
        (
            "frame.number",
            frames["frame_in_file"].astype("str"),
            "number the frames of the capture 1, 2, 3, …",
        ),
        (
            "ip.src",
            frames["ip_src"].astype("str").fillna(""),
            f"is not the frame's source address in {pcap.name}",
        ),
        ("tcp.srcport", port.astype("str").fillna(""), f"is not the frame's source port in {pcap.name}"),
    )
