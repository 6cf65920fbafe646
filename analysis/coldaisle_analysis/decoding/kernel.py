"""The kernel: one compiled pass over the frames of a block fills the columns of both levels."""

from functools import cache
from typing import Protocol as Interface

import numpy as np

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import entry, inner
from coldaisle_analysis.decoding import arrays, framing, mqtt, state, streams
from coldaisle_analysis.decoding.arrays import Index, Int8s, Messages, Rows
from coldaisle_analysis.decoding.connections import connection
from coldaisle_analysis.decoding.controls import client
from coldaisle_analysis.decoding.dictionaries import make_room
from coldaisle_analysis.decoding.fields import u8, u16, u32
from coldaisle_analysis.decoding.flows import features
from coldaisle_analysis.decoding.layers import flow_of, network
from coldaisle_analysis.decoding.layout import I8, I32, I64, Code, Has, Protocol
from coldaisle_analysis.decoding.network import ICMP, ICMPV6, TCP, UDP, icmp
from coldaisle_analysis.decoding.numbering import sequence
from coldaisle_analysis.decoding.outlook import MORE, outlook_of
from coldaisle_analysis.decoding.pool import BLOCK
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.summaries import first_message
from coldaisle_analysis.decoding.transport import NTP_PORT, SYN, tcp, udp
from coldaisle_analysis.decoding.tunnels import IPV4, IPV6
from coldaisle_analysis.decoding.unread import TUNNEL_PORTS, Unread, count, skip

MOST_MESSAGES = 1 << 19
"""More messages than one frame can complete: those of all early segments of both directions."""
MOST_BYTES = 1 << 22
"""More payload bytes than one frame can complete: a whole stored message, and all early segments of both directions."""
MOST_TEXTS = 3 << 17
"""More texts than one frame can name."""
_MOST_NUMBERS = 64


class Kernel(Interface):
    """The compiled function that :func:`load` returns."""

    def __call__(
        self,
        data: Bytes,
        index: Index,
        first: int,
        count: int,
        horizon: int,
        ports: Int8s,
        shard: int,
        rows: Rows,
        messages: Messages,
        carried: Carried,
    ) -> int:
        """Decode the frames of a block, see :func:`_decode`."""


@cache
def load() -> Kernel:
    """Return the compiled kernel; only the very first call on a machine compiles it."""
    index, rows, messages = arrays.new_index(1), arrays.new_rows(1, 1), arrays.new_messages(1, 1)
    ports = np.zeros(1, np.int8)
    return entry(_decode, 1, rows.text, index, 0, 0, 0, ports, 0, rows, messages, state.new(1, 1))


def _decode(
    data: Bytes,
    index: Index,
    first: int,
    count: int,
    horizon: int,
    ports: Int8s,
    shard: int,
    rows: Rows,
    messages: Messages,
    carried: Carried,
) -> int:
    """Decode the frames of a block from ``first`` on, until its end or until a column is full; return how many were decoded.

    Args:
        data: pool, scratch room and block in one array, see :mod:`pool`.
        index: positions of the frames.
        first: number of the first frame to decode, from 0.
        count: how many frames the block has.
        horizon: what is behind them, see :mod:`outlook`.
        ports: what each TCP port is known for, see :mod:`framing`.
        shard: number of the shard; flows never cross shards.
        rows: columns of the packets, from 0 on.
        messages: columns of the messages, from 0 on.
        carried: the state that is carried from call to call.
    """
    tally = carried.tally[0]
    messages.payload_end[0] = rows.text_end[0] = 0
    done, tally.asks = count - first, 0
    for frame in range(first, count):
        row = frame - first
        if row == len(rows.bits) or _is_full(rows, messages, carried):
            done = row
            break
        make_room(carried, _MOST_NUMBERS)
        tally.flaw = tally.completed = 0
        start = index.start[frame]
        tally.payload_at = start
        bits = _frame(data, index, frame, count, horizon, ports, shard, rows, row, messages, carried)
        if bits < 0:
            tally.asks, done = 1, row
            break
        if tally.completed:
            bits |= first_message(rows, row, messages, carried)
        rows.text_end[row + 1] = tally.payload_text
        rows.bits[row] = bits
        rows.flaw[row] = tally.flaw
        if tally.flaw:
            tally.malformed += 1
            within = start <= tally.flaw_at <= start + index.length[frame]
            rows.flaw_at[row] = (tally.flaw_at if within else tally.payload_at) - start
    tally.frames += done
    return done


@inner
def _is_full(rows: Rows, messages: Messages, carried: Carried) -> bool:
    """Tell whether the next frame might not fit into a column."""
    tally = carried.tally[0]
    return bool(
        tally.messages + MOST_MESSAGES > len(messages.bits)
        or tally.payload_bytes + MOST_BYTES > len(messages.payload)
        or tally.payload_text + 3 * MOST_BYTES > len(rows.text)
        or tally.text_bytes + MOST_BYTES > len(carried.text_data)
        or tally.texts + MOST_TEXTS > len(carried.texts)
        or tally.numbers + _MOST_NUMBERS > len(carried.numbers)
    )


@inner
def _frame(
    data: Bytes,
    index: Index,
    frame: int,
    count: int,
    horizon: int,
    ports: Int8s,
    shard: int,
    rows: Rows,
    row: int,
    messages: Messages,
    carried: Carried,
) -> int:
    """Decode a frame from the link layer up and return bits of Has, -1 when that takes frames behind the block."""
    start, time_ns = int(index.start[frame]), int(index.time_ns[frame])
    end, wire_end = start + index.length[frame], start + index.wire[frame]
    _begin(rows, row, int(index.wire[frame]))
    kind, proto, at, behind, end, packet_end, net, bits = network(
        data, int(index.link[frame]), start, end, wire_end, time_ns, shard, rows, row, carried
    )
    if proto < 0:
        return bits
    if proto == ICMP and kind == IPV4:
        return bits | icmp(data, behind, end, Protocol.ICMP, rows, row, carried)
    if proto == ICMPV6 and kind == IPV6:
        return bits | icmp(data, behind, end, Protocol.ICMPV6, rows, row, carried)
    if proto not in (TCP, UDP):
        skip(carried, Unread.IP, proto)
        return bits
    payload, length = behind, 0
    if proto == TCP:
        payload, length, more = tcp(data, behind, end, packet_end, rows, row, carried)
    else:
        more = _datagram(data, behind, end, packet_end, rows, row, carried)
    if more == 0:
        return bits
    place, low_first = flow_of(data, at, behind, kind, proto, shard, net, carried)
    if proto == TCP and (u8(data, behind + 13) & SYN or carried.flows[place].unproven):
        seq, ack, flags = u32(data, behind + 4), u32(data, behind + 8), u8(data, behind + 13)
        place = connection(carried, place, seq, ack, flags, low_first)
    way = int(carried.flows[place].low_first == low_first)
    outlook = outlook_of(
        data, index, frame, count, horizon, kind, at, behind, length, place, way, ports, row, carried
    )
    if outlook == MORE:
        return -1
    bits |= more | features(carried, place, way, time_ns, index.wire[frame], rows, row)
    if proto == UDP:
        rows.i8[I8.TO_SERVER, row] = rows.i32[I32.UDP_DSTPORT, row] == NTP_PORT
        return bits
    return bits | _segment(
        data, behind, payload, length, end, place, way, ports, outlook, rows, row, messages, carried
    )


@inner
def _datagram(data: Bytes, at: int, end: int, packet_end: int, rows: Rows, row: int, carried: Carried) -> int:
    """Decode a UDP header and what is behind it, see :func:`udp`; name a tunnel that is not read."""
    bits = udp(data, at, end, packet_end, rows, row, carried)
    if bits and rows.i32[I32.UDP_DSTPORT, row] in TUNNEL_PORTS:
        skip(carried, Unread.UDP, int(rows.i32[I32.UDP_DSTPORT, row]))
    return int(bits)


@inner
def _begin(rows: Rows, row: int, length: int) -> None:
    """Write the columns that every frame has."""
    rows.i32[I32.FRAME_LEN, row] = length
    rows.i8[I8.PROTOCOL, row] = Protocol.OTHER
    rows.i8[I8.ETH_SRC_CHANGED, row] = rows.i8[I8.TO_SERVER, row] = 0
    rows.i64[I64.FLOW, row] = -1


@inner
def _segment(
    data: Bytes,
    at: int,
    payload: int,
    length: int,
    end: int,
    place: int,
    way: int,
    ports: Int8s,
    outlook: int,
    rows: Rows,
    row: int,
    messages: Messages,
    carried: Carried,
) -> int:
    """Follow the stream of a TCP segment whose header stands at ``at``, and return bits of Has."""
    if payload >= BLOCK:  # and not in a datagram put together from fragments
        carried.tally[0].payload_at = payload
    if payload + length > end:
        note(carried, Reason.TCP_PAYLOAD, end)
    flags, seq = u16(data, at + 12), u32(data, at + 4)
    sequence(carried, 2 * place + way, seq, length, flags, rows, row)
    stop, known = max(payload, min(payload + length, end)), ports[u16(data, at)] | ports[u16(data, at + 2)]
    if known == 0 and not framing.is_followed(data, payload, stop, place, way, carried):
        if mqtt.is_connect(data, payload, stop):
            count(carried, Unread.PORT, u16(data, at + 2))
        elif u16(data, at + 2) == framing.TLS_PORT and framing.is_hello(data, payload, stop):
            carried.tally[0].encrypted += 1
        return 0
    rows.i8[I8.TO_SERVER, row] = ports[u16(data, at + 2)] & framing.MQTT
    absent, ack, flow = payload + length - stop, u32(data, at + 8), carried.flows[place]
    streams.segment(
        data, seq, ack, flags, payload, stop, absent, place, way, known, outlook, row, carried, messages
    )
    if flow.client_way > 0:
        rows.i8[I8.TO_SERVER, row] = flow.client_way == 1 + way
    if flow.client_length < 0:
        return 0
    rows.code[Code.CLIENT, row] = client(data, place, carried)
    return Has.CLIENT
