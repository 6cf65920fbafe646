"""The state that the decoder carries from block to block, and its bounds.

It consists of arrays of records that are made once and never grow. Where a bound is reached, the oldest entry is dropped
and counted in :data:`tally.TALLY`, so that a reader is told.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.decoding.arrays import NO_TIME, room
from coldaisle_analysis.decoding.entries import ALIAS, HOST, NUMBER, TEXT, UNREAD
from coldaisle_analysis.decoding.tally import TALLY

FLOWS = 1 << 18
"""Flows known at a time; beyond that, the flow that was silent for the longest time is forgotten."""
HOSTS = 1 << 18
"""IP addresses whose first MAC address is remembered."""
CHUNK = 256
"""Bytes of a chunk of the pool that holds partial messages, early segments and client ids."""
CHUNKS = 1 << 18
"""Chunks of the pool: 64 MiB."""
LONGEST = 1 << 20
"""Bytes of an incomplete message that are stored; the bytes of a longer payload are counted, not stored."""
EARLY = 1 << 18
"""Bytes of segments that wait behind a hole in one direction; beyond that, the hole is given up."""
EARLY_SEGMENTS = 1 << 10
"""The most segments that wait behind a hole in one direction."""
HOLES = 4
"""The most holes remembered in one direction to tell late segments from retransmissions."""
DATAGRAMS = 256
"""The most IP datagrams whose fragments are kept at a time; beyond that, those of the oldest one are given up."""
SEGMENTS = 1 << 17
"""The most early segments of all directions together."""
ALIASES = 1 << 16
"""The most topic aliases of all directions together."""
UNREAD_KINDS = 1 << 8
"""The most kinds of what is not read that are told apart."""
NUMBERS = 1 << 20
"""The most addresses that a batch may name."""
TEXTS = 1 << 19
"""The most different texts that a batch may hold."""
SMALLEST = 1 << 10
"""Places in use at first of the tables that find a batch's addresses and texts; a small table stays in the processor's cache."""

FLOW = np.dtype(
    [
        ("key", np.int64, (5,)),  # both ends' addresses in halves; ports, protocol, version and shard
        ("number", np.int64),
        ("used", np.int64),  # number of the packet at which it was put in front
        ("first_ns", np.int64),  # NO_TIME before the first frame that has a time
        ("last_ns", np.int64),
        ("packets", np.int64),
        ("bytes", np.int64),
        ("opened", np.int64),  # sequence number of the SYN that opened it, -1 for none
        ("before", np.int32),  # the flow used next before this one, and next after
        ("after", np.int32),
        ("chain", np.int32),  # the next flow in the same bucket, and that bucket
        ("bucket", np.int32),
        ("client", np.int32),  # first chunk of the client id
        ("client_length", np.int32),  # its bytes, -1 while it is not known
        (
            "client_batch",
            np.int32,
        ),  # batch in which `client_code` is the client id's position in the dictionary
        ("client_code", np.int32),
        ("version", np.int16),  # protocol level of its CONNECT, or shown or stated without one, 0 for none
        ("client_way", np.int8),  # direction of the client of an HTTP exchange, plus 1; 0 for none
        ("settled", np.int8),  # what is known of its version while that is 0, see `versions`
        ("unproven", np.int8),  # whether a SYN began it beside an older one and was not yet answered
        ("low_first", np.int8),  # whether the end with the lower address sent the first packet
    ],
    align=True,
)
"""A bidirectional flow."""

SIDE = np.dtype(
    [
        ("last_ns", np.int64),
        ("packets", np.int64),
        ("bytes", np.int64),
        ("first", np.int64),  # sequence number of the first byte that was seen, or that its SYN announced
        ("reached", np.int64),  # sequence number behind the furthest byte sent, -1 before the first segment
        ("acked", np.int64),  # the furthest that the other side acknowledged, -1 for nothing
        (
            "holes",
            np.uint32,
            (2 * HOLES,),
        ),  # bytes before `reached` that were not seen: start and end of each hole
        ("expected", np.int64),  # sequence number of the next byte of the stream, -1 before the first
        ("received", np.int64),  # bytes of the message under way
        ("need", np.int64),  # how many it has, 0 while unknown
        ("stored", np.int32),  # how many of them are in chunks
        ("head", np.int32),  # first and last chunk, -1 for none
        ("tail", np.int32),
        ("early", np.int32),  # first early segment, in order of sequence numbers, -1 for none
        ("early_bytes", np.int32),
        ("early_count", np.int32),
        ("alias", np.int32),  # first topic alias, -1 for none
        ("hole_count", np.int8),
        ("empty", np.int8),  # whether `reached` is known from segments without payload alone
        ("settled", np.int64),  # number of the frame up to which the hole at hand is left open
        ("lost", np.int8),  # whether the start of a message has to be found again
        ("stage", np.int8),  # what carries MQTT here, see `framing`
        ("unsure", np.int8),  # whether the start of a WebSocket frame has to be found again
        ("compressed", np.int8),  # whether the WebSocket message under way is
        ("turn", np.int8),  # which byte of the mask is next
        ("marks", np.int8),  # what an HTTP header has said
        ("first_byte", np.int16),  # the first two bytes of a WebSocket frame
        ("length_byte", np.int16),
        (
            "have",
            np.int32,
        ),  # bytes so far of the header under way, and those of the frame or header that are to come
        ("left", np.int64),
        ("mask", np.int64),
        ("window", np.int64),  # the last bytes of an HTTP header
    ],
    align=True,
)
"""A direction of a flow. Its place is twice the place of the flow, plus one for the direction of the first packet.

The last of them, :data:`DATAGRAMS` in number, are no directions, but keep the fragments of a datagram as early segments.
"""

DATAGRAM = np.dtype(
    [
        ("key", np.int64, (5,)),  # addresses in halves; identification, protocol, version and shard
        ("first_ns", np.int64),  # time of its first fragment
        ("total", np.int32),  # its length without header, in bytes, -1 before its last fragment
        ("used", np.int8),
    ],
    align=True,
)
"""A datagram of which fragments wait for others."""

SEGMENT = np.dtype(
    [
        ("seq", np.int64),
        ("length", np.int32),  # bytes that were captured, and bytes behind them that were not
        ("absent", np.int32),
        ("head", np.int32),
        ("next", np.int32),
        ("doubtful", np.int8),  # whether it acknowledges what was not seen to be sent
    ],
    align=True,
)
"""An early segment."""


Records = npt.NDArray[np.void]
Ints = npt.NDArray[np.int32]


class Carried(NamedTuple):
    """The whole state.

    Attributes:
        flows: records FLOW.
        sides: records SIDE.
        buckets: first flow of each bucket of the table of flows, -1 for none.
        datagrams: records DATAGRAM; the last one names the datagram at hand.
        segments: records SEGMENT.
        aliases: records ALIAS.
        alias_buckets: first alias of each bucket of the table of aliases, -1 for none.
        chunk_next: chunk that follows each chunk, -1 for none.
        hosts: records HOST, found through ``host_slots``.
        host_slots: open-addressed table of positions in ``hosts``, -1 for none.
        numbers: records NUMBER of this batch, found through ``number_slots``.
        number_slots: the same for ``numbers``.
        texts: records TEXT of this batch, found through ``text_slots``.
        text_slots: the same for ``texts``.
        text_data: the bytes of the texts.
        unread: records UNREAD.
        tally: one record TALLY.
    """

    flows: Records
    sides: Records
    buckets: Ints
    datagrams: Records
    segments: Records
    aliases: Records
    alias_buckets: Ints
    chunk_next: Ints
    hosts: Records
    host_slots: Ints
    numbers: Records
    number_slots: Ints
    texts: Records
    text_slots: Ints
    text_data: npt.NDArray[np.uint8]
    unread: Records
    tally: Records


def new(text: int, flows: int = FLOWS, version: int = 0) -> Carried:
    """Return the state before the first frame.

    Args:
        text: room for the texts of one batch, in bytes.
        flows: the most flows known at a time.
        version: protocol level of connections whose CONNECT is not seen, 0 where they have to show it.
    """
    tally = np.zeros(1, TALLY)
    tally["version"] = version
    tally["number_mask"] = tally["text_mask"] = SMALLEST - 1
    for name in ("newest", "oldest", "free_flow", "free_chunk", "free_segment", "free_alias"):
        tally[name] = -1
    tally["arp_ns"] = NO_TIME
    return Carried(
        room(flows, FLOW),
        room(2 * flows + DATAGRAMS, SIDE),
        _slots(2 * FLOWS),
        room(DATAGRAMS + 1, DATAGRAM),
        room(SEGMENTS, SEGMENT),
        room(ALIASES, ALIAS),
        _slots(ALIASES),
        room(CHUNKS, np.dtype(np.int32)),
        room(HOSTS, HOST),
        _slots(2 * HOSTS),
        room(NUMBERS, NUMBER),
        _slots(2 * NUMBERS),
        room(TEXTS, TEXT),
        _slots(2 * TEXTS),
        room(text, np.dtype(np.uint8)),
        room(UNREAD_KINDS, UNREAD),
        tally,
    )


def _slots(count: int) -> Ints:
    """Return an empty table of ``count`` places, in large pages because look-ups are scattered over it."""
    return np.full(count, -1, np.int32)


def start_batch(carried: Carried) -> None:
    """Empty the batch's dictionaries and counters."""
    tally = carried.tally
    carried.number_slots[carried.numbers["slot"][: int(tally["numbers"][0])]] = -1
    carried.text_slots[carried.texts["slot"][: int(tally["texts"][0])]] = -1
    for name in ("messages", "numbers", "texts", "text_bytes", "payload_bytes", "payload_text", "codes"):
        tally[name] = 0
    tally["batch"] += 1
