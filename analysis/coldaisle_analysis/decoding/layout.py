"""What the kernel writes: which row of which array is which column.

The kernel fills one two-dimensional array for each number type, a row a column of the table and a column a frame (or
message), so that a finished column lies in one piece and Arrow takes it as it is. The names are those of
:mod:`coldaisle_analysis.columns` in capitals; rows of :class:`Code` hold positions in a batch's dictionary.
"""

import mmap
from enum import IntEnum, auto
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


class Ordinal(IntEnum):
    """Rows of an array, numbered from 0."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:  # noqa: ARG004
        return count


class I8(Ordinal):
    """Columns of one byte."""

    PROTOCOL = auto()
    ETH_SRC_CHANGED = auto()
    ARP_CONFLICT = auto()
    IP_VERSION = auto()
    IP_DF = auto()
    IP_MF = auto()
    TO_SERVER = auto()
    TCP_FIN = auto()
    TCP_SYN = auto()
    TCP_RST = auto()
    TCP_PSH = auto()
    TCP_ACK_FLAG = auto()
    TCP_URG = auto()
    TCP_RETRANSMISSION = auto()
    TCP_GAP = auto()
    NTP_MODE = auto()
    MQTT_MSGTYPE = auto()
    MQTT_QOS = auto()
    MQTT_DUP = auto()
    MQTT_RETAIN = auto()
    MQTT_CLEANSESS = auto()


class I16(Ordinal):
    """Columns of two bytes."""

    VLAN_ID = auto()
    VLAN_INNER = auto()
    IP_PROTO = auto()
    IP_TTL = auto()
    IP_DSCP = auto()
    ICMP_TYPE = auto()
    ICMP_CODE = auto()
    TCP_HDR_LEN = auto()
    NTP_STRATUM = auto()
    MQTT_MESSAGES = auto()
    MQTT_VERSION = auto()
    MQTT_CONNACK = auto()


class I32(Ordinal):
    """Columns of four bytes."""

    FRAME_LEN = auto()
    ETH_TYPE = auto()
    ARP_OP = auto()
    IP_LEN = auto()
    IP_ID = auto()
    IP_FRAG = auto()
    TCP_SRCPORT = auto()
    TCP_DSTPORT = auto()
    TCP_FLAGS = auto()
    TCP_LEN = auto()
    TCP_WINDOW = auto()
    UDP_SRCPORT = auto()
    UDP_DSTPORT = auto()
    UDP_LEN = auto()
    MQTT_LEN = auto()
    MQTT_MSGID = auto()
    MQTT_KEEPALIVE = auto()


class Code(Ordinal):
    """Columns of text: positions in the dictionary of their :class:`Kind`, four bytes each."""

    ETH_SRC = auto()
    ETH_DST = auto()
    ARP_SRC_MAC = auto()
    ARP_SRC_IP = auto()
    ARP_DST_IP = auto()
    IP_SRC = auto()
    IP_DST = auto()
    MQTT_TOPIC = auto()
    MQTT_CLIENTID = auto()
    MQTT_PROTONAME = auto()
    CLIENT = auto()


class I64(Ordinal):
    """Columns of eight bytes."""

    TCP_SEQ = auto()
    TCP_ACK = auto()
    TCP_TSVAL = auto()
    TCP_TSECR = auto()
    FLOW = auto()


class F64(Ordinal):
    """Columns of numbers with a fraction."""

    ARP_IAT = auto()
    FLOW_PACKETS = auto()
    FLOW_BYTES = auto()
    FLOW_MEAN_BYTES = auto()
    FLOW_DURATION = auto()
    FLOW_IAT = auto()
    DIR_IAT = auto()
    REPLY_S = auto()
    DIR_PACKETS = auto()
    DIR_MEAN_BYTES = auto()


class M8(Ordinal):
    """Columns of one byte of a message."""

    MSGTYPE = auto()
    QOS = auto()
    DUP = auto()
    RETAIN = auto()
    CLEANSESS = auto()
    SESSION_PRESENT = auto()


class M16(Ordinal):
    """Columns of two bytes of a message."""

    LEVEL = auto()
    VERSION = auto()
    CONNACK = auto()
    REASON = auto()


class M32(Ordinal):
    """Columns of four bytes of a message; ROW is the position of its frame in the batch."""

    ROW = auto()
    LEN = auto()
    MSGID = auto()
    KEEPALIVE = auto()
    PROPERTIES = auto()
    PAYLOAD_LEN = auto()


class MCode(Ordinal):
    """Columns of text of a message."""

    TOPIC = auto()
    CLIENTID = auto()
    PROTONAME = auto()
    CLIENT = auto()


class Has(IntEnum):
    """What a frame or message has: bits that say in which rows a column holds something."""

    ETH = 1 << 0
    ETH_DST = 1 << 1
    VLAN = 1 << 2
    VLAN_INNER = 1 << 3
    ARP = 1 << 4
    IP = 1 << 5
    IPV4 = 1 << 6
    ICMP = 1 << 7
    TCP = 1 << 8
    STAMP = 1 << 9
    UDP = 1 << 10
    NTP = 1 << 11
    FLOW = 1 << 12
    BEFORE = 1 << 13
    BEFORE_SAME = 1 << 14
    BEFORE_OTHER = 1 << 15
    ARP_BEFORE = 1 << 16
    CLIENT = 1 << 17
    MQTT = 1 << 18
    PUBLISH = 1 << 19
    MSGID = 1 << 20
    TOPIC = 1 << 21
    CONNECT = 1 << 22
    CLIENTID = 1 << 23
    PROTONAME = 1 << 24
    CONNACK = 1 << 25
    REASON = 1 << 26
    PAYLOAD = 1 << 27
    LEVEL = 1 << 28
    PROPERTIES = 1 << 29
    SESSION = 1 << 30


class Kind(Ordinal):
    """The dictionaries of a batch."""

    MAC = auto()
    IP = auto()
    TOPIC = auto()
    CLIENTID = auto()
    PROTONAME = auto()


class Protocol(Ordinal):
    """The highest protocol decoded of a frame; what it is called stands in :data:`PROTOCOLS`."""

    OTHER = auto()
    IPV4 = auto()
    ARP = auto()
    ICMP = auto()
    TCP = auto()
    UDP = auto()
    NTP = auto()
    MQTT = auto()
    IPV6 = auto()
    ICMPV6 = auto()


PROTOCOLS = ("other", "IPv4", "ARP", "ICMP", "TCP", "UDP", "NTP", "MQTT", "IPv6", "ICMPv6")


class Index(NamedTuple):
    """Where the frames of a block stand.

    Attributes:
        start: offset of each frame's first byte in the block's bytes.
        length: bytes captured.
        wire: bytes it had on the wire.
        time_ns: when, ns since the epoch.
        link: link type of the interface, see :mod:`links`.
    """

    start: Int32s
    length: Int32s
    wire: Int32s
    time_ns: Int64s
    link: Int32s


class Rows(NamedTuple):
    """The columns of level ``packets``, see the enumerations above.

    Attributes:
        has: bits of :class:`Has`.
        flaw: number of the :class:`reasons.Reason` for which a frame is malformed, 0 for none.
        flaw_at: where in the frame, bytes from its start.
        text_end: where the text of each frame's first payload ends in ``text``.
        text: the payloads as UTF-8.
    """

    i8: Int8s
    i16: Int16s
    i32: Int32s
    code: Int32s
    i64: Int64s
    f64: Floats
    has: Int32s
    flaw: Int8s
    flaw_at: Int32s
    text_end: Int32s
    text: Bytes


class Messages(NamedTuple):
    """The columns of level ``messages``, see the enumerations above.

    Attributes:
        flow: number of the connection.
        has: bits of :class:`Has`.
        flaw: number of the reason for which a message is malformed, 0 for none.
        payload_end: where each message's payload ends in ``payload``.
        payload: the payloads one behind the other.
    """

    i8: Int8s
    i16: Int16s
    i32: Int32s
    code: Int32s
    flow: Int64s
    has: Int32s
    flaw: Int8s
    payload_end: Int32s
    payload: Bytes


_PAD = 192
"""Spare entries a row, so that the same frame of different columns does not compete for the same cache lines."""


def room(shape: int | tuple[int, int], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of zeros that takes memory only where it is touched, a page at a time.

    numpy would ask for pages of 2 MiB, and a small capture would touch 300 MiB of them.
    """
    size = int(np.prod(shape)) * kind.itemsize
    pages = mmap.mmap(-1, size)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, kind).reshape(shape)


def new_index(frames: int) -> Index:
    """Return room for the index of a block of so many frames."""
    start, length, wire, link = (room(frames, np.dtype(np.int32)) for _ in range(4))
    return Index(start, length, wire, room(frames, np.dtype(np.int64)), link)


def new_rows(frames: int, text: int) -> Rows:
    """Return room for the columns of so many frames, and so many bytes of text."""
    wide = frames + _PAD
    return Rows(
        np.empty((len(I8), wide), np.int8),
        np.empty((len(I16), wide), np.int16),
        np.empty((len(I32), wide), np.int32),
        np.empty((len(Code), wide), np.int32),
        np.empty((len(I64), wide), np.int64),
        np.empty((len(F64), wide), np.float64),
        np.empty(frames, np.int32),
        np.empty(frames, np.int8),
        np.empty(frames, np.int32),
        np.empty(frames + 1, np.int32),
        room(text, np.dtype(np.uint8)),
    )


def new_messages(count: int, payload: int) -> Messages:
    """Return room for the columns of so many messages, and so many bytes of payload."""
    wide = count + _PAD
    return Messages(
        np.empty((len(M8), wide), np.int8),
        np.empty((len(M16), wide), np.int16),
        np.empty((len(M32), wide), np.int32),
        np.empty((len(MCode), wide), np.int32),
        np.empty(count, np.int64),
        np.empty(count, np.int32),
        np.empty(count, np.int8),
        np.empty(count + 1, np.int32),
        room(payload, np.dtype(np.uint8)),
    )
