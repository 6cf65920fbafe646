"""Labels of frames: the journals joined with the captures, occurrence by occurrence.

The key of the join is the digest of the frame in the raw capture. Only frames from or to the attacker's MAC
address can be the attacker's, so the ARP that restores a cache is never confused with that of the owner. :mod:`consequences`
adds the frames that an episode caused on connections that the attacker never touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.decoding.captures import Frames
from coldaisle_analysis.truth.evidence import Evidence, shard_of_frames
from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.taxonomy import Role

NORMAL = "normal"
TRUTH = ("label", "benign", "kind", "episode", "role")
_MAC = np.frombuffer(bytes.fromhex(INJECTOR.mac.replace(":", "")), np.uint8)
_IP = np.frombuffer(IPv4Address(INJECTOR.ip).packed, np.uint8)
_ARP = np.frombuffer(b"\x08\x06", np.uint8)
_ASKED = 38
"""Offset of the requested address in an ARP frame, in bytes."""


@dataclass(frozen=True)
class Join:
    """The journal's lines joined with the frames.

    Attributes:
        lines: the ``frame`` lines with side ``broker``, with ``row``: position of the frame, -1 when not found.
        touched: mask of the frames that came from or went to the attacker.
        table: one row per frame with label, benign, kind, episode and role.
    """

    lines: pd.DataFrame
    touched: Mask
    table: pd.DataFrame


def join(evidence: Evidence) -> Join:
    """Label every frame that is in the attacker's journal."""
    touched = through_attacker(evidence.raw)
    candidates = np.flatnonzero(touched)
    frames = pd.DataFrame(
        {
            "shard": shard_of_frames(evidence)[candidates],
            "digest": [frame_digest(evidence.raw.frame(int(row))) for row in candidates],
            "row": candidates,
        }
    ).astype({"shard": "str", "digest": "str"})  # an empty table has no types
    key = ["shard", "digest"]
    lines = evidence.frames[evidence.frames["side"] == "broker"].reset_index(drop=True)
    frames["occurrence"] = frames.groupby(key).cumcount()
    lines["occurrence"] = lines.groupby(key).cumcount()
    merged = lines.merge(frames, how="left", on=[*key, "occurrence"])
    lines["row"] = merged["row"].fillna(-1).astype("int64")
    return Join(lines, touched, _label(lines, len(evidence.raw), kinds(evidence)))


def kinds(evidence: Evidence) -> dict[str, str]:
    """Return the kind of each of the plan's episodes."""
    return {episode.id: episode.kind for episode in evidence.plan.episodes}


def through_attacker(frames: Frames) -> Mask:
    """Return which frames have the attacker's MAC address as source or destination, or request it by ARP."""
    both = 2 * len(_MAC)
    address = frames.data[frames.start[:, None] + np.arange(both)].reshape(-1, 2, len(_MAC))
    is_side = (address == _MAC).all(axis=2).any(axis=1) & (frames.length >= both)
    last = np.minimum(frames.start + _ASKED, len(frames.data) - len(_IP))
    names_attacker = (frames.data[last[:, None] + np.arange(len(_IP))] == _IP).all(axis=1)
    kind = frames.data[frames.start[:, None] + np.arange(both, both + len(_ARP))]
    is_request = (kind == _ARP).all(axis=1) & names_attacker & (frames.length >= _ASKED + len(_IP))
    return np.asarray(is_side | is_request)


def _label(lines: pd.DataFrame, count: int, kind_of: dict[str, str]) -> pd.DataFrame:
    lines_found = lines[lines["row"] >= 0].set_index("row")
    table = lines_found[["anomalous", "episode", "role"]].reindex(range(count))
    anomalous = table["anomalous"].eq(other=True).to_numpy()
    return truth(anomalous, table["episode"], table["role"], kind_of)


def truth(anomalous: Mask, episode: pd.Series, role: pd.Series, kind_of: dict[str, str]) -> pd.DataFrame:
    """Return label, benign, kind, episode and role, one row per row given.

    Args:
        anomalous: whether the row is part of an anomaly; a frame that was only relayed is not.
        episode: episode that touched the row, missing for none.
        role: role of the row in that episode.
        kind_of: kind of each episode.
    """
    kind = episode.map(kind_of)
    harmless = {name for name in set(kind_of.values()) if KINDS[name].benign}
    benign = anomalous & kind.isin(harmless).to_numpy()
    return pd.DataFrame(
        {
            "label": (anomalous & ~benign).astype(np.int8),
            "benign": benign.astype(np.int8),
            "kind": kind.where(anomalous, NORMAL),
            "episode": episode,
            "role": role,
        },
        index=episode.index,
    )


def questions(packets: pd.DataFrame, hosts: Iterable[Host]) -> Mask:
    """Return which frames are honest ARP between hosts: the sender has its own MAC address.

    Args:
        packets: one row per frame.
        hosts: hosts that may send and answer requests.
    """
    macs = {host.ip: host.mac for host in hosts}
    sender = packets["arp_src_ip"].astype("str")
    mac = sender.map(macs)
    honest = mac.notna() & (packets["arp_src_mac"].astype("str") == mac)
    honest &= packets["eth_src"].astype("str") == mac
    return (honest & packets["arp_dst_ip"].astype("str").isin(macs)).to_numpy(bool)


def with_kernels_own(joined: Join, packets: pd.DataFrame, hosts: Iterable[Host]) -> Join:
    """Return the join with the role of ARP that the attacker's kernel exchanges with others without an act; no line names it."""
    unnamed = joined.touched & joined.table["role"].isna().to_numpy() & questions(packets, hosts)
    role = joined.table["role"].astype(object).mask(unnamed, Role.KERNEL.value)
    return replace(joined, table=joined.table.assign(role=role))


def with_consequences(joined: Join, caused: pd.Series, kind_of: dict[str, str]) -> Join:
    """Return the join with further frames labelled as consequences of an episode.

    Args:
        joined: the join so far.
        caused: episode by position of the frame; it replaces an episode that only relayed the frame, and no other.
        kind_of: kind of each episode.
    """
    table = joined.table
    rows = caused.index[table["role"].reindex(caused.index).isin([np.nan, None, Role.RELAYED.value])]
    if rows.empty:
        return joined
    episode, role = table["episode"].astype(object), table["role"].astype(object)
    episode.loc[rows], role.loc[rows] = caused.loc[rows], Role.CONSEQUENCE.value
    anomalous = (table["label"] | table["benign"]).astype(bool).to_numpy().copy()
    anomalous[rows] = True
    return replace(joined, table=truth(anomalous, episode, role, kind_of))
