"""Consequences: frames of a unit's own that an episode brought about, told from the journals, never from a time window.

A connection is opened and closed for a reason, and the unit's journal says which: because it was lost, or because of an
anomaly of its own. Lost it is because of an act that threw its client out since its last reading. The frames of an
opening are those before the connection's first PUBLISH, those of a closing start at its first FIN or RST. A kernel may give a
port again, so a line speaks of the first connection from its port that begins after it.
"""

import numpy as np
import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_contracts.addressing import BROKER, MQTT_PORT, UNITS
from coldaisle_contracts.topics import SENSORS, client_id

EARLY = 10_000_000
"""How much earlier than its journalled sending a frame may seem to be, ns: the error of retiming."""
EXPELLING = ("takeover", "reset")
"""Operations that throw a client out."""
KEY = ["shard", "host", "port"]
"""What names a unit's connection, until the port is given again."""
_CLIENT = ["shard", "client"]


def connections(evidence: Evidence) -> pd.DataFrame:
    """Return one row for each frame of a unit's MQTT connections: shard, host (the unit), port, flow, opening, closing and line.

    ``line`` is the position of the connection's line in ``evidence.connects``, -1 where no unit says that it opened it.
    """
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
    found["line"] = _lines_of(evidence, found)
    return found


def _lines_of(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the position of the ``connect`` line of each frame's connection, -1 for none; a line names one connection."""
    begun = frames.drop_duplicates("flow")
    begun = begun[[*KEY, "flow"]].assign(at_ns=evidence.trace.frames.time_ns[begun.index] + EARLY)
    lines = evidence.connects.astype({"shard": "str", "host": "str", "port": "int64", "at_ns": "int64"})
    lines = lines[[*KEY, "at_ns"]].assign(line=np.arange(len(lines)))
    named = pd.merge_asof(begun.sort_values("at_ns"), lines, on="at_ns", by=KEY).drop_duplicates("line")
    of_flow = named.dropna(subset="line").set_index("flow")["line"]
    return frames["flow"].map(of_flow).fillna(-1).astype("int64")


def caused(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the episode that brought about each frame of an opening or closing, by the frame's position.

    Args:
        evidence: what the run left behind.
        frames: its units' connections, see :func:`connections`.
    """
    connects = reasons(evidence)
    opened = connects["episode"][connects["episode"] != ""]
    before = pd.Series(connects.index, connects.index).groupby([connects[name] for name in _CLIENT]).shift()
    replaced = opened.set_axis(before[opened.index]) if len(opened) else opened
    ended: pd.Series = pd.concat([replaced[replaced.index.notna()], _dropped(evidence, connects)])
    parts = (
        frames.loc[frames["opening"], "line"].map(opened),
        frames.loc[frames["closing"], "line"].map(ended[~ended.index.duplicated()]),
    )
    both: pd.Series = pd.concat(parts).dropna()
    return both[~both.index.duplicated()]


def _dropped(evidence: Evidence, connects: pd.DataFrame) -> pd.Series:
    """Return the episode for which a unit closed a connection, by the position of the connection's line."""
    closed = evidence.disconnects.astype(
        {"shard": "str", "client": "str", "episode": "str", "at_ns": "int64"}
    )
    closed = closed.loc[closed["episode"] != "", [*_CLIENT, "at_ns", "episode"]]
    lines = connects[[*_CLIENT, "at_ns"]].astype({"at_ns": "int64"}).assign(line=connects.index)
    found = pd.merge_asof(closed.sort_values("at_ns"), lines, on="at_ns", by=_CLIENT)
    return found.dropna(subset="line").set_index("line")["episode"]


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


def taken_under(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the unit's own episode under which the reading in each frame was taken, by the frame's position.

    A segment that the kernel sent again counts too, also where the broker discarded it and no message was decoded from it.

    Args:
        evidence: what the run left behind.
        frames: its units' connections, see :func:`connections`.
    """
    packets = evidence.trace.packets
    upward = packets["tcp_dstport"].eq(MQTT_PORT) & packets["tcp_len"].gt(0)
    sent = frames[upward.fillna(value=False)[frames.index].to_numpy(bool)]
    time_ns = evidence.trace.frames.time_ns
    found: dict[int, str] = {}
    own = evidence.readings.astype({"shard": "str", "episode": "str"}).assign(host=_units_of(evidence))
    own = own[own["episode"] != ""]
    for (shard, host), readings in own.groupby(["shard", "host"]):
        rows = sent.index[(sent["shard"] == shard) & (sent["host"] == host)].to_numpy(np.int64)
        columns = readings[["sent_ns", "acked_ns", "mid", "value", "episode"]]
        for sent_ns, acked_ns, mid, value, episode in columns.itertuples(index=False, name=None):
            first, last = np.searchsorted(time_ns[rows], [sent_ns - EARLY, acked_ns + EARLY])
            end = int(mid).to_bytes(2, "big") + str(value).encode()
            found |= {
                int(row): episode for row in rows[first:last] if evidence.raw.frame(int(row)).endswith(end)
            }
    return pd.Series(found, dtype=object)


def _units_of(evidence: Evidence) -> pd.Series:
    """Return the unit of each reading."""
    names = {client_id(unit, sensor): unit for unit in evidence.plan.scenario.units for sensor in SENSORS}
    return evidence.readings["client"].astype("str").map(names)
