"""The columns that a capture decodes to: their Arrow types, and the bit that says in which rows each holds a value."""

import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import WIRE, Level, columns
from coldaisle_analysis.decoding.layout import F64, I8, I16, I32, I64, M8, M16, M32, Code, Has, Kind, MCode

TEXT = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("ns", "UTC")
_TYPES = {
    "category": TEXT,
    "binary[pyarrow]": pa.binary(),
    "float64": pa.float64(),
    "datetime64[ns, UTC]": TIME,
    **{
        name: pa.type_for_alias(name.lower())
        for name in ("int8", "Int8", "int16", "Int16", "int32", "Int32", "int64", "Int64")
    },
}
"""Arrow type by the pandas dtype of a column."""
_ADDED = frozenset(
    {
        "message", "series", "shard", "day", "wall_ns", "time_ns", "weekday", "hour", "publish_iat", "publish_late", "since_publish",
        "last_late", "last_run", "rate_1", "rate_60", "arp_60", "arp_600", "syn_60", "rst_60",
    }
)  # fmt: skip
"""Columns that a run adds, that repeat ``time``, or that compare a sensor's readings or a frame with earlier ones."""


_SELDOM_THE_SAME = frozenset({"mqtt_payload"})
"""Columns of text whose values seldom recur, so that a dictionary would cost more than it saves."""


def _schema(level: Level) -> pa.Schema:
    """Return names, types and order of the columns that a capture decodes to."""
    chosen = [
        column
        for column in columns(level)
        if column.group not in ("value", "label") and column.name not in _ADDED
    ]
    return pa.schema(
        [
            pa.field(
                column.name,
                pa.string() if column.name in _SELDOM_THE_SAME else _TYPES[column.dtype],
                nullable=not column.dtype.startswith("int"),
            )
            for column in chosen
        ]
    )


SCHEMAS: dict[Level, pa.Schema] = {level: _schema(level) for level in WIRE}
"""Names, types and order of the wire columns of both levels."""
_PRESENT = {
    Has.ETH: (Code.ETH_SRC,),
    Has.ETH_DST: (Code.ETH_DST,),
    Has.VLAN: (I16.VLAN_ID,),
    Has.VLAN_INNER: (I16.VLAN_INNER,),
    Has.ARP: (I32.ARP_OP, Code.ARP_SRC_MAC, Code.ARP_SRC_IP, Code.ARP_DST_IP, I8.ARP_CONFLICT),
    Has.ARP_BEFORE: (F64.ARP_IAT,),
    Has.IP: (
        Code.IP_SRC, Code.IP_DST, I8.IP_VERSION, I16.IP_PROTO, I32.IP_LEN, I16.IP_TTL, I16.IP_DSCP, I8.IP_MF,
        I32.IP_FRAG,
    ),
    Has.IPV4: (I32.IP_ID, I8.IP_DF),
    Has.ICMP: (I16.ICMP_TYPE, I16.ICMP_CODE),
    Has.TCP: (
        I32.TCP_SRCPORT, I32.TCP_DSTPORT, I64.TCP_SEQ, I64.TCP_ACK, I32.TCP_FLAGS, I8.TCP_FIN, I8.TCP_SYN, I8.TCP_RST,
        I8.TCP_PSH, I8.TCP_ACK_FLAG, I8.TCP_URG, I16.TCP_HDR_LEN, I32.TCP_LEN, I32.TCP_WINDOW, I8.TCP_RETRANSMISSION,
        I8.TCP_GAP,
    ),
    Has.STAMP: (I64.TCP_TSVAL, I64.TCP_TSECR),
    Has.UDP: (I32.UDP_SRCPORT, I32.UDP_DSTPORT, I32.UDP_LEN),
    Has.NTP: (I8.NTP_MODE,),
    Has.STRATUM: (I16.NTP_STRATUM,),
    Has.FLOW: (
        F64.FLOW_PACKETS, F64.FLOW_BYTES, F64.FLOW_MEAN_BYTES, F64.FLOW_DURATION, F64.DIR_PACKETS, F64.DIR_MEAN_BYTES,
    ),
    Has.BEFORE: (F64.FLOW_IAT,),
    Has.BEFORE_SAME: (F64.DIR_IAT,),
    Has.BEFORE_OTHER: (F64.REPLY_S,),
    Has.MQTT: (I16.MQTT_MESSAGES, I8.MQTT_MSGTYPE, I32.MQTT_LEN, M8.MSGTYPE, M32.LEN),
    Has.PUBLISH: (I8.MQTT_QOS, I8.MQTT_DUP, I8.MQTT_RETAIN, M8.QOS, M8.DUP, M8.RETAIN),
    Has.MSGID: (I32.MQTT_MSGID, M32.MSGID),
    Has.TOPIC: (Code.MQTT_TOPIC, MCode.TOPIC),
    Has.PAYLOAD: (M32.PAYLOAD_LEN,),
    Has.CONNECT: (
        I16.MQTT_VERSION, I32.MQTT_KEEPALIVE, I8.MQTT_CLEANSESS, M16.VERSION, M32.KEEPALIVE, M8.CLEANSESS,
    ),
    Has.CLIENTID: (Code.MQTT_CLIENTID, MCode.CLIENTID),
    Has.PROTONAME: (Code.MQTT_PROTONAME, MCode.PROTONAME),
    Has.CONNACK: (I16.MQTT_CONNACK, M16.CONNACK),
    Has.SESSION: (M8.SESSION_PRESENT,),
    Has.REASON: (M16.REASON,),
    Has.TOPICS: (MCode.TOPICS, MCode.QOS_ASKED),
    Has.CODES: (MCode.CODES,),
    Has.LEVEL: (M16.LEVEL,),
    Has.PROPERTIES: (M32.PROPERTIES,),
    Has.CLIENT: (Code.CLIENT, MCode.CLIENT),
}  # fmt: skip
"""The columns that hold a value where a bit of Has is set."""
BIT = {column.name: int(bit) for bit, columns in _PRESENT.items() for column in columns}
_KINDS = {
    Kind.MAC: (Code.ETH_SRC, Code.ETH_DST, Code.ARP_SRC_MAC),
    Kind.IP: (Code.IP_SRC, Code.IP_DST, Code.ARP_SRC_IP, Code.ARP_DST_IP),
    Kind.TOPIC: (Code.MQTT_TOPIC, MCode.TOPIC),
    Kind.CLIENTID: (Code.MQTT_CLIENTID, Code.CLIENT, MCode.CLIENTID, MCode.CLIENT),
    Kind.PROTONAME: (Code.MQTT_PROTONAME, MCode.PROTONAME),
    Kind.FILTERS: (MCode.TOPICS,),
    Kind.ASKED: (MCode.QOS_ASKED,),
    Kind.CODES: (MCode.CODES,),
}
"""The columns of text whose values are positions in each dictionary."""
KIND = {column.name: kind for kind, columns in _KINDS.items() for column in columns}
