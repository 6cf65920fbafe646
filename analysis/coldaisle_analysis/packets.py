"""Decoding captures: a row a frame, from Ethernet to MQTT, with causal flow and value features.

Headers are decoded by :mod:`headers` for all frames at once, MQTT by :mod:`streams`, which follows every
connection. When several messages end in one frame its row carries the first one's fields and their number;
``messages`` of :class:`Trace` has them all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis import flows, mqtt, values
from coldaisle_analysis.captures import Frames, Ints, read
from coldaisle_analysis.headers import Layers, Mask, integers, layers
from coldaisle_analysis.headers import decode as decode_headers
from coldaisle_analysis.streams import Segment, follow
from coldaisle_contracts.addressing import MQTT_PORT, NTP_PORT
from coldaisle_contracts.clock import SECOND

_DAY = 86_400 * SECOND
_MQTT_INTEGERS = (
    "msgtype",
    "len",
    "qos",
    "dup",
    "retain",
    "msgid",
    "version",
    "keepalive",
    "cleansess",
    "connack",
)
_MQTT_TEXTS = ("topic", "payload", "clientid", "protoname")


@dataclass(frozen=True)
class Trace:
    """Decoded captures.

    Attributes:
        frames: the frames as read.
        packets: a row a frame: every column of level ``packets`` but the labels, ``day`` and ``wall_ns``.
        messages: a row an MQTT message, with ``row`` (position in packets), ``client``, ``time_ns``, ``flow``
            and the fields of :class:`mqtt.Message`.
        gaps: holes in the capture given up.
    """

    frames: Frames
    packets: pd.DataFrame
    messages: pd.DataFrame
    gaps: int


def decode(files: Sequence[Path], utc_offset_s: int = 0) -> pd.DataFrame:
    """Return a row a frame of these captures, see :class:`Trace`.

    Args:
        files: pcap files in order of time.
        utc_offset_s: offset of local time from UTC, s, for weekday and hour.

    Raises:
        InputError: if a file cannot be read, see :func:`captures.read`.
    """
    return trace(files, utc_offset_s=utc_offset_s).packets


def trace(files: Sequence[Path], shards: Sequence[str] | None = None, utc_offset_s: int = 0) -> Trace:
    """Decode captures into packets and messages.

    Args:
        files: pcap files in order of time.
        shards: name of each file's shard; one shard when left out. Connections never cross shards.
        utc_offset_s: offset of local time from UTC, s.

    Raises:
        InputError: if a file cannot be read.
    """
    frames = read(files)
    names = list(dict.fromkeys(shards or [""]))
    of_file = np.array([names.index(name) for name in shards] if shards else [0] * len(files), np.int64)
    shard = of_file[frames.file]
    view = layers(frames)
    flow, forward = flows.identify(view, shard)
    again, gap = _sequence(view, flow, forward)
    messages, gaps = _messages(view, flow, forward, gap)
    messages["time_ns"] = frames.time_ns[messages["row"]]
    messages["flow"] = flow[messages["row"]]
    messages["client"] = _clients(messages)
    columns: dict[str, Any] = {
        "frame": np.arange(1, len(frames) + 1),
        "file": pd.Categorical.from_codes(frames.file, pd.Index([path.name for path in files], dtype="str")),
        "frame_in_file": frames.number,
        "shard": pd.Categorical.from_codes(shard, pd.Index(names, dtype="str")),
        **_times(frames.time_ns, utc_offset_s),
        **decode_headers(view),
        "to_server": _to_server(view),
        "flow": flow,
        **flows.features(flow, forward, frames.time_ns, frames.wire_length),
        "tcp_retransmission": integers(again.astype(np.int64), view.tcp),
        "tcp_gap": integers(gap.astype(np.int64), view.tcp),
        **_first_messages(messages, len(frames)),
        "client": _client_of_flow(messages, flow),
    }
    columns["protocol"] = _protocol(view, columns["mqtt_messages"])
    packets = pd.DataFrame(columns)
    packets = packets.assign(**_conflicts(view, frames.time_ns), **values.of_messages(messages, packets))
    return Trace(frames, packets, messages, gaps)


def _times(time_ns: Ints, utc_offset_s: int) -> dict[str, Any]:
    local = time_ns + utc_offset_s * SECOND
    return {
        "time": pd.to_datetime(time_ns, utc=True),
        "time_ns": time_ns,
        "weekday": (local // _DAY + 3) % 7,
        "hour": local % _DAY / (3600 * SECOND),
    }


def _segments(view: Layers, flow: Ints, forward: Any, gap: Mask) -> Iterator[Segment]:
    """Yield the TCP segments of the MQTT port; bare acknowledgements only of flows in which something is missing."""
    at = view.transport
    speaks = (view.payload_length > 0) | (view.u8(at + 13) & 2 > 0) | np.isin(flow, np.unique(flow[gap]))
    chosen = np.flatnonzero(
        view.tcp & speaks & ((view.u16(at) == MQTT_PORT) | (view.u16(at + 2) == MQTT_PORT))
    )
    head, start = at[chosen], view.payload[chosen]
    seen = view.frames.start[chosen] + view.frames.length[chosen]
    stop = np.minimum(start + view.payload_length[chosen], seen)
    data = view.frames.data.data
    syn = view.u8(head + 13) & 2 > 0
    table = (chosen, flow[chosen], forward[chosen], view.u32(head + 4), view.u32(head + 8), syn, start, stop)
    for index, number, way, seq, ack, opens, first, last in zip(
        *(column.tolist() for column in table), strict=True
    ):
        yield index, number, way, seq, ack, opens, bytes(data[first:last])


def _messages(view: Layers, flow: Ints, forward: Any, gap: Mask) -> tuple[pd.DataFrame, int]:
    found, gaps = follow(_segments(view, flow, forward, gap))
    parsed = [mqtt.parse(first, body) for _, first, body in found]
    table = pd.DataFrame(parsed, columns=list(mqtt.Message._fields))
    table = table.astype(dict.fromkeys(_MQTT_INTEGERS, "Int64") | dict.fromkeys(_MQTT_TEXTS, "category"))
    table.insert(0, "row", np.array([index for index, _, _ in found], np.int64))
    return table, gaps


def _clients(messages: pd.DataFrame) -> pd.Series:
    """Return the client id of each message's connection, once its CONNECT was seen."""
    return messages["clientid"].astype("str").groupby(messages["flow"]).ffill().astype("category")


def _client_of_flow(messages: pd.DataFrame, flow: Ints) -> pd.Series:
    """Return the client id of each frame's connection, from the frame that completes its CONNECT on."""
    connects = messages[messages["clientid"].notna()]
    known = (
        connects.set_index("row")["clientid"].astype("str").groupby(level=0).first().reindex(range(len(flow)))
    )
    return known.groupby(flow).ffill().where(flow >= 0).astype("category")


def _first_messages(messages: pd.DataFrame, count: int) -> dict[str, pd.Series]:
    """Return the MQTT columns of every frame: the first message's fields, and how many there are."""
    first = messages.drop_duplicates("row").set_index("row").reindex(range(count))
    columns = {f"mqtt_{name}": first[name] for name in (*_MQTT_INTEGERS, *_MQTT_TEXTS)}
    number = np.bincount(messages["row"], minlength=count)
    return columns | {"mqtt_messages": integers(number, number > 0)}


def _to_server(view: Layers) -> Any:
    port = view.u16(view.transport + 2)
    return ((view.tcp & (port == MQTT_PORT)) | (view.udp & (port == NTP_PORT))).astype(np.int8)


def _sequence(view: Layers, flow: Ints, forward: Any) -> tuple[Mask, Mask]:
    at = view.transport
    syn = view.u8(at + 13) >> 1 & 1
    return flows.sequence_flags(flow, forward, view.tcp, view.u32(at + 4), view.payload_length, syn)


def _protocol(view: Layers, messages: pd.Series) -> pd.Categorical:
    names = np.array(["other", "IPv4", "ARP", "ICMP", "TCP", "UDP", "NTP", "MQTT"])
    code = np.zeros(len(view.frames), np.int64)
    icmp = view.ip & (view.u8(view.network + 9) == 1)
    for number, mask in enumerate(
        (view.ip, view.arp, icmp, view.tcp, view.udp, view.ntp, messages.notna()), 1
    ):
        code[np.asarray(mask)] = number
    return pd.Categorical.from_codes(code, pd.Index(names, dtype="str"))


def _conflicts(view: Layers, time_ns: Ints) -> dict[str, Any]:
    """Return the columns that watch which MAC address speaks for an IPv4 address, from ARP and IPv4 together."""
    at = view.network
    speaks = view.arp | view.ip
    address = np.where(view.arp, view.u32(at + 14), view.u32(at + 12))
    claimed = np.where(view.arp, view.u48(at + 8), view.u48(view.frames.start + 6))
    pairs = pd.DataFrame({"ip": address, "mac": claimed})[speaks & (address > 0)]
    changed = np.zeros(len(speaks), np.int64)
    changed[pairs.index] = pairs["mac"] != pairs.groupby("ip")["mac"].transform("first")
    arp_iat = np.full(len(speaks), np.nan)
    arp_iat[view.arp] = pd.Series(time_ns[view.arp]).diff() / SECOND
    return {
        "eth_src_changed": np.where(view.ip, changed, 0),
        "arp_conflict": integers(changed, view.arp),
        "arp_iat": arp_iat,
    }
