"""Columns of a frame that follow from the frames before it: its sensor's values and the traffic around it."""

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Mask, Texts
from coldaisle_analysis.features import values
from coldaisle_analysis.features.traffic import ARP, PUBLISH, RST, SYN, Traffic
from coldaisle_analysis.features.values import Values
from coldaisle_analysis.series.published import Published


class Derivation:
    """Derives columns, for a whole capture or for frames as they come, with the same result."""

    def __init__(self) -> None:
        self._values, self._traffic = Values(), Traffic()

    def follow(
        self,
        time_ns: Ints,
        flow: Ints,
        protocol: Texts,
        syn: Floats,
        rst: Floats,
        is_publish: Mask,
        published: Published,
    ) -> dict[str, Floats]:
        """Return the columns :data:`values.COLUMNS` and :data:`traffic.COLUMNS` of the next frames, shape (frames,) each.

        Args:
            time_ns: time of each frame, in ns since the epoch, in order.
            flow: number of its flow, -1 for none.
            protocol: name of its protocol.
            syn: SYN flag; missing outside TCP.
            rst: RST flag; missing outside TCP.
            is_publish: whether it completes a PUBLISH, from a publisher or to a subscriber.
            published: what publishers report in these frames.
        """
        columns = {name: np.full(len(time_ns), np.nan) for name in values.COLUMNS}
        if len(published.row):
            for name, column in self._values.follow(published).items():
                columns[name][published.row] = column
        flags = {ARP: protocol == "ARP", SYN: syn > 0, RST: rst > 0, PUBLISH: is_publish}
        late, run = columns["publish_late"], columns["value_run"]
        return columns | self._traffic.follow(time_ns, flow, flags, late, run)
