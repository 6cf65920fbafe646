"""MQTT within TLS: the messages of a run's captures, decrypted with its key log, and the TLS records in its frames.

Frames whose TLS is replaced by what it carries go through the same decoder as any capture, so the messages of both have the same columns.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.columns import TLS
from coldaisle_analysis.decoding import decryption
from coldaisle_analysis.decoding.captures import Frames
from coldaisle_analysis.decoding.tls_segments import Records, Streams
from coldaisle_contracts.addressing import TLS_PORT

COLUMNS = tuple(column.name for column in TLS)
"""The columns that a frame of a run with TLS has more: number of records that it completes, type, version, length and handshake message."""
_CALLS = 2
"""Calls of tshark at a time."""


@dataclass(frozen=True)
class Within:
    """The frames of captures with plaintext instead of TLS.

    Attributes:
        files: captures with as many frames as the originals.
        said: what a frame carries within TLS, by its position; a frame that was sent again carries what it carried at first.
        columns: :data:`COLUMNS` of each frame.
    """

    files: Sequence[Path]
    said: dict[int, bytes]
    columns: pd.DataFrame


def open_up(frames: Frames, packets: pd.DataFrame, shard: Ints, keys: Path, folder: Path) -> Within:
    """Replace TLS by what it carries.

    Args:
        frames: the frames of all captures.
        packets: one row per frame, as decoded.
        shard: number of each frame's shard.
        keys: the key log.
        folder: folder for the new captures.

    Raises:
        InputError: if tshark is missing or fails.
    """
    ports = packets[["tcp_srcport", "tcp_dstport"]].eq(TLS_PORT).any(axis=1).to_numpy(bool, na_value=False)
    rows = np.flatnonzero(ports & packets["ip_version"].eq(4).to_numpy(bool, na_value=False))
    said, new, found = dict[int, bytes](), dict[int, bytes](), dict[int, Records]()
    groups = [rows[shard[rows] == number] for number in np.unique(shard[rows])]
    with ThreadPoolExecutor(_CALLS) as pool:
        every = list(pool.map(lambda group: _decrypted(frames, group, keys), groups))
    for group, plain in zip(groups, every, strict=True):
        wire, streams = Streams(), Streams()
        for row in group.tolist():
            data = frames.frame(row)
            if (records := wire.records(data)) is not None:
                found[row] = records
            new[row], carried = streams.plain(data, plain.get(row, b""))
            if carried:
                said[row] = carried
    files = [folder / f"{number}.pcap" for number in range(len(frames.files))]
    for number, path in enumerate(files):
        places = np.flatnonzero(frames.file == number).tolist()
        decryption.write(
            path, ((int(frames.time_ns[row]), new.get(row) or frames.frame(row)) for row in places)
        )
    return Within(files, said, _columns(found, len(frames)))


def _decrypted(frames: Frames, rows: Ints, keys: Path) -> dict[int, bytes]:
    """Return what frames of a shard carry within TLS, by their position."""
    places = rows.tolist()
    found = decryption.decrypted([(int(frames.time_ns[row]), frames.frame(row)) for row in places], keys)
    return {places[place]: said for place, said in found.items()}


def _columns(found: dict[int, Records], count: int) -> pd.DataFrame:
    table = np.full((count, len(COLUMNS)), -1, np.int64)
    for row, records in found.items():
        table[row] = records.count, records.kind, records.version, records.length, records.handshake
    columns = {
        name: pd.arrays.IntegerArray(values := table[:, place].copy(), values < 0)
        for place, name in enumerate(COLUMNS)
    }
    return pd.DataFrame(columns)
