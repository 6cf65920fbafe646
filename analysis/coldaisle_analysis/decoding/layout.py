"""The layout of the kernel's output: which row of which array holds which column.

The kernel fills one two-dimensional array per number type. One row of it is a column of the table, and one column of it is a frame
(or message), so a finished column is contiguous and Arrow can share its memory. The names are those of
:mod:`coldaisle_analysis.columns` in capitals; rows of :class:`Code` hold positions in a batch's dictionary.
"""

from enum import IntEnum, auto


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
    """Columns of text, as positions of four bytes in the dictionary of their :class:`Kind`."""

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
    TOPICS = auto()
    QOS_ASKED = auto()
    CODES = auto()


class Has(IntEnum):
    """Bits of a frame or message that say which columns hold a value in its row."""

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
    STRATUM = 1 << 31
    TOPICS = 1 << 32
    CODES = 1 << 33


class Kind(Ordinal):
    """The dictionaries of a batch; those of ASKED are made from the entries of FILTERS."""

    MAC = auto()
    IP = auto()
    TOPIC = auto()
    CLIENTID = auto()
    PROTONAME = auto()
    FILTERS = auto()
    ASKED = auto()
    CODES = auto()


class Protocol(Ordinal):
    """The highest protocol decoded in a frame; :data:`PROTOCOLS` holds the names."""

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
