"""Causal flow features: what is known of a bidirectional flow when a frame of it passes, nothing later.

A TCP flow starts at a SYN with a new sequence number on its address and port pairs, a UDP flow with the pair.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.captures import Ints
from coldaisle_analysis.headers import TCP, Layers

_SECOND = 1e9
_SYN, _SYN_ACK = 0x02, 0x12
Floats = npt.NDArray[np.float64]


def identify(view: Layers, shard: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the flow of every frame (-1 outside TCP and UDP) and whether it goes the way of the first.

    Args:
        view: the frames' layers.
        shard: number of each frame's shard; flows never cross shards.
    """
    carried = view.tcp | view.udp
    at, ports = view.network, view.transport
    source = view.u32(at + 12) << 16 | view.u16(ports)
    target = view.u32(at + 16) << 16 | view.u16(ports + 2)
    low, high = np.minimum(source, target), np.maximum(source, target)
    keys = pd.DataFrame({"shard": shard, "proto": view.u8(at + 9), "low": low, "high": high})[carried]
    keys["generation"] = _generation(
        view, keys.groupby(["shard", "proto", "low", "high"], sort=False).ngroup(), carried
    )
    flow = np.full(len(carried), -1, np.int64)
    flow[carried] = keys.groupby(list(keys.columns), sort=False).ngroup()
    first = pd.Series(source[carried]).groupby(flow[carried]).transform("first").to_numpy()
    forward = np.zeros(len(carried), bool)
    forward[carried] = source[carried] == first
    return flow, forward


def _generation(view: Layers, pair: pd.Series, carried: npt.NDArray[np.bool_]) -> pd.Series:
    """Count the connections opened so far on each address and port pair: SYNs with a new sequence number."""
    at = view.transport[carried]
    opening = (view.u8(view.network + 9)[carried] == TCP) & (view.u8(at + 13) & _SYN_ACK == _SYN)
    sequence = pd.Series(view.u32(at + 4), pair.index)
    last = sequence.where(opening).groupby(pair).ffill().groupby(pair).shift(fill_value=-1)
    fresh = pd.Series(opening, pair.index) & (sequence != last)
    return fresh.groupby(pair).cumsum()


def features(flow: Ints, forward: npt.NDArray[np.bool_], time_ns: Ints, length: Ints) -> dict[str, Floats]:
    """Return the flow columns of every frame; missing outside TCP and UDP and where nothing came before.

    Args:
        flow: flow of each frame, -1 for none.
        forward: its direction.
        time_ns: time of each frame, ns.
        length: length of each frame on the wire, bytes.
    """
    table = pd.DataFrame({"flow": flow, "way": flow * 2 + forward, "time": time_ns, "bytes": length})[
        flow >= 0
    ]
    flows, ways = table.groupby("flow", sort=False), table.groupby("way", sort=False)
    packets, size = flows.cumcount() + 1, flows["bytes"].cumsum()
    dir_packets, dir_size = ways.cumcount() + 1, ways["bytes"].cumsum()
    columns = {
        "flow_packets": packets,
        "flow_bytes": size,
        "flow_mean_bytes": size / packets,
        "flow_duration": (table["time"] - flows["time"].transform("first")) / _SECOND,
        "flow_iat": flows["time"].diff() / _SECOND,
        "dir_iat": ways["time"].diff() / _SECOND,
        "reply_s": (table["time"] - _other_way(table)) / _SECOND,
        "dir_packets": dir_packets,
        "dir_mean_bytes": dir_size / dir_packets,
    }
    return {name: _spread(values, flow >= 0) for name, values in columns.items()}


def sequence_flags(
    flow: Ints,
    forward: npt.NDArray[np.bool_],
    segments: npt.NDArray[np.bool_],
    seq: Ints,
    length: Ints,
    syn: Ints,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which segments carry only bytes sent before, and which start past the next byte expected.

    Args:
        flow: flow of each frame.
        forward: its direction.
        segments: mask of the TCP segments.
        seq: raw sequence numbers.
        length: payload lengths, bytes.
        syn: SYN flags, each of which counts as one byte.
    """
    way = pd.Series((flow * 2 + forward)[segments])
    raw = pd.Series(seq[segments])
    offset = (raw - raw.groupby(way).transform("first") + (1 << 31)) % (1 << 32) - (1 << 31)
    start = offset + syn[segments]
    end = start + length[segments]
    reached = end.groupby(way).cummax().groupby(way).shift()
    carries = length[segments] > 0
    again, gap = np.zeros(len(flow), bool), np.zeros(len(flow), bool)
    again[segments] = carries & (end <= reached)
    gap[segments] = carries & (start > reached)
    return again, gap


def _other_way(table: pd.DataFrame) -> pd.Series:
    """Return the time of the flow's last packet in the other direction, ns."""
    forward = table["way"] % 2 == 1
    last_forward = table["time"].where(forward).groupby(table["flow"]).ffill()
    last_back = table["time"].where(~forward).groupby(table["flow"]).ffill()
    return last_back.where(forward, last_forward)


def _spread(values: pd.Series, present: npt.NDArray[np.bool_]) -> Floats:
    column = np.full(len(present), np.nan)
    column[present] = values
    return column
