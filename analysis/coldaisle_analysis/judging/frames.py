"""The frames that alerts are matched with, and Community IDs as names of their flows."""

import base64
import hashlib
import struct
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints

LONG_AGO = -(1 << 62)
"""Time of a frame that has none, in ns: near no alert, and far enough from the least number to reckon with."""


@dataclass(frozen=True)
class Frames:
    """What alerts are matched with, one entry per frame of level ``packets``.

    Attributes:
        files: names of the capture files.
        file: position in ``files``.
        in_file: number of the frame in its file.
        time_ns: when it was captured, in ns since the epoch.
        ends: address and port of sender and receiver; the address of ARP is the one that it claims or asks for.
        proto: number of the IP protocol, 0 without one.
    """

    files: tuple[str, ...]
    file: Ints
    in_file: Ints
    time_ns: Ints
    ends: pd.DataFrame
    proto: Ints

    @classmethod
    def of(cls, packets: pd.DataFrame) -> "Frames":
        """Return the frames of level ``packets``."""
        file, files = pd.factorize(packets["file"].astype("str"))
        ports = {
            f"{side}_port": packets[f"tcp_{name}"].fillna(packets[f"udp_{name}"]).astype("Int64")
            for side, name in (("src", "srcport"), ("dst", "dstport"))
        }
        addresses = {
            side: packets[f"ip_{side}"].astype("object").fillna(packets[f"arp_{side}_ip"].astype("object"))
            for side in ("src", "dst")
        }
        return cls(
            tuple(str(name) for name in files),
            file.astype(np.int64),
            packets["frame_in_file"].to_numpy(np.int64),
            np.maximum(packets["time_ns"].to_numpy(np.int64), LONG_AGO),
            pd.DataFrame({**addresses, **ports}).reset_index(drop=True),
            packets["ip_proto"].fillna(0).to_numpy(np.int64),
        )


def with_flows(alerts: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """Return the alerts with addresses and ports in place of a Community ID that is all they have."""
    bare = alerts["community_id"].notna() & alerts["src"].isna()
    if not bare.any():
        return alerts
    flows = frames.ends.assign(proto=frames.proto).dropna().drop_duplicates()
    flows.index = pd.Index([community_id(*flow) for flow in flows.itertuples(index=False)])
    flows = flows[~flows.index.duplicated()].reindex(alerts.loc[bare, "community_id"])
    filled = alerts.copy()
    for name in ("src", "src_port", "dst", "dst_port"):
        filled.loc[bare, name] = flows[name].to_numpy()
    return filled


def community_id(src: str, dst: str, src_port: int, dst_port: int, proto: int) -> str:
    """Return the Community ID, version 1, seed 0, of a flow (github.com/corelight/community-id-spec); both directions have the same."""
    low, high = sorted(
        (ip_address(address).packed, int(port)) for address, port in ((src, src_port), (dst, dst_port))
    )
    data = struct.pack(">H", 0) + low[0] + high[0] + struct.pack(">BBHH", int(proto), 0, low[1], high[1])
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
