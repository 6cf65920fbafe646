"""Level ``packets``: one row per frame."""

TABLE = """\
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
protocol | feature | text | | highest protocol decoded: ARP, IPv4, IPv6, ICMP, ICMPv6, TCP, MQTT, UDP, NTP, other
frame_len | feature | int32 | bytes | length of the frame on the wire | frame.len
eth_src | identity | text | | source MAC address; an attacker's relay shows here | eth.src sll.src.eth wlan.sa
eth_dst | identity | text | | destination MAC address | eth.dst wlan.da
eth_type | feature | int32 | | EtherType (length in an IEEE 802.3 frame; 0 without a link layer) | eth.type eth.len sll.etype
vlan_id | meta | Int16 | | VLAN id, of the outer tag if there are two | ieee8021ad.id vlan.id
vlan_inner | meta | Int16 | | VLAN id of the second tag
eth_src_changed | identity | int8 | 1 | 1 if the source IP address was first seen with another MAC address
arp_op | feature | Int32 | | ARP operation: 1 request, 2 reply | arp.opcode
arp_src_mac | identity | text | | MAC address the ARP sender claims | arp.src.hw_mac
arp_src_ip | identity | text | | IPv4 address the ARP sender claims | arp.src.proto_ipv4
arp_dst_ip | identity | text | | IPv4 address an ARP asks for | arp.dst.proto_ipv4
arp_conflict | feature | Int8 | 1 | 1 if the IPv4 address an ARP claims was first seen with another MAC
arp_iat | feature | float | s | time since the last ARP frame of any host
ip_version | meta | Int8 | | 4 or 6 | ip.version ipv6.version
ip_src | identity | text | | source IP address | ip.src ipv6.src
ip_dst | identity | text | | destination IP address | ip.dst ipv6.dst
ip_proto | feature | Int16 | | IP protocol number, behind the extension headers of IPv6: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6 | ip.proto ipv6.nxt
ip_len | feature | Int32 | bytes | IP total length; of IPv6 40 more than its payload length | ip.len
ip_ttl | identity | Int16 | 1 | time to live or hop limit; one less when a kernel forwarded it | ip.ttl ipv6.hlim
ip_id | identity | Int32 | | IPv4 identification | ip.id
ip_dscp | feature | Int16 | | differentiated services code point | ip.dsfield.dscp ipv6.tclass.dscp
ip_df | feature | Int8 | 1 | don't-fragment flag of IPv4 | ip.flags.df
ip_mf | meta | Int8 | 1 | more-fragments flag | ip.flags.mf ipv6.fraghdr.more
ip_frag | meta | Int32 | bytes | fragment offset; of fragments, the one that makes the datagram whole has the transport columns
icmp_type | meta | Int16 | | ICMP or ICMPv6 type | icmp.type icmpv6.type
icmp_code | meta | Int16 | | ICMP or ICMPv6 code | icmp.code icmpv6.code
to_server | feature | int8 | 1 | 1 towards the MQTT or NTP port, or a WebSocket server with MQTT; 0 from it or neither
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
tcp_gap | feature | Int8 | 1 | 1 if it starts past the next byte expected: bytes before it were not yet seen
udp_srcport | identity | Int32 | | UDP source port | udp.srcport
udp_dstport | identity | Int32 | | UDP destination port | udp.dstport
udp_len | feature | Int32 | bytes | UDP length, header included | udp.length
ntp_mode | feature | Int8 | | NTP mode: 3 client, 4 server, 6 and 7 control | ntp.flags.mode
ntp_stratum | feature | Int16 | | NTP stratum; modes 6 and 7 have none | ntp.stratum
flow | identity | int64 | | number of the bidirectional flow, by first frame; -1 outside TCP and UDP
flow_packets | feature | float | 1 | number of packets of the flow so far, this one included
flow_bytes | feature | float | bytes | bytes of the flow so far
flow_mean_bytes | feature | float | bytes | mean bytes per packet of the flow so far
flow_duration | feature | float | s | duration of the flow so far
flow_iat | feature | float | s | time since the flow's last packet, either direction
dir_iat | feature | float | s | time since the flow's last packet in this direction
reply_s | feature | float | s | time since the flow's last packet in the other direction
dir_packets | feature | float | 1 | packets of the flow in this direction so far
dir_mean_bytes | feature | float | bytes | mean bytes per packet in this direction so far
mqtt_messages | feature | Int16 | 1 | MQTT messages this frame completes; the fields below are those of the first
mqtt_msgtype | feature | Int8 | | MQTT control packet type: 1 CONNECT, 3 PUBLISH, 4 PUBACK, … | mqtt.msgtype
mqtt_len | feature | Int32 | bytes | MQTT remaining length | mqtt.len
mqtt_qos | feature | Int8 | | quality of service of a PUBLISH; of MQTT 3.1 tshark shows that of PUBREL, SUBSCRIBE and UNSUBSCRIBE, too | mqtt.qos
mqtt_dup | feature | Int8 | 1 | duplicate-delivery flag of a PUBLISH; of MQTT 3.1 tshark shows that of PUBREL, SUBSCRIBE and UNSUBSCRIBE, too | mqtt.dupflag
mqtt_retain | feature | Int8 | 1 | retain flag of a PUBLISH | mqtt.retain
mqtt_msgid | identity | Int32 | | message id | mqtt.msgid
mqtt_topic | identity | text | | topic of a PUBLISH, also where an alias stands for it; first filter of a SUBSCRIBE or UNSUBSCRIBE | mqtt.topic
mqtt_clientid | identity | text | | client id of a CONNECT | mqtt.clientid
mqtt_protoname | identity | text | | protocol name of a CONNECT: MQIsdp (3.1) or MQTT (3.1.1, 5) | mqtt.protoname
mqtt_version | identity | Int16 | | protocol level of a CONNECT; a bridge adds 128 | mqtt.ver
mqtt_keepalive | identity | Int32 | s | keepalive of a CONNECT | mqtt.kalive
mqtt_cleansess | identity | Int8 | 1 | clean-session flag of a CONNECT | mqtt.conflag.cleansess
mqtt_connack | feature | Int16 | | return or reason code of a CONNACK | mqtt.conack.val mqtt.connack.reason_code
mqtt_payload | meta | text | | payload of a PUBLISH as text | mqtt.msg
malformed | meta | text | | flaw of the frame, with its offset in bytes; missing when there is none
client | identity | text | | client id of the connection the frame belongs to, once its CONNECT was seen; if that is empty, the one that the broker assigned in its CONNACK (MQTT 5)
series | identity | text | | name of the series that a PUBLISH from a publisher belongs to
mqtt_value | value | float | °C | value of a PUBLISH from a publisher, the first of its payload (only a PUBLISH has this column and those down to publish_late)
value_diff | value | float | °C | change since the sensor's last value
value_dev | value | float | °C | value minus the median of the sensor's previous 12 values
value_dev_long | value | float | °C | value minus the median of the sensor's previous 48 values
value_abs_diff | value | float | °C | absolute value of value_diff
value_abs_dev | value | float | °C | absolute value of value_dev
value_dev_host | value | float | °C | value_dev minus the median of the latest value_dev of the host's other sensors
value_run | value | float | 1 | how many of the sensor's values in a row are equal, this one included
publish_iat | feature | float | s | time since the sensor's last PUBLISH
publish_late | feature | float | s | publish_iat minus the median of the sensor's previous 48
since_publish | feature | float | s | time since the flow's last PUBLISH, this frame included
last_late | feature | float | s | publish_late of that PUBLISH
last_run | feature | float | 1 | value_run of that PUBLISH
rate_1 | feature | float | 1 | recent frames of all hosts: a count that decays with a time constant of 1 s, this one included
rate_60 | feature | float | 1 | recent frames of all hosts, with a time constant of 60 s
arp_60 | feature | float | 1 | recent ARP frames of all hosts, with a time constant of 60 s
arp_600 | feature | float | 1 | recent ARP frames of all hosts, with a time constant of 600 s
syn_60 | feature | float | 1 | recent TCP segments with SYN of all hosts, with a time constant of 60 s
rst_60 | feature | float | 1 | recent TCP segments with RST of all hosts, with a time constant of 60 s
slot | label | Int32 | 1 | slot of the reading a PUBLISH carries, from the journals
copy | label | Int16 | 1 | number of the copy a PUBLISH is, 0 for the reading itself, from the journals
"""
TLS_TABLE = """\
tls_records | meta | Int16 | 1 | TLS records that the frame completes; the fields below are those of the first
tls_type | meta | Int16 | | its content type on the wire: 20 change cipher spec, 21 alert, 22 handshake, 23 application data | tls.record.opaque_type tls.record.content_type
tls_version | meta | Int32 | | its version on the wire: 0x0301 of the first ClientHello, else 0x0303 | tls.record.version
tls_len | meta | Int32 | bytes | its length without its header | tls.record.length
tls_handshake | meta | Int16 | | type of its handshake message where that is not encrypted: 1 ClientHello, 2 ServerHello, 11 Certificate, … | tls.handshake.type
"""
"""Columns that level ``packets`` has more in a run with TLS."""
