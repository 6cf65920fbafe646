"""Level ``flows``: statistics of the frames of each bidirectional flow, as in NFStream."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.columns import conform
from coldaisle_analysis.columns.flows import FLAGS, WAYS
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.dataset.aggregates.expiry import clock, number
from coldaisle_analysis.dataset.aggregates.moments import first_known, gaps, moments, named, starts_of, sums
from coldaisle_analysis.dataset.aggregates.truth import decide, touched
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_contracts.clock import SECOND

_UDP_HEADER = 8
_OF_FIRST = ("shard", "file", "day", "weekday", "hour", "ip_src", "ip_dst", "ip_proto", "to_server")
"""Columns that a flow takes from its first frame."""
_OF_FIRST_TOO = ("frame", "flow", "tcp_srcport", "udp_srcport", "tcp_dstport", "udp_dstport")
"""Columns that a flow takes from its first frame under another name."""


@dataclass(frozen=True)
class Members:
    """The frames of all flows, flow by flow and in order of time within one; all arrays have one entry per frame.

    Attributes:
        row: position in packets.
        flow: number of its flow, sorted.
        time_ns: time of the frame, in ns since the epoch, ascending.
        length: bytes on the wire.
        payload: bytes above TCP or UDP.
        flags: TCP flags, 0 for UDP.
        forward: whether it has the direction of the flow's first frame.
        count: number of flows.
    """

    row: Ints
    flow: Ints
    time_ns: Ints
    length: Ints
    payload: Ints
    flags: Ints
    forward: Mask
    count: int


def members(packets: pd.DataFrame, cut: Cut) -> Members:
    """Return the frames of all flows.

    Args:
        packets: level ``packets``.
        cut: limits of flows.
    """
    flow = number(packets, cut)
    row = np.flatnonzero(flow >= 0)
    row = row[np.argsort(flow[row], kind="stable")]
    flags, carried, datagram = (
        packets[name].iloc[row].fillna(0).to_numpy(np.int64) for name in ("tcp_flags", "tcp_len", "udp_len")
    )
    number_of = flow[row]
    source = packets["ip_src"].cat.codes.to_numpy(np.int64)[row] << 16 | _port(packets, "srcport")[row]
    first = np.searchsorted(number_of, number_of)
    return Members(
        row=row,
        flow=number_of,
        time_ns=clock(packets)[row],
        length=packets["frame_len"].to_numpy(np.int64)[row],
        payload=carried + np.maximum(datagram - _UDP_HEADER, 0),
        flags=flags,
        forward=source == source[first],
        count=int(number_of[-1]) + 1 if len(row) else 0,
    )


def build(packets: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    """Return level ``flows``: one row per flow, by first frame.

    Args:
        packets: level ``packets``.
        cut: limits of flows.
    """
    frames = members(packets, cut)
    first = np.searchsorted(frames.flow, np.arange(frames.count))
    last = np.append(first[1:], len(frames.flow)) - 1 if frames.count else first
    table = _who(packets, frames, first, last)
    everything = np.ones(len(frames.row), bool)
    for prefix, chosen in zip(WAYS, (everything, frames.forward, ~frames.forward), strict=True):
        for name, values in _one_way(frames, chosen).items():
            table[prefix + name] = values
    table |= _rest(packets, frames)
    truth = touched(packets)
    flow_of = np.full(len(packets), -1, np.int64)
    flow_of[frames.row] = frames.flow
    labels = decide(truth, flow_of[packets.index.get_indexer(truth.index)], frames.count)
    return conform(pd.DataFrame(table).join(labels), "flows")


def _port(packets: pd.DataFrame, name: str) -> Ints:
    """Return TCP's or UDP's port, 0 where there is neither."""
    tcp, udp = (packets[f"{layer}_{name}"].fillna(0).to_numpy(np.int64) for layer in ("tcp", "udp"))
    return np.asarray(tcp + udp)


def _who(packets: pd.DataFrame, frames: Members, first: Ints, last: Ints) -> dict[str, object]:
    """Return the columns that identify a flow, and its times."""
    head = packets[[*_OF_FIRST, *_OF_FIRST_TOO]].iloc[frames.row[first]]
    clients = packets["client"]
    client = first_known(clients.cat.codes.to_numpy()[frames.row].astype(np.int64), frames.flow, frames.count)
    return {
        "flow": np.arange(frames.count),
        "connection": head["flow"].to_numpy(),
        **{name: head[name].array for name in _OF_FIRST},
        "src_port": _port(head, "srcport"),
        "dst_port": _port(head, "dstport"),
        "client": pd.Categorical.from_codes(client, clients.cat.categories),
        "first_frame": head["frame"].to_numpy(),
        "last_frame": packets["frame"].to_numpy()[frames.row[last]],
        "first_ns": frames.time_ns[first],
        "last_ns": frames.time_ns[last],
        "time": pd.to_datetime(frames.time_ns[first], utc=True),
    }


def _one_way(frames: Members, chosen: Mask) -> dict[str, Ints | Floats]:
    """Return the statistics of the frames of one direction, or of both."""
    flow, count = frames.flow[chosen], frames.count
    length, time_ns = frames.length[chosen], frames.time_ns[chosen]
    between, of_flow = gaps(time_ns, flow)
    iat = moments(between, of_flow, count)
    columns: dict[str, Ints | Floats] = {
        "duration": _span(time_ns, flow, count),
        "packets": np.bincount(flow, minlength=count),
        "bytes": sums(length, flow, count),
        "payload": sums(frames.payload[chosen], flow, count),
        **named("size", moments(length.astype(np.float64), flow, count)),
        **named("iat", iat),
    }
    flags = frames.flags[chosen]
    return columns | {name: sums(flags >> bit & 1, flow, count) for bit, name in enumerate(FLAGS)}


def _span(time_ns: Ints, flow: Ints, count: int) -> Floats:
    """Return the time from first to last frame of each flow, in s; missing for a flow without frames."""
    starts = starts_of(flow)
    ends = np.append(starts[1:], len(flow))[: len(starts)] - 1
    span = np.full(count, np.nan)
    span[flow[starts]] = (time_ns[ends] - time_ns[starts]) / SECOND
    return span


def _rest(packets: pd.DataFrame, frames: Members) -> dict[str, Ints]:
    """Return the counts that are taken from decoded columns of a flow's frames."""
    of = {
        name: packets[name].iloc[frames.row].fillna(0).to_numpy(np.int64)
        for name in ("tcp_retransmission", "mqtt_messages", "mqtt_msgtype", "label")
    }
    counted = {
        "retransmissions": of["tcp_retransmission"],
        "mqtt_messages": of["mqtt_messages"],
        "publishes": of["mqtt_msgtype"] == PUBLISH,
        "attack_packets": of["label"],
    }
    return {name: sums(values, frames.flow, frames.count) for name, values in counted.items()}
