"""Consequences: frames of a unit that an episode caused, found from the journals and never from a time window.

A unit's journal gives the reason for which a connection is opened or closed: it was lost, or the unit plays an anomaly
itself. A connection is lost because an act expelled its client after its last reading. The opening of a connection consists of
the frames before its first PUBLISH; where a unit fell back to plaintext, the whole connection is a consequence. Its closing starts at the broker's DISCONNECT, or at its first FIN or RST. A kernel may use a port again, so a line
of the journal means the first connection from its port that begins after the line.
"""

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.decoding.mqtt import DISCONNECT, PUBLISH
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_contracts.addressing import BROKER, MQTT_PORTS
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.dialects import ALIAS
from coldaisle_contracts.journal_lines import FALLBACK, UNWANTED
from coldaisle_contracts.kinds import expelling
from coldaisle_contracts.topics import base_id, sensor_of
from coldaisle_contracts.units import Unit

EARLY = 10_000_000
"""Largest time by which a frame may precede its line in the journal, in ns: the error of retiming."""
SETTLED = 20 * SECOND
"""Longest time from a unit's own copy of a reading to the last frame that carries it, in ns."""
KEY = ["shard", "host", "port"]
"""Columns that identify a unit's connection until the port is used again."""
_CLIENT = ["shard", "client"]


def connections(evidence: Evidence) -> pd.DataFrame:
    """Return one row for each frame of a device's MQTT connections: shard, host (the device), port, flow, opening, closing and line.

    ``line`` is the position of the connection's line in ``evidence.connects``, -1 where no journal of a unit or companion has one.
    """
    packets = evidence.trace.packets
    names = {host.ip: host.name for host in evidence.plan.hosts if host.name in evidence.plan.devices}
    parts = []
    for unit, broker in (("src", "dst"), ("dst", "src")):
        table = packets[packets[f"tcp_{broker}port"].isin(MQTT_PORTS) & packets[f"ip_{broker}"].eq(BROKER.ip)]
        port, host = table[f"tcp_{unit}port"].astype("int64"), table[f"ip_{unit}"].astype("str").map(names)
        parts.append(table[["flow"]].assign(shard=table["shard"].astype("str"), host=host, port=port))
    frames = pd.concat(parts).dropna(subset="host").sort_index()
    rows = packets.loc[frames.index]
    reports = (rows["mqtt_msgtype"].eq(PUBLISH).fillna(value=False) | _within_tls(evidence, rows)).astype(
        "int64"
    )
    thrown = rows["mqtt_msgtype"].eq(DISCONNECT) & rows["ip_src"].eq(
        BROKER.ip
    )  # a broker says so in MQTT 5 alone
    ends = (rows["tcp_fin"].eq(1) | rows["tcp_rst"].eq(1) | thrown).fillna(value=False).astype("int64")
    frames["opening"] = reports.groupby(frames["flow"]).cummax().eq(0).to_numpy()
    frames["closing"] = ends.groupby(frames["flow"]).cummax().eq(1).to_numpy()
    frames["line"] = _lines_of(evidence, frames)
    return frames


def _within_tls(evidence: Evidence, rows: pd.DataFrame) -> Mask:
    """Return which frames complete a PUBLISH within TLS."""
    messages = evidence.trace.messages
    published = messages["row"][messages["msgtype"].eq(PUBLISH).to_numpy(bool, na_value=False)]
    return np.asarray(rows.index.isin(set(published) & set(evidence.trace.said)))


def _lines_of(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the position of the ``connect`` line of each frame's connection, -1 for none; a line means one connection."""
    begun = frames.drop_duplicates("flow")
    begun = begun[[*KEY, "flow"]].assign(at_ns=evidence.trace.frames.time_ns[begun.index] + EARLY)
    lines = evidence.connects[[*KEY, "at_ns"]].assign(line=np.arange(len(evidence.connects)))
    matched = pd.merge_asof(begun.sort_values("at_ns"), lines, on="at_ns", by=KEY).drop_duplicates("line")
    of_flow = matched.dropna(subset="line").set_index("flow")["line"]
    return frames["flow"].map(of_flow).fillna(-1).astype("int64")


def caused(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the episode that caused each frame of an opening or closing, by the frame's position.

    Args:
        evidence: plan, journals and captures of the run.
        frames: frames of its devices' connections, see :func:`connections`.
    """
    connects = reasons(evidence)
    opened = connects["episode"][connects["episode"] != ""]
    fallen_back = connects.index[connects["reason"] == FALLBACK]
    before = pd.Series(connects.index, connects.index).groupby([connects[name] for name in _CLIENT]).shift()
    replaced = opened.set_axis(before[opened.index]) if len(opened) else opened
    ended: pd.Series = pd.concat([replaced[replaced.index.notna()], _dropped(evidence, connects)])
    parts = (
        frames.loc[frames["opening"] | frames["line"].isin(fallen_back), "line"].map(opened),
        frames.loc[frames["closing"], "line"].map(ended[~ended.index.duplicated()]),
    )
    both: pd.Series = pd.concat(parts).dropna()
    return both[~both.index.duplicated()]


def _dropped(evidence: Evidence, connects: pd.DataFrame) -> pd.Series:
    """Return the episode because of which a unit closed a connection, by the position of the connection's line."""
    closed = evidence.disconnects[evidence.disconnects["episode"] != ""]
    closed = closed[[*_CLIENT, "at_ns", "episode"]]
    lines = connects[[*_CLIENT, "at_ns"]].assign(line=connects.index)
    matched = pd.merge_asof(closed, lines, on="at_ns", by=_CLIENT)
    return matched.dropna(subset="line").set_index("line")["episode"]


def reasons(evidence: Evidence) -> pd.DataFrame:
    """Return the units' connects, with the episode that caused each; empty where none did.

    The cause of a lost connection is the last act that expelled its client after its last acknowledged reading.
    """
    connects = evidence.connects.copy()
    lost = connects[connects["reason"].isin(UNWANTED)]
    operations = expelling(episode.kind for episode in evidence.plan.episodes)
    acts = evidence.acts[evidence.acts["operation"].isin(operations)]
    if lost.empty or acts.empty:
        return connects
    read = evidence.readings.sort_values("acked_ns")
    read = read[_CLIENT].assign(at_ns=read["acked_ns"], before=read["acked_ns"])
    acts = acts[_CLIENT].assign(at_ns=acts["at_ns"], act_ns=acts["at_ns"], by_act=acts["episode"])
    matched = lost.reset_index()
    for side in (read, acts):
        matched = pd.merge_asof(matched, side, on="at_ns", by=_CLIENT)
    caused_by = matched[matched["act_ns"] > matched["before"].fillna(-1)].set_index("index")["by_act"]
    connects.loc[caused_by.index, "episode"] = caused_by
    return connects


def own_copies(evidence: Evidence) -> pd.DataFrame:
    """Return the ``act`` lines of copies of readings that units published themselves; the attacker's name a frame by its digest."""
    acts = evidence.acts
    return acts[(acts["operation"] == "copy") & (acts["digest"] == "")]


def taken_under(evidence: Evidence, frames: pd.DataFrame) -> pd.Series:
    """Return the episode, played by the unit itself, to which the reading in each frame belongs, by the frame's position.

    The reading was taken during the episode, or is a copy that the unit made for it.

    Args:
        evidence: plan, journals and captures of the run.
        frames: frames of its devices' connections, see :func:`connections`.
    """
    return carrying(evidence, frames, _published(evidence))


def carrying(evidence: Evidence, frames: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """Return the episode of the reading in each frame that carries one of some readings, by the frame's position.

    A segment that the kernel sent again counts as well, even where the broker discarded it and no message was decoded from it.

    Args:
        evidence: plan, journals and captures of the run.
        frames: frames of its devices' connections, see :func:`connections`.
        lines: the readings: shard, host, name, sent_ns, acked_ns, mid, value and episode.
    """
    packets = evidence.trace.packets
    upward = packets["tcp_dstport"].isin(MQTT_PORTS) & packets["tcp_len"].gt(0)
    sent = frames[upward.fillna(value=False)[frames.index].to_numpy(bool)]
    name = evidence.connects["name"].reindex(sent["line"]).to_numpy()
    places = sent.reset_index(names="row").groupby(["shard", "host", name])["row"]
    rows_of = {key: rows.to_numpy(np.int64) for key, rows in places}
    time_ns = evidence.trace.frames.time_ns
    episodes: dict[int, str] = {}
    columns = ["shard", "host", "name", "sent_ns", "acked_ns", "mid", "value", "episode"]
    for *key, sent_ns, acked_ns, mid, value, episode in lines[columns].itertuples(index=False, name=None):
        rows = rows_of.get(tuple(key))
        if rows is None:  # no such connection: the ledger says so elsewhere
            continue
        first, last = np.searchsorted(time_ns[rows], [sent_ns - EARLY, acked_ns + EARLY])
        end = _end_of_publish(evidence.plan.units[str(key[1])], int(mid), str(key[2]), str(value))
        episodes |= {int(row): episode for row in rows[first:last] if evidence.said(int(row)).endswith(end)}
    return pd.Series(episodes, dtype=object)


def _end_of_publish(unit: Unit, mid: int, name: str, value: str) -> bytes:
    """Return the last bytes of the PUBLISH of a reading: from its message id on, or from its topic on where it has none."""
    dialect = unit.dialect
    alias = b"\x03\x23" + ALIAS.to_bytes(2, "big") if dialect.topic_alias else b"\x00"
    end = (alias if dialect.has_properties else b"") + unit.encode(value)
    if mid:
        return mid.to_bytes(2, "big") + end
    return (b"" if dialect.topic_alias else unit.topic(sensor_of(base_id(name))).encode("ascii")) + end


def _published(evidence: Evidence) -> pd.DataFrame:
    """Return what units published under episodes of their own: readings, and copies of readings."""
    table = publications(evidence)
    return table[table["episode"] != ""]


def publications(evidence: Evidence) -> pd.DataFrame:
    """Return what units published, in the form of ``reading`` lines: readings, and copies of readings under their episode."""
    copies = own_copies(evidence).rename(
        columns={"unit": "host", "client": "name", "at_ns": "sent_ns", "after": "value"}
    )
    copies = copies.assign(acked_ns=copies["sent_ns"] + SETTLED)
    table = pd.concat([evidence.readings, copies], ignore_index=True)
    return table[table["mid"].between(0, (1 << 16) - 1)]
