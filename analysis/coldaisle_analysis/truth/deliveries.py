"""Deliveries: every PUBLISH in the captures, and the reading that it carries.

A reading is identified on the network by its sensor's client id and its message id; its time gives the connection, because
message ids start again with each connection. A PUBLISH of QoS 0 has no message id; its value stands in for one. Where the injector's journal gives the digest of the frame that carries a reading,
that frame counts. Copies are recognised by their frame's role in the journal of the injector, and by their message id in that of a unit.
"""

import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.truth.consequences import EARLY, own_copies
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_analysis.truth.frames import Join
from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import base_id
from coldaisle_contracts.units import VALUE

KEY = ("unit", "sensor", "slot")
"""Keys by which an ``act`` line names a reading."""


def delivered(evidence: Evidence, joined: Join, readings: pd.DataFrame) -> pd.DataFrame:
    """Return every captured PUBLISH, with the reading it carries and its number as a copy.

    Args:
        evidence: plan, journals and captures of the run.
        joined: the attacker's journal joined with the frames.
        readings: the planned readings with their lines, see :class:`~coldaisle_analysis.truth.readings.Account`.
    """
    messages, packets = evidence.trace.messages, evidence.trace.packets
    # the journal has a line for each frame of the attacker's own host, and :mod:`messages` counts those of companions
    addresses = [INJECTOR.ip, *(companion.host.ip for companion in evidence.plan.companions.values())]
    strangers = (packets["ip_src"].isin(addresses) | packets["ip_dst"].isin(addresses)).to_numpy()
    commands = messages["topic"].isin([loop.topic for loop in evidence.plan.loops.values()]).to_numpy(bool)
    arrived = messages[(messages["msgtype"] == PUBLISH) & ~strangers[messages["row"]] & ~commands]
    arrived = arrived[["row", "time_ns", "flow", "msgid", "client", "payload"]].fillna({"msgid": 0})
    arrived = arrived.astype({"client": "str", "payload": "str", "msgid": "int64"})
    arrived["payload"] = _values_in(arrived, evidence.plan)
    arrived["unnumbered"] = arrived["payload"].where(arrived["msgid"] == 0, "")
    arrived["shard"] = packets["shard"].iloc[arrived["row"]].astype("str").set_axis(arrived.index)
    matched = pd.merge_asof(
        arrived.sort_values("time_ns", kind="stable"),
        _sent(evidence, readings),
        on="time_ns",
        by=["shard", "client", "msgid", "unnumbered"],
    ).sort_values("row", kind="stable", ignore_index=True)
    by_digest = _named(evidence, joined, readings)
    matched["reading"] = matched["row"].map(by_digest).fillna(matched["reading"])
    cleared = matched["payload"].isna() | (matched["payload"] == "")
    cleared &= matched["reading"].isna() & matched["row"].isin(joined.lines["row"])
    matched = matched[~cleared].reset_index(drop=True)
    is_copy = (joined.table["role"] == Role.DUPLICATE).to_numpy()[matched["row"]]
    is_copy |= matched.pop("again").eq(other=True).to_numpy(bool)
    number = pd.Series(is_copy.astype(int)).groupby(matched["reading"].fillna(-1)).cumsum()
    return matched.assign(
        reading=matched["reading"].fillna(-1).astype("int64"), copy=number.where(is_copy, 0)
    )


def _values_in(arrived: pd.DataFrame, plan: Plan) -> pd.Series:
    """Return the values in the payloads of PUBLISH messages, as text, in the form of the unit that has the client id."""
    forms = {client: unit for unit in plan.units.values() for client in unit.clients if unit.payload != VALUE}
    if not forms:
        return arrived["payload"]
    pairs = zip(arrived["client"].map(base_id, na_action="ignore"), arrived["payload"], strict=True)
    values = [
        forms[name].decode(text) if name in forms and isinstance(text, str) else text for name, text in pairs
    ]
    return pd.Series(values, arrived.index, arrived["payload"].dtype)


def _sent(evidence: Evidence, readings: pd.DataFrame) -> pd.DataFrame:
    """Return every PUBLISH that units say they sent, by shard, client, msgid, value and time_ns: its reading, and whether it is a copy."""
    sent = readings[readings["journalled"] > 0].reset_index(names="reading").assign(again=False)
    sent = sent.rename(columns={"name": "client", "mid": "msgid", "sent_ns": "time_ns", "sent": "unnumbered"})
    copies = own_copies(evidence).rename(columns={"mid": "msgid", "at_ns": "time_ns", "after": "unnumbered"})
    at = pd.MultiIndex.from_frame(readings[list(KEY)])
    copies = copies.assign(reading=at.get_indexer(pd.MultiIndex.from_frame(copies[list(KEY)])), again=True)
    columns = ["shard", "client", "msgid", "unnumbered", "time_ns", "reading", "again"]
    table = pd.concat([sent[columns], copies.loc[copies["reading"] >= 0, columns]], ignore_index=True)
    texts = dict.fromkeys(("shard", "client", "unnumbered"), "str")
    table = table.astype({**texts, "msgid": "int64", "time_ns": "int64"})
    table["unnumbered"] = table["unnumbered"].where(table["msgid"] == 0, "")
    return table.assign(time_ns=table["time_ns"] - EARLY).sort_values("time_ns")


def _named(evidence: Evidence, joined: Join, readings: pd.DataFrame) -> pd.Series:
    """Return the reading in each frame whose digest is in an act's line, by the frame's position."""
    acts = evidence.acts[evidence.acts["digest"] != ""]
    at = pd.MultiIndex.from_frame(readings[list(KEY)])
    place = at.get_indexer(pd.MultiIndex.from_frame(acts[list(KEY)]))
    named = acts.assign(reading=place)[["shard", "digest", "reading"]]
    named = named[named["reading"] >= 0].drop_duplicates(["shard", "digest"])
    lines = joined.lines.loc[joined.lines["row"] >= 0, ["shard", "digest", "row"]]
    return lines.merge(named, on=["shard", "digest"]).set_index("row")["reading"]
