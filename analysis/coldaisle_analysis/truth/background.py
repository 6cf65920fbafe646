"""Background traffic: each request of a workstation has its line, each answer its request, and each line its request.

DNS is joined by the port of the question, DHCP by the number of the transaction, HTTP by the port of the connection. NTP of
workstations is counted with that of the units (:mod:`custody`).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.background import DHCP_CLIENT_PORT, DHCP_PORT, DNS_PORT, HTTP_PORT
from coldaisle_contracts.journal import ETHERNET

_KEY = ["shard", "host", "number"]
_UDP_HEADER, _XID, _CHADDR = 8, 4, 28
"""Bytes of a UDP header, and offsets of the number of the transaction and of the client's MAC address in a DHCP message (RFC 2131)."""


def explained(evidence: Evidence) -> Mask:
    """Return which frames are background traffic that the workstations' journals have lines for."""
    mask = np.zeros(len(evidence.raw), bool)
    for lines, frames in _services(evidence).values():
        known = pd.MultiIndex.from_frame(lines[_KEY])
        mask[frames.index[pd.MultiIndex.from_frame(frames[_KEY]).isin(known)]] = True
    return mask


def check(evidence: Evidence) -> Iterator[str]:
    """Yield a sentence where the requests in the capture are not those of the journals, or there are more answers than requests."""
    for name, (lines, frames) in _services(evidence).items():
        begins = frames[frames["begins"]]
        tables = (begins, frames[frames["answers"]], lines)
        counts = pd.concat([table.groupby(_KEY).size() for table in tables], axis=1).fillna(0).astype("int64")
        for (shard, host, number), requests, answers, noted in counts.sort_index().itertuples(name=None):
            if requests != noted:
                yield f"{host} sent {requests} {name} requests with number {number} in {shard}, but its journal has {noted}"
            if answers > requests:
                yield f"{host} got {answers} {name} answers with number {number} in {shard}, but sent {requests} requests"


def _services(evidence: Evidence) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return, by service, the lines of the journals and the frames, both with shard, host and number.

    Frames are indexed by their position, ``begins`` tells which of them are requests and ``answers`` which are answers.
    """
    if not evidence.plan.workstations:
        return {}
    return {
        "DNS": (evidence.lookups.assign(number=evidence.lookups["port"]), _frames(evidence, "udp", DNS_PORT)),
        "DHCP": (evidence.leases, _dhcp(evidence)),
        "HTTP": (evidence.fetches.assign(number=evidence.fetches["port"]), _http(evidence)),
    }


def _frames(evidence: Evidence, protocol: str, service: int) -> pd.DataFrame:
    """Return the frames between workstations and a port of the broker's host, both sides under their own MAC address."""
    packets = evidence.trace.packets
    stations = {host.ip: host for host in evidence.plan.workstations.values()}
    parts = []
    for here, there in (("src", "dst"), ("dst", "src")):
        rows = packets[packets[f"{protocol}_{there}port"].eq(service).fillna(value=False)]
        host = rows[f"ip_{here}"].astype("str").map(stations)
        mac = host.map(lambda station: station.mac, na_action="ignore")
        chosen = (rows[f"eth_{here}"].astype("str") == mac) & rows[f"eth_{there}"].eq(BROKER.mac)
        chosen &= rows[f"ip_{there}"].eq(BROKER.ip)
        rows, host = rows[chosen], host[chosen]
        table = (
            rows[["shard"]]
            .astype("str")
            .assign(
                host=host.map(lambda station: station.name).astype("str"),
                number=rows[f"{protocol}_{here}port"].astype("int64"),
                begins=here == "src",
                answers=here == "dst",
            )
        )
        parts.append(table)
    return pd.concat(parts).sort_index()


def _http(evidence: Evidence) -> pd.DataFrame:
    """Return the frames of connections to the status page: a request is a connection, an answer the first segment with data."""
    frames = _frames(evidence, "tcp", HTTP_PORT)
    packets = evidence.trace.packets.loc[frames.index]
    flow = packets["flow"]
    speaks = packets["tcp_len"].gt(0).fillna(value=False)
    first = frames["answers"] & speaks & ~flow.where(frames["answers"] & speaks).duplicated()
    return frames.assign(begins=frames["begins"] & ~flow.duplicated(), answers=first)


def _dhcp(evidence: Evidence) -> pd.DataFrame:
    """Return the DHCP messages between workstations and server; before a workstation has its address, both speak to everybody."""
    packets = evidence.trace.packets
    names = {bytes.fromhex(host.mac.replace(":", "")): host for host in evidence.plan.workstations.values()}
    rows: dict[int, tuple[str, str, int, bool, bool]] = {}
    source, target = packets["udp_srcport"], packets["udp_dstport"]
    to_server = (source.eq(DHCP_CLIENT_PORT) & target.eq(DHCP_PORT)).fillna(value=False).to_numpy(bool)
    to_client = (source.eq(DHCP_PORT) & target.eq(DHCP_CLIENT_PORT)).fillna(value=False).to_numpy(bool)
    for row in np.flatnonzero(to_server | to_client):
        frame = evidence.raw.frame(int(row))
        message = frame[ETHERNET + (frame[ETHERNET] & 15) * 4 + _UDP_HEADER :]
        host, asks = names.get(bytes(message[_CHADDR : _CHADDR + 6])), bool(to_server[row])
        if host is not None and frame[6:12].hex(":") == (host.mac if asks else BROKER.mac):
            number = int.from_bytes(message[_XID : _XID + 4], "big")
            rows[int(row)] = str(packets["shard"].iloc[row]), host.name, number, asks, not asks
    return pd.DataFrame.from_dict(rows, "index", columns=[*_KEY, "begins", "answers"]).astype(
        {"shard": "str", "host": "str", "number": "int64", "begins": "bool", "answers": "bool"}
    )
