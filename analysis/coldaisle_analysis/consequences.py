"""Consequences: frames of a unit's own that an episode brought about, told from the journals, never from a time window.

A connection is opened and closed for a reason, and the unit's journal says which: because it was lost, or because of an
anomaly of its own. Lost it is because of an act that threw its client out since its last reading. The frames of an
opening are those before the connection's first PUBLISH, those of a closing start at its first FIN or RST.
"""

import numpy as np
import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.evidence import Evidence
from coldaisle_contracts.addressing import BROKER, MQTT_PORT, UNITS

EXPELLING = ("takeover", "reset")
"""Operations that throw a client out."""
KEY = ["shard", "host", "port"]
"""What names a unit's connection."""


def connections(evidence: Evidence) -> pd.DataFrame:
    """Return a row for every frame of a unit's MQTT connections: shard, host (the unit), port, opening, closing."""
    packets = evidence.trace.packets
    upward = packets["tcp_dstport"].eq(MQTT_PORT) & packets["ip_dst"].astype("str").eq(BROKER.ip)
    downward = packets["tcp_srcport"].eq(MQTT_PORT) & packets["ip_src"].astype("str").eq(BROKER.ip)
    upward, downward = upward.fillna(value=False).astype(bool), downward.fillna(value=False).astype(bool)
    table = packets[upward | downward]
    upward = upward[table.index]
    names = {unit.ip: unit.name for unit in UNITS.values()}
    ip = table["ip_src"].astype("str").where(upward, table["ip_dst"].astype("str"))
    found = pd.DataFrame(
        {
            "shard": table["shard"].astype("str"),
            "host": ip.map(names),
            "port": table["tcp_srcport"].where(upward, table["tcp_dstport"]).astype("int64"),
            "flow": table["flow"],
        }
    )
    found = found[found["host"].notna()]
    own = packets.loc[found.index]
    reports = own["mqtt_msgtype"].eq(PUBLISH).fillna(value=False).astype("int64")
    ends = (own["tcp_fin"].eq(1) | own["tcp_rst"].eq(1)).fillna(value=False).astype("int64")
    found["opening"] = reports.groupby(found["flow"]).cummax().eq(0).to_numpy()
    found["closing"] = ends.groupby(found["flow"]).cummax().eq(1).to_numpy()
    return found


def caused(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the episode that brought about each frame of an opening or closing, by the frame's position.

    Args:
        evidence: what the run left behind.
        frames: its units' connections, see :func:`connections`.
    """
    opened = reasons(evidence)
    opened = opened[opened["episode"] != ""]
    dropped = evidence.disconnects
    dropped = dropped[dropped["episode"] != ""]
    replaced = opened[opened["was"] > 0].assign(port=opened["was"])
    ended = pd.concat([replaced[[*KEY, "episode"]], dropped[[*KEY, "episode"]]])
    parts = (
        _of(frames[frames["opening"]], opened[[*KEY, "episode"]]),
        _of(frames[frames["closing"]], ended),
    )
    both: pd.Series = pd.concat(parts)
    return both[~both.index.duplicated()]


def reasons(evidence: Evidence) -> pd.DataFrame:
    """Return the units' connects, with the episode that made each necessary; empty where none did.

    A lost connection is put down to the last act that threw its client out after its last acknowledged reading.
    """
    connects = evidence.connects.astype({"shard": "str", "client": "str", "episode": "str"})
    connects = connects.assign(port=connects["port"].astype("int64"), was=connects["was"].astype("int64"))
    lost = connects[connects["reason"] == "lost"]
    acts = evidence.acts[evidence.acts["operation"].isin(EXPELLING)]
    if lost.empty or acts.empty:
        return connects
    by = ["shard", "client"]
    read = evidence.readings.astype(dict.fromkeys(by, "str"))[[*by, "acked_ns"]]
    read = read.rename(columns={"acked_ns": "at_ns"}).assign(before=lambda table: table["at_ns"])
    acts = acts.astype(dict.fromkeys([*by, "episode"], "str"))[[*by, "at_ns", "episode"]]
    acts = acts.rename(columns={"episode": "by_act"}).assign(act_ns=acts["at_ns"])
    sides = [table.astype({"at_ns": "int64"}).sort_values("at_ns") for table in (read, acts)]
    found = lost.reset_index().astype({"at_ns": "int64"}).sort_values("at_ns")
    for side in sides:
        found = pd.merge_asof(found, side, on="at_ns", by=by)
    named = found[found["act_ns"] > found["before"].fillna(-1)].set_index("index")["by_act"]
    connects.loc[named.index, "episode"] = named
    return connects


def _of(frames: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """Return the episode of the line that names each frame's connection."""
    known = lines.astype({"shard": "str", "port": "int64"}).drop_duplicates(KEY).set_index(KEY)["episode"]
    at = pd.MultiIndex.from_frame(frames[KEY])
    found = pd.Series(known.reindex(at).to_numpy(), frames.index, dtype=object)
    return found[found.notna()]


def unnamed(evidence: Evidence, frames: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the positions of frames of connections that no unit says it opened."""
    known = evidence.connects.astype({"shard": "str", "port": "int64"})
    named = pd.MultiIndex.from_frame(frames[KEY]).isin(pd.MultiIndex.from_frame(known[KEY]))
    return frames.index.to_numpy(np.int64)[~named]
