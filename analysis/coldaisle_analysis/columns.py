"""The columns of the dataset: the one table from which files, documentation and feature lists follow.

Groups say what a column may be used for. ``feature`` and ``value`` are causal and made for models;
``identity`` tells who or which frame it is and leaks; ``time`` tells when; ``label`` is the truth and
known only to the journals; ``meta`` says where the row comes from.

The module is longer than most because it is the table: a line a column, with name, group, type, unit,
meaning and the Wireshark display field it equals.
"""

from dataclasses import dataclass
from typing import Literal, cast

import pandas as pd

Level = Literal["packets", "readings"]
Group = Literal["identity", "time", "feature", "value", "label", "meta"]
LEVELS: tuple[Level, ...] = ("packets", "readings")


@dataclass(frozen=True)
class Column:
    """One column of the dataset.

    Attributes:
        level: ``packets`` (a row a frame) or ``readings`` (a row a planned reading).
        name: its name in the files.
        group: what it may be used for, see the module's first lines.
        dtype: pandas dtype; the capital ``Int`` types hold missing values.
        unit: SI unit, ``1`` for counts and ratios, empty for text and codes.
        meaning: what it says.
        tshark: the display field it equals, empty when Wireshark has none.
    """

    level: Level
    name: str
    group: Group
    dtype: str
    unit: str
    meaning: str
    tshark: str = ""

    @property
    def causal(self) -> bool:
        """Whether it is known once the row's frame has passed (packets) or its slot has ended (readings)."""
        return self.group != "label"

    @property
    def numeric(self) -> bool:
        """Whether a model can take it as a number."""
        return self.dtype.lower().startswith(("int", "float"))


_TRUTH = """\
label | label | int8 | 1 | 1 if the attacker's journal (or the label table) calls the row an attack
benign | label | int8 | 1 | 1 if it belongs to a benign anomaly: something happened, and it was no attack
kind | label | text | | kind of the episode it belongs to, `normal` where label and benign are 0
episode | label | text | | id of the episode that touched it, attacked or only relayed
role | label | text | | what the episode made of it, a role in the taxonomy; empty when none did
"""

_PACKETS = """\
frame | meta | int64 | 1 | number of the frame in the dataset, from 1
file | meta | text | | capture file
frame_in_file | meta | int64 | 1 | number of the frame in its file, from 1 | frame.number
shard | meta | text | | stretch of days recorded together
day | meta | int16 | 1 | day of the run, from 1; the unit of every split
time | time | utc | | virtual time the frame was seen beside the broker, UTC
time_ns | time | int64 | ns | the same, since the epoch | frame.time_epoch
wall_ns | time | Int64 | ns | wall time of the same frame, from the capture as tcpdump wrote it
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day
protocol | feature | text | | highest protocol decoded: ARP, ICMP, IPv4, TCP, MQTT, UDP, NTP, other
frame_len | feature | int32 | bytes | length of the frame on the wire | frame.len
eth_src | identity | text | | source MAC address; an attacker's relay shows here | eth.src
eth_dst | identity | text | | destination MAC address | eth.dst
eth_type | feature | int32 | | EtherType | eth.type
eth_src_changed | identity | int8 | 1 | 1 if the source IP address was first seen with another MAC address
arp_op | feature | Int32 | | ARP operation: 1 request, 2 reply | arp.opcode
arp_src_mac | identity | text | | MAC address the ARP sender claims | arp.src.hw_mac
arp_src_ip | identity | text | | IPv4 address the ARP sender claims | arp.src.proto_ipv4
arp_dst_ip | identity | text | | IPv4 address an ARP asks for | arp.dst.proto_ipv4
arp_conflict | feature | Int8 | 1 | 1 if the IPv4 address an ARP claims was first seen with another MAC
arp_iat | feature | float | s | time since the last ARP frame of anybody
ip_src | identity | text | | source IPv4 address | ip.src
ip_dst | identity | text | | destination IPv4 address | ip.dst
ip_proto | feature | Int16 | | IPv4 protocol number: 1 ICMP, 6 TCP, 17 UDP | ip.proto
ip_len | feature | Int32 | bytes | IPv4 total length | ip.len
ip_ttl | identity | Int16 | 1 | time to live; one less when a kernel forwarded it | ip.ttl
ip_id | identity | Int32 | | IPv4 identification | ip.id
ip_dscp | feature | Int16 | | differentiated services code point | ip.dsfield.dscp
ip_df | feature | Int8 | 1 | don't-fragment flag | ip.flags.df
to_server | feature | int8 | 1 | 1 towards the MQTT or NTP port, 0 from it or neither
tcp_srcport | identity | Int32 | | TCP source port | tcp.srcport
tcp_dstport | identity | Int32 | | TCP destination port | tcp.dstport
tcp_seq | identity | Int64 | bytes | raw sequence number | tcp.seq_raw
tcp_ack | identity | Int64 | bytes | raw acknowledgement number | tcp.ack_raw
tcp_flags | feature | Int32 | | all twelve flag bits | tcp.flags
tcp_fin | feature | Int8 | 1 | FIN flag | tcp.flags.fin
tcp_syn | feature | Int8 | 1 | SYN flag | tcp.flags.syn
tcp_rst | feature | Int8 | 1 | RST flag | tcp.flags.reset
tcp_psh | feature | Int8 | 1 | PSH flag | tcp.flags.push
tcp_ack_flag | feature | Int8 | 1 | ACK flag | tcp.flags.ack
tcp_urg | feature | Int8 | 1 | URG flag | tcp.flags.urg
tcp_hdr_len | feature | Int16 | bytes | TCP header length | tcp.hdr_len
tcp_len | feature | Int32 | bytes | TCP payload length | tcp.len
tcp_window | identity | Int32 | | receive window as sent; an artefact of the sender | tcp.window_size_value
tcp_tsval | identity | Int64 | ms | TCP timestamp option, value | tcp.options.timestamp.tsval
tcp_tsecr | identity | Int64 | ms | TCP timestamp option, echo | tcp.options.timestamp.tsecr
tcp_retransmission | feature | Int8 | 1 | 1 if all its payload was sent before
tcp_gap | feature | Int8 | 1 | 1 if it starts past the next byte expected: something before it is not yet seen
udp_srcport | identity | Int32 | | UDP source port | udp.srcport
udp_dstport | identity | Int32 | | UDP destination port | udp.dstport
udp_len | feature | Int32 | bytes | UDP length, header included | udp.length
ntp_mode | feature | Int8 | | NTP mode: 3 client, 4 server | ntp.flags.mode
ntp_stratum | feature | Int16 | | NTP stratum | ntp.stratum
flow | identity | int64 | | number of the bidirectional flow, by first frame; -1 outside TCP and UDP
flow_packets | feature | float | 1 | number of packets of the flow so far, this one included
flow_bytes | feature | float | bytes | bytes of the flow so far
flow_mean_bytes | feature | float | bytes | mean bytes a packet of the flow so far
flow_duration | feature | float | s | duration of the flow so far
flow_iat | feature | float | s | time since the flow's last packet, either direction
dir_iat | feature | float | s | time since the flow's last packet in this direction
reply_s | feature | float | s | time since the flow's last packet in the other direction
dir_packets | feature | float | 1 | packets of the flow in this direction so far
dir_mean_bytes | feature | float | bytes | mean bytes a packet in this direction so far
mqtt_messages | feature | Int16 | 1 | MQTT messages this frame completes; the fields below are the first one's
mqtt_msgtype | feature | Int8 | | MQTT control packet type: 1 CONNECT, 3 PUBLISH, 4 PUBACK, … | mqtt.msgtype
mqtt_len | feature | Int32 | bytes | MQTT remaining length | mqtt.len
mqtt_qos | feature | Int8 | | quality of service of a PUBLISH | mqtt.qos
mqtt_dup | feature | Int8 | 1 | duplicate-delivery flag of a PUBLISH | mqtt.dupflag
mqtt_retain | feature | Int8 | 1 | retain flag of a PUBLISH | mqtt.retain
mqtt_msgid | identity | Int32 | | message id | mqtt.msgid
mqtt_topic | identity | text | | topic of a PUBLISH | mqtt.topic
mqtt_clientid | identity | text | | client id of a CONNECT | mqtt.clientid
mqtt_protoname | identity | text | | protocol name of a CONNECT: MQIsdp (3.1) or MQTT (3.1.1) | mqtt.protoname
mqtt_version | identity | Int8 | | protocol level of a CONNECT | mqtt.ver
mqtt_keepalive | identity | Int32 | s | keepalive of a CONNECT | mqtt.kalive
mqtt_cleansess | identity | Int8 | 1 | clean-session flag of a CONNECT | mqtt.conflag.cleansess
mqtt_connack | feature | Int8 | | return code of a CONNACK | mqtt.conack.val
mqtt_payload | meta | text | | payload of a PUBLISH as text | mqtt.msg
client | identity | text | | client id of the connection the frame belongs to, once its CONNECT was seen
mqtt_value | value | float | °C | value of a PUBLISH (the columns below too are for PUBLISH only)
value_diff | value | float | °C | change since the sensor's last value
value_dev | value | float | °C | value less the median of the sensor's 12 values before
value_dev_long | value | float | °C | value less the median of the sensor's 48 values before
value_abs_diff | value | float | °C | size of value_diff
value_abs_dev | value | float | °C | size of value_dev
value_dev_host | value | float | °C | value_dev less the median of the latest ones of the host's other sensors
value_run | value | float | 1 | how many of the sensor's values in a row are equal, this one included
publish_iat | feature | float | s | time since the sensor's last PUBLISH
publish_late | feature | float | s | publish_iat less the median of the sensor's 12 before
slot | label | Int32 | 1 | slot of the reading a PUBLISH carries, from the journals
copy | label | Int16 | 1 | number of the copy a PUBLISH is, 0 for the reading itself, from the journals
"""

_READINGS = """\
unit | identity | text | | cooling unit (published captures: client id less its last digit, or address)
sensor | identity | int16 | 1 | sensor number: 1 coolant in, 2 coolant out, 3 supply air, 4 return air
client_id | identity | text | | MQTT client id of the sensor
slot | meta | int32 | 1 | slot of the reading, from 0 (published captures: order of arrival)
day | meta | int16 | 1 | day of the run, from 1; the unit of every split
time | time | utc | | virtual time the reading was planned for, UTC
planned_ns | time | int64 | ns | the same, since the epoch
decided_ns | time | int64 | ns | end of the slot: features use what the broker saw until then, nothing later
arrival_ns | time | Int64 | ns | when the slot's first delivery was complete at the broker
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day of the slot
first_frame | meta | Int64 | 1 | `frame` in packets of the slot's first delivery
last_frame | meta | Int64 | 1 | `frame` in packets of the slot's last delivery
value | value | float | °C | first value the broker received in the slot; missing when none came
diff | value | float | °C | change since the sensor's last value received
abs_diff | value | float | °C | size of diff
dev | value | float | °C | value less the median of the sensor's 12 values before
abs_dev | value | float | °C | size of dev
dev_long | value | float | °C | value less the median of the sensor's 48 values before
dev_mean | value | float | °C | mean of dev_long over this slot and the 3 before
score | value | float | 1 | abs_dev over the median abs_dev of the sensor's 48 values before
dev_siblings | value | float | °C | dev less the median dev of the unit's other sensors in the slot
dev_units | value | float | °C | dev less the median dev of the same sensor of the other units in the slot
long_siblings | value | float | °C | the same with dev_long, against the unit's other sensors
joint_jump | value | float | °C | median abs_diff of the unit's other sensors in the slot: all jump together
spread | value | float | °C | standard deviation of the sensor's last 4 values
run | value | float | 1 | how many values received in a row are equal, this one included
slot_range | value | float | °C | largest less smallest value received in the slot
deliveries | feature | float | 1 | PUBLISH messages received in the slot
missing | feature | float | 1 | 1 if none came in the slot
missing_run | feature | float | 1 | slots in a row without a delivery, this one included
unit_missing | feature | float | 1 | how many of the unit's other sensors sent nothing in the slot
unit_deliveries | feature | float | 1 | mean deliveries of the unit's other sensors in the slot
iat | feature | float | s | time between the slot's first delivery and the sensor's delivery before it
late | feature | float | s | iat less the median iat of the sensor's 12 values before
overdue | feature | float | s | time since the sensor's last delivery when the slot ends
min_gap | feature | float | s | smallest time between two deliveries in the slot; missing below two
ack_s | feature | float | s | time between the broker's PUBACK and the sensor's next packet, first delivery
packets | feature | float | 1 | packets of the sensor's connection in the slot
retransmissions | feature | float | 1 | retransmissions on the sensor's connection in the slot
arp_frames | feature | float | 1 | ARP frames in the slot that name the unit's address
arp_conflicts | feature | float | 1 | those of them that claim an address first seen with another MAC
eth_src_changed | identity | Int8 | 1 | 1 if the first delivery came from another MAC than the unit's first
taken_ns | label | Int64 | ns | when the sensor took the reading, virtual time
stamp_ns | label | Int64 | ns | the same by the sensor's own corrected clock
value_sent | label | float | °C | value the sensor sent
value_received | label | float | °C | value of this reading at the broker; missing when removed
fate | label | text | | delivered, delayed, modified or removed
copies | label | int16 | 1 | copies of the reading the attacker delivered
"""

_DTYPES = {"text": "category", "float": "float64", "utc": "datetime64[ns, UTC]"}


def _column(level: Level, line: str) -> Column:
    name, group, kind, unit, meaning, *tshark = (cell.strip() for cell in line.split("|"))
    dtype = _DTYPES.get(kind, kind)
    return Column(level, name, cast("Group", group), dtype, unit, meaning, "".join(tshark))


def _table(level: Level, text: str) -> tuple[Column, ...]:
    return tuple(_column(level, line) for line in text.splitlines())


COLUMNS: tuple[Column, ...] = _table("packets", _PACKETS + _TRUTH) + _table("readings", _READINGS + _TRUTH)
"""Every column of both levels, in the order of the files."""


def columns(level: Level) -> tuple[Column, ...]:
    """Return the columns of a level, in the order of the files."""
    return tuple(column for column in COLUMNS if column.level == level)


def names(level: Level, *groups: Group) -> list[str]:
    """Return the names of a level's columns in these groups, all of them when none is given."""
    return [column.name for column in columns(level) if not groups or column.group in groups]


def features(level: Level, *, identity: bool = False) -> list[str]:
    """Return the numeric columns a model may learn from.

    Args:
        level: ``packets`` or ``readings``.
        identity: add the numeric identity columns, which leak.
    """
    groups = {"feature", "value", "identity"} if identity else {"feature", "value"}
    return [column.name for column in columns(level) if column.group in groups and column.numeric]


def conform(frame: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Return the frame with exactly the level's columns, in order and of their dtypes.

    Raises:
        KeyError: if one is missing.
    """
    dtypes = {column.name: column.dtype for column in columns(level)}
    return frame[list(dtypes)].astype(dtypes)


def markdown(level: Level) -> str:
    """Return a level's columns as a Markdown table, as docs/dataset.md shows them."""
    head = "| column | group | type | unit | meaning | tshark field |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(column) for column in columns(level))])


def _row(column: Column) -> str:
    kind = next((short for short, dtype in _DTYPES.items() if dtype == column.dtype), column.dtype)
    tshark = f"`{column.tshark}`" if column.tshark else ""
    return f"| `{column.name}` | {column.group} | {kind} | {column.unit} | {column.meaning} | {tshark} |"
