"""Level ``messages``: one row per MQTT control packet."""

TABLE = """\
message | meta | int64 | 1 | number of the message in the dataset, from 1
frame | meta | int64 | 1 | number of the frame that completes it, as in packets; its label is that frame's
shard | meta | text | | stretch of days recorded together
day | meta | int16 | 1 | day of the run, from 1; the unit of every split
time | time | utc | | when that frame was seen, UTC
time_ns | time | int64 | ns | the same, since the epoch
weekday | time | int8 | 1 | local day of the week, Monday is 0
hour | time | float | h | local time of day
flow | identity | int64 | | number of its connection, as in packets
client | identity | text | | client id of its connection, once its CONNECT was seen; if that is empty, the one that the broker assigned in its CONNACK (MQTT 5)
level | feature | Int16 | | protocol level of its connection: 3 (MQTT 3.1), 4 (3.1.1), 5; without its CONNECT, 5 once a packet shows it, or what --mqtt-version says; the 128 of a bridge is left out
msgtype | feature | Int8 | | control packet type: 1 CONNECT, 3 PUBLISH, 4 PUBACK, … | mqtt.msgtype
len | feature | Int32 | bytes | remaining length | mqtt.len
qos | feature | Int8 | | quality of service of a PUBLISH; of MQTT 3.1 tshark shows that of PUBREL, SUBSCRIBE and UNSUBSCRIBE, too | mqtt.qos
dup | feature | Int8 | 1 | duplicate-delivery flag of a PUBLISH; of MQTT 3.1 tshark shows that of PUBREL, SUBSCRIBE and UNSUBSCRIBE, too | mqtt.dupflag
retain | feature | Int8 | 1 | retain flag of a PUBLISH | mqtt.retain
msgid | identity | Int32 | | message id | mqtt.msgid
topic | identity | text | | topic of a PUBLISH, also where an alias stands for it; first filter of a SUBSCRIBE or UNSUBSCRIBE | mqtt.topic
topics | identity | text | | every filter of a SUBSCRIBE or UNSUBSCRIBE, as a JSON list
qos_asked | meta | text | | QoS that a SUBSCRIBE asks for with each of them, as a JSON list
payload | meta | bytes | | payload of a PUBLISH, its first 1 MiB less the topic if it came in several segments | mqtt.msg
payload_len | feature | Int32 | bytes | length of the payload
clientid | identity | text | | client id of a CONNECT | mqtt.clientid
protoname | identity | text | | protocol name of a CONNECT: MQIsdp (3.1) or MQTT (3.1.1, 5) | mqtt.protoname
version | identity | Int16 | | protocol level of a CONNECT; a bridge adds 128 | mqtt.ver
keepalive | identity | Int32 | s | keepalive of a CONNECT | mqtt.kalive
cleansess | identity | Int8 | 1 | clean-session or clean-start flag of a CONNECT | mqtt.conflag.cleansess
session_present | feature | Int8 | 1 | session-present flag of a CONNACK | mqtt.conack.flags.sp
connack | feature | Int16 | | return or reason code of a CONNACK | mqtt.conack.val mqtt.connack.reason_code
reason | feature | Int16 | | first return code of a SUBACK; reason code of the other packets that have one in MQTT 5, 0 where it is left out | mqtt.suback.qos mqtt.puback.reason_code mqtt.pubrec.reason_code mqtt.pubrel.reason_code mqtt.pubcomp.reason_code mqtt.suback.reason_code mqtt.unsuback.reason_code mqtt.disconnect.reason_code mqtt.auth.reason_code
codes | meta | text | | every return code of a SUBACK (the QoS granted, or 128 and more), or reason code of an UNSUBACK, as a JSON list
properties | feature | Int32 | bytes | length of the properties of MQTT 5, without those of a will | mqtt.property_len
malformed | meta | text | | flaw of the control packet; missing when there is none
"""
