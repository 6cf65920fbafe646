"""Foreign captures: captures of MQTT with labels, see :mod:`~coldaisle_analysis.dataset.labels`.

There is no plan and no journal. A reading is a number in a PUBLISH from a publisher, a slot is a moment at which sensors publish together, and the kind
is the class of the frame, ``attack`` where that has no name. Labelled frames of one source and kind that are less than an hour apart are
one episode; the source is the IP address, or the MAC address where a frame has none, as in ARP.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from coldaisle_analysis.columns import conform
from coldaisle_analysis.dataset.labels import Labels
from coldaisle_analysis.dataset.reported import readings_of, values_of, with_absent
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.features import packets
from coldaisle_contracts.clock import HOUR
from coldaisle_contracts.errors import InputError

EPISODE_GAP = HOUR
"""Shortest pause between two episodes of one source, in ns."""


class Built(NamedTuple):
    """The levels of foreign captures.

    Attributes:
        packets: level ``packets``.
        messages: messages as decoded.
        readings: level ``readings``, without a row where no payload holds a number.
        recognised: one line on the series that were read and on what was left out.
        remarks: sentences on frames that were not read, and on labels that match no frame.
    """

    packets: pd.DataFrame
    messages: pd.DataFrame
    readings: pd.DataFrame
    recognised: str
    remarks: tuple[str, ...]


def build(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    utc_offset_s: int,
    chosen: Sequence[str] = (),
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Built:
    """Return the levels of foreign captures.

    Args:
        pcaps: captures, one per day, in order of time.
        labels: their labels, see :class:`Labels`.
        utc_offset_s: offset of local time from UTC, in s.
        chosen: patterns of the names of series to read; without any, all are.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a capture cannot be read, labels do not match a capture, or no series is chosen.
    """
    if not pcaps:
        raise InputError("--pcap", "name at least one capture")
    given = Labels(pcaps, labels)  # what is wrong with them is reported before any capture is decoded
    days = [f"day-{day}" for day in range(1, len(pcaps) + 1)]
    trace = packets.trace(pcaps, days, utc_offset_s, chosen, mqtt)
    frames = trace.packets.assign(day=trace.frames.file + 1)
    truth, remarks = given.truth(frames, pd.Series(trace.frames.file))
    frames = frames.assign(**truth)
    frames["episode"] = frames["episode"].where(frames["episode"].notna(), _episodes(frames))
    complete = conform(with_absent(frames, "packets"), "packets")
    values, recognised = values_of(trace, chosen)
    return Built(
        complete,
        trace.messages,
        readings_of(trace, values, frames, utc_offset_s),
        recognised,
        (*trace.remarks, *remarks),
    )


def _episodes(frames: pd.DataFrame) -> pd.Series:
    """Number the stretches of anomalous frames of each source and kind: ``a01``, ``a02``, … in order of time.

    The source is the IP address; of a frame without one, such as ARP, the MAC address it was sent from.
    """
    marked = frames[(frames["label"] == 1) | (frames["benign"] == 1)]
    source = marked["ip_src"].astype("str").fillna(marked["eth_src"].astype("str")).fillna("")
    by = [source, marked["kind"]]
    starts = ~(marked["time_ns"].groupby(by).diff() < EPISODE_GAP)
    order = starts.cumsum().where(starts).groupby(by).ffill().astype("int64")
    names = "a" + order.astype("str").str.zfill(2)
    return pd.Series(names).reindex(frames.index)
