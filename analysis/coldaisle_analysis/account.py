"""The account of a run: what became of every planned reading.

A reading is told apart on the wire by its client id and message id; the connection's day follows from time,
because message ids start again every day. Copies are known by the role the injector wrote for their frame.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.evidence import Evidence
from coldaisle_analysis.labels import NORMAL, Join, join, kinds
from coldaisle_analysis.mqtt import PUBLISH
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS, client_id

KEY = ("unit", "sensor", "slot")
"""What an ``act`` line names a reading by."""
_EARLY = 10_000_000
"""How much earlier than its journalled sending a frame may seem to be, ns: the error of retiming."""


@dataclass(frozen=True)
class Account:
    """What became of every planned reading.

    Attributes:
        evidence: what the run left behind.
        join: frames and journal lines joined.
        readings: a row a planned reading by unit, sensor and slot: client_id, day, planned_ns, taken_ns, stamp_ns, sent (text;
            missing when never journalled), journalled (times), fate, after (text at the broker), arrivals (own deliveries),
            row (frame that delivered it, -1 for none), copies, acts, and label, kind, episode, role.
        deliveries: a row a PUBLISH seen: row, time_ns, client, payload, flow, msgid, reading (row in readings, -1 for none),
            copy (0 for the reading itself or a sensor's own resend).
    """

    evidence: Evidence
    join: Join
    readings: pd.DataFrame
    deliveries: pd.DataFrame


def settle(evidence: Evidence) -> Account:
    """Find out what became of every planned reading."""
    joined = join(evidence)
    readings = _planned(evidence)
    sent = evidence.readings.rename(columns={"client": "client_id", "value": "sent"})
    first = sent.drop_duplicates(["client_id", "slot"])
    readings = readings.merge(first, how="left", on=["client_id", "slot"])
    times = sent.groupby(["client_id", "slot"]).size().rename("journalled").reset_index()
    readings = readings.merge(times, how="left", on=["client_id", "slot"]).fillna({"journalled": 0})
    readings = _acted(readings, evidence)
    deliveries = _deliveries(evidence, joined, readings)
    return Account(evidence, joined, _arrived(readings, deliveries, joined, kinds(evidence)), deliveries)


def _planned(evidence: Evidence) -> pd.DataFrame:
    """Return a row for every reading the plan wants."""
    plan = evidence.plan
    slots, per_day = range(plan.scenario.slots), plan.scenario.slots_per_day
    rows = [
        (unit, sensor, client_id(unit, sensor), slot, slot // per_day + 1, planned)
        for unit in plan.scenario.units
        for times in [[plan.reading_ns(slot, unit) for slot in slots]]
        for sensor in SENSORS
        for slot, planned in zip(slots, times, strict=True)
    ]
    return pd.DataFrame(rows, columns=["unit", "sensor", "client_id", "slot", "day", "planned_ns"])


def _acted(readings: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Add fate, after, acts (on the reading itself), copies and episode, from the ``act`` lines."""
    key = list(KEY)
    own, copied = evidence.acts[evidence.acts["copy"] == 0], evidence.acts[evidence.acts["copy"] > 0]
    last = own.drop_duplicates(key, keep="last").set_index(key)
    at = pd.MultiIndex.from_frame(readings[key])
    counts = [table.groupby(key).size().reindex(at, fill_value=0).to_numpy() for table in (own, copied)]
    act = last.reindex(at)
    removed, changed = act["after"].isna().to_numpy() & (counts[0] > 0), act["after"].notna().to_numpy()
    fate = np.select([removed, changed], ["removed", "modified"], "delivered")
    after = np.where(counts[0] > 0, act["after"].to_numpy(object), readings["sent"].to_numpy(object))
    source = evidence.acts.drop_duplicates(key).set_index(key)["episode"].reindex(at).to_numpy()
    return readings.assign(fate=fate, after=after, acts=counts[0], copies=counts[1], episode=source)


def _deliveries(evidence: Evidence, joined: Join, readings: pd.DataFrame) -> pd.DataFrame:
    """Return every PUBLISH seen, with the reading it carries and its number as a copy."""
    messages, packets = evidence.trace.messages, evidence.trace.packets
    seen = messages[messages["msgtype"] == PUBLISH]
    seen = seen[["row", "time_ns", "flow", "msgid", "client", "payload"]].astype(
        {"client": "str", "payload": "str"}
    )
    seen["shard"] = packets["shard"].astype("str").to_numpy()[seen["row"]]
    seen["msgid"] = seen["msgid"].fillna(0).astype("int64")
    known = readings[readings["journalled"] > 0].reset_index(names="reading")
    known = known.assign(
        time_ns=known["sent_ns"].astype("int64") - _EARLY, msgid=known["mid"].astype("int64")
    )
    known = known.astype({"shard": "str", "client_id": "str"}).rename(columns={"client_id": "client"})
    by = ["shard", "client", "msgid"]
    matched = pd.merge_asof(
        seen.sort_values("time_ns", kind="stable"),
        known[["time_ns", "reading", *by]].sort_values("time_ns"),
        on="time_ns",
        by=by,
    ).sort_values("row", kind="stable", ignore_index=True)
    is_copy = (joined.table["role"] == Role.DUPLICATE).to_numpy()[matched["row"]]
    number = pd.Series(is_copy.astype(int)).groupby(matched["reading"].fillna(-1)).cumsum()
    return matched.assign(
        reading=matched["reading"].fillna(-1).astype("int64"), copy=number.where(is_copy, 0)
    )


def _arrived(
    readings: pd.DataFrame, deliveries: pd.DataFrame, joined: Join, kind_of: dict[str, str]
) -> pd.DataFrame:
    """Add arrivals, row, value at the broker and the labels."""
    own = deliveries[(deliveries["copy"] == 0) & (deliveries["reading"] >= 0)]
    first = own.drop_duplicates("reading").set_index("reading")
    row = first["row"].reindex(readings.index, fill_value=-1)
    wire = joined.table.reindex(row).reset_index(drop=True)  # row -1 is no frame: all missing
    touched = (readings["acts"] > 0) | (readings["copies"] > 0)
    label = (touched | wire["label"].eq(1)).astype("int8")
    episode = readings["episode"].where(touched, wire["episode"])
    role = wire["role"].where(~touched, Role.DUPLICATE.value)
    role = role.mask(readings["fate"] == "modified", Role.MODIFIED.value)
    role = role.mask(readings["fate"] == "removed", Role.REMOVED.value)
    return readings.assign(
        arrivals=own["reading"].value_counts().reindex(readings.index, fill_value=0),
        received=first["payload"].reindex(readings.index),
        row=row,
        label=label,
        kind=episode.map(kind_of).where(label == 1, NORMAL),
        episode=episode,
        role=role,
    )


def semantic_digest(account: Account) -> str:
    """Return the sha256 of who published what when and what became of it, hex.

    Taken over sorted lines, so engine, shards and machine do not matter.
    """
    names = ["client_id", "slot", "sent", "fate", "after", "episode", "copies"]
    attacked = account.readings["label"] == 1
    table = account.readings[names].assign(episode=account.readings["episode"].where(attacked))
    texts = [table[name].astype("str").fillna("").tolist() for name in names]
    lines = sorted(map(";".join, zip(*texts, strict=True)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
