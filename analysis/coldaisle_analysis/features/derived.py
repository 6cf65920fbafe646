"""Columns of a frame that follow from the frames before it: its sensor's values and the traffic around it."""

from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Texts
from coldaisle_analysis.columns.streams import Published
from coldaisle_analysis.features import values
from coldaisle_analysis.features.traffic import ARP, PUBLISH, RST, SYN, Traffic
from coldaisle_analysis.features.values import Values


@dataclass(frozen=True)
class Decoded:
    """The columns of frames that others are derived from; all arrays have one entry per frame, in order of time.

    Attributes:
        time_ns: time of the frame, in ns since the epoch.
        flow: number of its flow, -1 for none.
        protocol: name of its protocol.
        syn: SYN flag; missing outside TCP.
        rst: RST flag; missing outside TCP.
        published: what the frames publish.
    """

    time_ns: Ints
    flow: Ints
    protocol: Texts
    syn: Floats
    rst: Floats
    published: Published


class Derivation:
    """Derives columns, for a whole capture or for frames as they come, with the same result."""

    def __init__(self) -> None:
        self._values, self._traffic = Values(), Traffic()

    def follow(self, frames: Decoded) -> dict[str, Floats]:
        """Return the columns :data:`values.COLUMNS` and :data:`traffic.COLUMNS` of the next frames, shape (frames,) each."""
        columns = {name: np.full(len(frames.time_ns), np.nan) for name in values.COLUMNS}
        is_publish = np.zeros(len(frames.time_ns), np.bool_)
        if len(row := frames.published.row):
            is_publish[row] = True
            for name, column in self._values.follow(frames.published).items():
                columns[name][row] = column
        flags = {ARP: frames.protocol == "ARP", SYN: frames.syn > 0, RST: frames.rst > 0, PUBLISH: is_publish}
        late, run = columns["publish_late"], columns["value_run"]
        return columns | self._traffic.follow(frames.time_ns, frames.flow, flags, late, run)
