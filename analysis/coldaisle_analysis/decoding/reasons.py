"""Reasons why a frame or message is malformed: the kernel notes number and offset, and readers see the words."""

from enum import IntEnum, auto

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.state import Carried


class Reason(IntEnum):
    """Number of a flaw, 0 for none."""

    NONE = 0
    LINK = auto()
    ETHERNET_CUT = auto()
    COOKED_CUT = auto()
    LOOPBACK_CUT = auto()
    VLAN_CUT = auto()
    ARP_CUT = auto()
    IPV4_CUT = auto()
    IPV4_VERSION = auto()
    IPV4_HEADER = auto()
    IPV4_SHORT = auto()
    IPV4_LONG = auto()
    IPV6_CUT = auto()
    IPV6_VERSION = auto()
    IPV6_LONG = auto()
    IPV6_EXTENSION = auto()
    IP_FRAGMENT = auto()
    TCP_CUT = auto()
    TCP_HEADER = auto()
    TCP_OPTIONS = auto()
    TCP_PAYLOAD = auto()
    UDP_CUT = auto()
    UDP_LENGTH = auto()
    ICMP_CUT = auto()
    MQTT_START = auto()
    MQTT_TYPE = auto()
    MQTT_LENGTH = auto()
    MQTT_FLAGS = auto()
    MQTT_QOS = auto()
    MQTT_SHORT = auto()
    MQTT_PROPERTIES = auto()
    MQTT_PROPERTY = auto()
    MQTT_ALIAS = auto()
    MQTT_TOPIC = auto()
    MQTT_CONNECT_FLAGS = auto()
    MQTT_WILL_QOS = auto()
    MQTT_CUT = auto()
    WEBSOCKET = auto()
    WEBSOCKET_TEXT = auto()
    INNER_CUT = auto()
    TUNNEL_CUT = auto()
    WIFI_CUT = auto()


WORDS = {
    Reason.LINK: "link type not decoded",
    Reason.ETHERNET_CUT: "Ethernet header cut off",
    Reason.COOKED_CUT: "Linux cooked header cut off",
    Reason.LOOPBACK_CUT: "loopback header cut off",
    Reason.VLAN_CUT: "VLAN tag cut off",
    Reason.ARP_CUT: "ARP cut off",
    Reason.IPV4_CUT: "IPv4 header cut off",
    Reason.IPV4_VERSION: "IPv4 header of another version",
    Reason.IPV4_HEADER: "IPv4 header length below 20 or past the frame",
    Reason.IPV4_SHORT: "IPv4 total length below its header",
    Reason.IPV4_LONG: "IPv4 total length past the frame",
    Reason.IPV6_CUT: "IPv6 header cut off",
    Reason.IPV6_VERSION: "IPv6 header of another version",
    Reason.IPV6_LONG: "IPv6 payload length past the frame",
    Reason.IPV6_EXTENSION: "IPv6 extension header cut off",
    Reason.IP_FRAGMENT: "IP fragment of a length that none has, or past the longest datagram",
    Reason.TCP_CUT: "TCP header cut off",
    Reason.TCP_HEADER: "TCP data offset below 5 or past the segment",
    Reason.TCP_OPTIONS: "TCP option with a length that is none",
    Reason.TCP_PAYLOAD: "TCP payload not captured whole",
    Reason.UDP_CUT: "UDP header cut off",
    Reason.UDP_LENGTH: "UDP length below 8 or past the packet",
    Reason.ICMP_CUT: "ICMP cut off",
    Reason.MQTT_START: "no MQTT message starts where one has to",
    Reason.MQTT_TYPE: "MQTT control packet of a reserved type",
    Reason.MQTT_LENGTH: "MQTT remaining length of more than four bytes",
    Reason.MQTT_FLAGS: "MQTT control packet with flags its type does not have",
    Reason.MQTT_QOS: "MQTT PUBLISH with QoS 3",
    Reason.MQTT_SHORT: "MQTT control packet too short for its fields",
    Reason.MQTT_PROPERTIES: "MQTT properties past the control packet",
    Reason.MQTT_PROPERTY: "MQTT property that does not exist, or that its length cuts off",
    Reason.MQTT_ALIAS: "MQTT topic alias 0",
    Reason.MQTT_TOPIC: "MQTT 5 PUBLISH with neither topic nor topic alias",
    Reason.MQTT_CONNECT_FLAGS: "MQTT CONNECT with a reserved flag, or with flags of a will and no will",
    Reason.MQTT_WILL_QOS: "MQTT CONNECT with will QoS 3",
    Reason.MQTT_CUT: "MQTT control packet not captured whole",
    Reason.WEBSOCKET: "WebSocket frame of a reserved type or length",
    Reason.WEBSOCKET_TEXT: "WebSocket frame of text, where MQTT needs a binary one",
    Reason.INNER_CUT: "LLC, PPPoE, PPP or MPLS header cut off, or too many of them",
    Reason.TUNNEL_CUT: "GRE header cut off, or too many tunnels",
    Reason.WIFI_CUT: "802.11 header cut off",
}
"""Each reason in words; in level ``packets`` the offset in the frame follows."""


@inner
def note(carried: Carried, reason: int, at: int) -> None:
    """Note the first flaw of the current frame and its offset in the block."""
    tally = carried.tally[0]
    if tally.flaw == 0:
        tally.flaw, tally.flaw_at = reason, at
