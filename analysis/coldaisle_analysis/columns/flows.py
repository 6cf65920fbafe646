"""Level ``flows``: one row per bidirectional flow; the last cell names the equal NFStream attribute, whose ms are s here."""

_IDENTITY = """\
flow | meta | int64 | 1 | number of the flow in the dataset, by first frame, from 0
connection | identity | int64 | 1 | `flow` in packets: the connection it is a piece of
shard | meta | text | | stretch of days recorded together
file | meta | text | | capture file of its first frame
day | meta | int16 | 1 | day of the run of its first frame, from 1; the unit of every split
first_frame | meta | int64 | 1 | `frame` in packets of its first frame
last_frame | meta | int64 | 1 | `frame` in packets of its last frame
time | time | utc | | virtual time of its first frame, UTC
first_ns | time | int64 | ns | the same, since the epoch | bidirectional_first_seen_ms
last_ns | time | int64 | ns | time of its last frame: from then on the row is known | bidirectional_last_seen_ms
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day of its first frame
ip_src | identity | text | | IPv4 address that sent its first frame; forward (`fwd_`) is away from it | src_ip
src_port | identity | int32 | | its port | src_port
ip_dst | identity | text | | IPv4 address of the other side; backward (`bwd_`) is away from that | dst_ip
dst_port | identity | int32 | | its port | dst_port
client | identity | text | | MQTT client id of the connection, missing where its CONNECT was not seen by the flow's end
ip_proto | feature | int16 | | IPv4 protocol number: 6 TCP, 17 UDP | protocol
to_server | feature | int8 | 1 | 1 if forward is towards the MQTT or NTP port
"""

_STATISTICS = """\
{p}duration | feature | float | s | from first to last frame{way} | {nf}_duration_ms
{p}packets | feature | int32 | 1 | frames{way} | {nf}_packets
{p}bytes | feature | int64 | bytes | bytes on the wire{way} | {nf}_bytes
{p}payload | feature | int64 | bytes | bytes above TCP or UDP{way}
{p}size_min | feature | float | bytes | smallest frame{way} | {nf}_min_ps
{p}size_mean | feature | float | bytes | mean length of a frame{way} | {nf}_mean_ps
{p}size_std | feature | float | bytes | standard deviation of the lengths (n - 1){way}, missing with fewer than two | {nf}_stddev_ps
{p}size_max | feature | float | bytes | largest frame{way} | {nf}_max_ps
{p}iat_min | feature | float | s | smallest time between two frames{way}, missing with fewer than two | {nf}_min_piat_ms
{p}iat_mean | feature | float | s | mean time between two frames{way} | {nf}_mean_piat_ms
{p}iat_std | feature | float | s | standard deviation of these times (n - 1){way}, missing with fewer than three frames | {nf}_stddev_piat_ms
{p}iat_max | feature | float | s | largest time between two frames{way} | {nf}_max_piat_ms
"""

_FLAG = "{p}{flag} | feature | int32 | 1 | TCP segments with {FLAG}{way} | {nf}_{flag}_packets\n"

_CONTENT = """\
retransmissions | feature | int32 | 1 | segments whose payload was sent before
mqtt_messages | feature | int32 | 1 | MQTT messages completed
publishes | feature | int32 | 1 | frames whose first message is a PUBLISH
attack_packets | label | int32 | 1 | frames of it that the journals (or the label table) call an attack
"""

FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
"""TCP flags in the order of their bits, from the lowest."""
WAYS = {"": "bidirectional", "fwd_": "src2dst", "bwd_": "dst2src"}
"""Prefix of our columns and of NFStream's attributes, for both directions together and for each one."""
_SUFFIX = {"": "", "fwd_": ", forward", "bwd_": ", backward"}


def _of_way(prefix: str) -> str:
    names = {"p": prefix, "nf": WAYS[prefix], "way": _SUFFIX[prefix]}
    flags = (_FLAG.format(flag=flag, FLAG=flag.upper(), **names) for flag in FLAGS)
    return _STATISTICS.format(**names) + "".join(flags)


TABLE = _IDENTITY + "".join(map(_of_way, WAYS)) + _CONTENT
