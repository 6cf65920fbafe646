"""Frames between two hosts, and level ``packets`` of captures without labels."""

import struct
from pathlib import Path

import pandas as pd
from tests.analysis import made_run

from coldaisle_analysis.columns import conform, names
from coldaisle_analysis.features import packets

NEAR, FAR = ("02:42:c6:12:00:29", "198.18.0.41"), ("02:42:c6:12:00:01", "198.18.0.1")
"""MAC and IPv4 address of a unit and of the broker."""
SYN, ACK, UDP = 2, 16, 17


def frame(
    ports: tuple[int, int],
    flags: int = ACK,
    payload: bytes = b"",
    *,
    back: bool = False,
    proto: int = 6,
    seq: int = 1,
) -> bytes:
    """Return a frame from the unit to the broker, or in the other direction; ``ports`` are the unit's and the broker's."""
    (mac, ip), (far_mac, far_ip) = (FAR, NEAR) if back else (NEAR, FAR)
    near, far = ports[::-1] if back else ports
    if proto == UDP:
        body = struct.pack(">HHHH", near, far, 8 + len(payload), 0) + payload
    elif proto == 1:
        body = b"\x08\0\0\0\0\1\0\1" + payload
    else:
        body = made_run.tcp((near, far), (seq, 1), flags, 1, payload)
    return made_run.ethernet(mac, far_mac, 0x0800, made_run.ipv4(ip, far_ip, proto, body))


def level_of(pcaps: list[Path]) -> pd.DataFrame:
    """Return level ``packets`` of captures, one per day, without episodes."""
    frames = packets.trace(pcaps, [f"day-{number}" for number in range(1, len(pcaps) + 1)]).packets
    nothing = dict.fromkeys(set(names("packets")) - set(frames))
    return conform(
        frames.assign(**nothing | {"day": 1, "label": 0, "benign": 0, "kind": "normal"}), "packets"
    )
