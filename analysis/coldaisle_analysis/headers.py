"""Ethernet, ARP, IPv4, TCP, UDP and NTP headers of all frames at once: a field is one numpy expression.

Offsets are those of RFC 826 (ARP), 791 (IPv4), 9293 (TCP), 7323 (TCP timestamps), 768 (UDP), 5905 (NTP).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.captures import Frames, Ints

Mask = npt.NDArray[np.bool_]

ARP, IPV4 = 0x0806, 0x0800
ICMP, TCP, UDP = 1, 6, 17
NTP_PORT = 123
_ETHERNET, _ARP, _IP, _TCP, _UDP, _NTP = 14, 28, 20, 20, 8, 48
"""Shortest header of each, bytes."""
_VERSION_4 = 4
_ETHERNET_IPV4 = 0x0001_0800
"""Hardware and protocol type of an ARP frame."""
_TIMESTAMP_FIRST = 0x0101_080A
"""Two NOPs and the timestamp option with its length, as Linux writes them."""
_TIMESTAMP = 8
"""Kind of the TCP timestamp option."""


@dataclass(frozen=True)
class Layers:
    """Which frames have which layer, and where.

    Attributes:
        frames: the frames.
        eth, arp, ip, tcp, udp, ntp: masks of the frames with that layer whole enough to read.
        network: offset of the ARP or IPv4 header.
        transport: offset of the TCP or UDP header.
        payload: offset of the TCP payload.
        payload_length: bytes of TCP payload, 0 elsewhere.
    """

    frames: Frames
    eth: Mask
    arp: Mask
    ip: Mask
    tcp: Mask
    udp: Mask
    ntp: Mask
    network: Ints
    transport: Ints
    payload: Ints
    payload_length: Ints

    def u8(self, at: Ints) -> Ints:
        """Return the bytes at these offsets."""
        return self.frames.data[at].astype(np.int64)

    def u16(self, at: Ints) -> Ints:
        """Return the big-endian 16-bit numbers at these offsets."""
        return self.u8(at) << 8 | self.u8(at + 1)

    def u32(self, at: Ints) -> Ints:
        """Return the big-endian 32-bit numbers at these offsets."""
        return self.u16(at) << 16 | self.u16(at + 2)

    def u48(self, at: Ints) -> Ints:
        """Return the big-endian 48-bit numbers at these offsets."""
        return self.u16(at) << 32 | self.u32(at + 2)


def layers(frames: Frames) -> Layers:
    """Find the layers of every frame; a layer cut off by the snap length, or a fragment's, is absent."""
    none = np.zeros(len(frames), bool)
    zero = np.zeros(len(frames), np.int64)
    view = Layers(frames, none, none, none, none, none, none, zero, zero, zero, zero)
    network, end = frames.start + _ETHERNET, frames.start + frames.length
    eth = frames.length >= _ETHERNET
    kind = np.where(eth, view.u16(frames.start + 12), 0)
    arp = (kind == ARP) & (network + _ARP <= end) & (view.u32(network) == _ETHERNET_IPV4)
    header = (view.u8(network) & 15) * 4
    ip = (kind == IPV4) & (network + _IP <= end) & (view.u8(network) >> 4 == _VERSION_4) & (header >= _IP)
    transport = np.where(ip, network + header, network)
    first = ip & (view.u16(network + 6) & 0x1FFF == 0)
    proto = view.u8(network + 9)
    tcp = first & (proto == TCP) & (transport + _TCP <= end)
    udp = first & (proto == UDP) & (transport + _UDP <= end)
    data_offset = np.where(tcp, (view.u8(np.where(tcp, transport + 12, 0)) >> 4) * 4, 0)
    payload = transport + data_offset
    length = np.where(tcp, np.maximum(network + view.u16(network + 2) - payload, 0), 0)
    ports = (view.u16(transport) == NTP_PORT) | (view.u16(transport + 2) == NTP_PORT)
    ntp = udp & ports & (transport + _UDP + _NTP <= end)
    return Layers(frames, eth, arp, ip, tcp, udp, ntp, network, transport, payload, length)


def integers(values: Ints, present: Mask, dtype: str = "Int64") -> pd.Series:
    """Return a nullable column: the values where present."""
    kept = np.where(present, values, 0).astype(dtype.lower())
    return pd.Series(pd.arrays.IntegerArray(kept, ~present))


def texts(values: Ints, present: Mask, write: Callable[[int], str]) -> pd.Series:
    """Return a text column of few different values, written once each."""
    unique, codes = np.unique(values[present], return_inverse=True)
    all_codes = np.full(len(values), -1)
    all_codes[present] = codes
    return pd.Series(
        pd.Categorical.from_codes(all_codes, pd.Index([write(int(value)) for value in unique], dtype="str"))
    )


def mac_text(address: int) -> str:
    """Return a 48-bit number as a MAC address."""
    return address.to_bytes(6, "big").hex(":")


def ip_text(address: int) -> str:
    """Return a 32-bit number as a dotted IPv4 address."""
    return ".".join(map(str, address.to_bytes(4, "big")))


def decode(view: Layers) -> dict[str, pd.Series]:
    """Return the columns of every layer below MQTT."""
    frames, eth, start = view.frames, view.eth, view.frames.start
    return {
        "frame_len": pd.Series(frames.wire_length),
        "eth_src": texts(view.u48(start + 6), eth, mac_text),
        "eth_dst": texts(view.u48(start), eth, mac_text),
        "eth_type": pd.Series(np.where(eth, view.u16(start + 12), 0)),
        **_arp(view),
        **_ip(view),
        **_tcp(view),
        **_udp(view),
    }


def _arp(view: Layers) -> dict[str, pd.Series]:
    at, arp = view.network, view.arp
    return {
        "arp_op": integers(view.u16(at + 6), arp),
        "arp_src_mac": texts(view.u48(at + 8), arp, mac_text),
        "arp_src_ip": texts(view.u32(at + 14), arp, ip_text),
        "arp_dst_ip": texts(view.u32(at + 24), arp, ip_text),
    }


def _ip(view: Layers) -> dict[str, pd.Series]:
    at, ip = view.network, view.ip
    return {
        "ip_src": texts(view.u32(at + 12), ip, ip_text),
        "ip_dst": texts(view.u32(at + 16), ip, ip_text),
        "ip_proto": integers(view.u8(at + 9), ip),
        "ip_len": integers(view.u16(at + 2), ip),
        "ip_ttl": integers(view.u8(at + 8), ip),
        "ip_id": integers(view.u16(at + 4), ip),
        "ip_dscp": integers(view.u8(at + 1) >> 2, ip),
        "ip_df": integers(view.u8(at + 6) >> 6 & 1, ip),
    }


def _tcp(view: Layers) -> dict[str, pd.Series]:
    at, tcp = view.transport, view.tcp
    flags = view.u16(at + 12) & 0xFFF
    names = ("tcp_fin", "tcp_syn", "tcp_rst", "tcp_psh", "tcp_ack_flag", "tcp_urg")
    value, echo, stamped = _timestamps(view)
    return {
        "tcp_srcport": integers(view.u16(at), tcp),
        "tcp_dstport": integers(view.u16(at + 2), tcp),
        "tcp_seq": integers(view.u32(at + 4), tcp),
        "tcp_ack": integers(view.u32(at + 8), tcp),
        "tcp_flags": integers(flags, tcp),
        **{name: integers(flags >> bit & 1, tcp) for bit, name in enumerate(names)},
        "tcp_hdr_len": integers((view.u8(at + 12) >> 4) * 4, tcp),
        "tcp_len": integers(view.payload_length, tcp),
        "tcp_window": integers(view.u16(at + 14), tcp),
        "tcp_tsval": integers(value, stamped),
        "tcp_tsecr": integers(echo, stamped),
    }


def _timestamps(view: Layers) -> tuple[Ints, Ints, Mask]:
    """Return value, echo and presence of the TCP timestamp option.

    Linux writes it first, behind two NOPs, in all but SYN segments; elsewhere the options are walked.
    """
    options = view.transport + _TCP
    room = view.tcp & (view.payload >= options + 12)
    usual = room & (view.u32(options) == _TIMESTAMP_FIRST)
    at = np.where(usual, options + 4, 0)
    for index in np.flatnonzero(view.tcp & ~usual & (view.payload > options)):
        at[index] = _find_timestamp(view.frames.data, int(options[index]), int(view.payload[index]))
    found = at > 0
    return view.u32(at), view.u32(at + 4), found


def _find_timestamp(data: npt.NDArray[np.uint8], at: int, end: int) -> int:
    """Return where the timestamp's value stands among the options in [at, end), 0 if it does not."""
    while at < end and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        if data[at] == _TIMESTAMP and at + 10 <= end:
            return at + 2
        at += max(int(data[at + 1]), 2)
    return 0


def _udp(view: Layers) -> dict[str, pd.Series]:
    at, udp, ntp = view.transport, view.udp, view.ntp
    return {
        "udp_srcport": integers(view.u16(at), udp),
        "udp_dstport": integers(view.u16(at + 2), udp),
        "udp_len": integers(view.u16(at + 4), udp),
        "ntp_mode": integers(view.u8(at + 8) & 7, ntp),
        "ntp_stratum": integers(view.u8(at + 9), ntp),
    }
