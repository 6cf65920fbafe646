"""The ledger: what became of every planned reading, and whether everything adds up.

A reading is told apart on the wire by its client id and message id; the connection's day follows from time,
because message ids start again every day. Copies are known by the role the injector wrote for their frame.
"""

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis import evidence as evidence_module
from coldaisle_analysis.evidence import Evidence
from coldaisle_analysis.labels import NORMAL, Join, join, kinds
from coldaisle_analysis.mqtt import PUBLISH
from coldaisle_contracts.addressing import HOSTS
from coldaisle_contracts.manifest import MANIFEST, Manifest, sha256_of
from coldaisle_contracts.plan import Act
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS, client_id, encode_value

_READING = ("unit", "sensor", "slot")
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
    key = list(_READING)
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


def check(run: Path, account: Account | None = None) -> list[str]:
    """Return what broke in a run, a sentence each; an empty list when everything adds up.

    Args:
        run: the run's folder.
        account: its readings if already settled.

    Raises:
        InputError: if the run cannot be read at all.
    """
    settled = account or settle(evidence_module.load(run))
    found = [
        *_conservation(settled),
        *_acts_played(settled),
        *_frames_found(settled),
        *_captures_whole(settled.evidence),
        *_hosts_known(settled.evidence),
    ]
    return found + (list(_manifest_holds(run, settled)) if (run / MANIFEST).exists() else [])


def _conservation(account: Account) -> Iterator[str]:
    """Each planned reading is delivered, modified or removed by a named act, exactly once."""
    table = account.readings
    journalled = table["journalled"] > 0
    removed, received = table["fate"] == "removed", table["received"]
    touched = account.readings["acts"] > 0
    before = _before(account)
    cases = (
        (table["journalled"] == 0, "planned but never journalled by its sensor"),
        (table["journalled"] > 1, "journalled more than once"),
        (table["acts"] > 1, "acted on more than once"),
        (journalled & ~removed & (table["arrivals"] == 0), "sent, not at the broker, and no act removed it"),
        (removed & (table["arrivals"] > 0), "removed by an act, but at the broker"),
        (
            (table["arrivals"] > 0) & ~removed & (received != table["after"]),
            "another value at the broker than the ledger says",
        ),
        (touched & (before != table["sent"]), "the act names another value than the sensor sent"),
        (_copies_seen(account) != table["copies"], "not as many copies at the broker as acts say"),
    )
    for broken, what in cases:
        yield from _examples(table[broken], what)
    stray = account.deliveries[account.deliveries["reading"] < 0]
    if len(stray):
        yield f"{len(stray)} PUBLISH carry no planned reading, the first in frame {stray['row'].iloc[0] + 1}"


def _before(account: Account) -> pd.Series:
    """Return the value each act on a reading says it found."""
    acts = account.evidence.acts[account.evidence.acts["copy"] == 0]
    key = list(_READING)
    found = acts.drop_duplicates(key, keep="last").set_index(key)["before"]
    return pd.Series(
        found.reindex(pd.MultiIndex.from_frame(account.readings[key])).to_numpy(), account.readings.index
    )


def _copies_seen(account: Account) -> pd.Series:
    copies = account.deliveries[account.deliveries["copy"] > 0]
    return copies["reading"].value_counts().reindex(account.readings.index, fill_value=0)


def _examples(table: pd.DataFrame, what: str) -> Iterator[str]:
    if len(table):
        first = table.iloc[0]
        yield f"{len(table)} readings, first {first['client_id']} slot {first['slot']}: {what}"


def _acts_played(account: Account) -> Iterator[str]:
    """Every act of the plan was played, and no other; one that leaves the value as it is needs no line."""
    planned = {
        (episode.unit, act.sensor, act.slot): (episode.id, act)
        for episode in account.evidence.plan.episodes
        for act in episode.acts
    }
    key = list(_READING)
    wanted = pd.MultiIndex.from_frame(account.readings[key]).isin(list(planned))
    for row in account.readings[wanted].to_dict("records"):
        episode, act = planned[row["unit"], row["sensor"], row["slot"]]
        if not _played(row, act):
            yield f"episode {episode}: {act.operation} of reading {row['client_id']} slot {act.slot} was not played"
    done = account.evidence.acts[key].itertuples(index=False, name=None)
    strange = [found for found in done if found not in planned]
    if strange:
        unit, sensor, slot = strange[0]
        yield f"{len(strange)} acts are not in the plan, the first on {unit} sensor {sensor} slot {slot}"


def _played(reading: dict[Hashable, Any], act: Act) -> bool:
    if act.operation == "swallow":
        return bool(reading["fate"] == "removed")
    if act.operation == "copy":
        return bool(reading["copies"] == len(act.copies_ns))
    if act.operation == "freeze":
        return bool(reading["fate"] == "modified" or reading["received"] == reading["sent"])
    celsius = float(reading["sent"])
    wanted = celsius * act.amount if act.operation == "scale" else celsius + act.amount
    return bool(reading["received"] == encode_value(wanted).decode("ascii"))


def _frames_found(account: Account) -> Iterator[str]:
    """Every journalled frame is in the capture, and every frame of the attacker is journalled."""
    lines = account.join.lines
    missing = lines[lines["row"] < 0]
    if len(missing):
        first = missing.iloc[0]
        yield (
            f"{len(missing)} of {len(lines)} journalled frames are not in the capture, "
            f"the first a {first['act']} of episode {first['episode']} at {first['at_ns']} ns"
        )
    unnamed = np.flatnonzero(account.join.touched & account.join.table["role"].isna().to_numpy())
    if len(unnamed):
        yield f"{len(unnamed)} frames of the attacker are in no journal, the first is frame {unnamed[0] + 1}"


def _captures_whole(evidence: Evidence) -> Iterator[str]:
    counted = np.bincount(evidence.raw.file, minlength=len(evidence.sealed))
    for number, row in enumerate(evidence.sealed.to_dict("records")):
        if row["kernel_drops"]:
            yield f"{row['file']}: the kernel dropped {row['kernel_drops']} packets"
        if row["packets"] != counted[number]:
            yield f"{row['file']}: holds {counted[number]} packets, sealed with {row['packets']}"
        for name, digest in ((row["file"], row["sha256"]), (row["raw"], row["raw_sha256"])):
            if sha256_of(evidence.run / name) != digest:
                yield f"{name}: was changed after it was sealed"
    if evidence.trace.gaps:
        yield f"{evidence.trace.gaps} holes in the captured connections"


def _hosts_known(evidence: Evidence) -> Iterator[str]:
    packets = evidence.trace.packets
    for column, known in (("ip_src", {host.ip for host in HOSTS}), ("eth_src", {host.mac for host in HOSTS})):
        seen = set(packets[column].dropna().unique())
        for stranger in sorted(seen - known):
            yield f"{column} {stranger} is no host of the plan"


def _manifest_holds(run: Path, account: Account) -> Iterator[str]:
    manifest = Manifest.load(run)
    for name, digest in manifest.files.items():
        if not (run / name).is_file():
            yield f"{name}: is missing"
        elif sha256_of(run / name) != digest:
            yield f"{name}: is not what the manifest says"
    if manifest.semantic_digest != semantic_digest(account):
        yield "the semantic digest is not the manifest's"
