"""The account of a run: the fate of every planned reading."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.truth.consequences import caused, connections, taken_under
from coldaisle_analysis.truth.deliveries import KEY, delivered
from coldaisle_analysis.truth.evidence import Evidence, load
from coldaisle_analysis.truth.frames import Join, join, kinds, truth, with_consequences, with_kernels_own
from coldaisle_analysis.truth.loops import follow
from coldaisle_contracts.manifest import Clocks, instant
from coldaisle_contracts.taxonomy import Role

FATES = {"swallow": "removed", "hold": "delayed", "modify": "modified"}
"""Fate of a reading by the operation on it; after any other operation it is delivered."""
SETTLED = ("client_id", "slot", "sent", "fate", "after", "episode", "copies")
"""Columns of each reading in the semantic digest; the episode only where the reading is part of an anomaly."""
DONE = ("episode", "operation", "unit", "slot", "sensor", "after", "copy")
"""Columns of each act in the semantic digest."""
SAID = ("client", "topic", "qos", "retain", "digest", "size")
"""Columns of each message of a companion in the semantic digest; the digest is that of its payload."""
ROLES = {
    "swallow": Role.REMOVED,
    "hold": Role.DELAYED,
    "modify": Role.MODIFIED,
    "tamper": Role.MODIFIED,
    "lose": Role.CONSEQUENCE,
    "double": Role.DUPLICATE,
}
"""Role of a reading in an episode by the operation on it."""


@dataclass(frozen=True)
class Account:
    """The fate of every planned reading.

    Attributes:
        evidence: plan, journals and captures of the run.
        join: the journal's lines joined with the frames.
        readings: one row per planned reading by unit, sensor and slot: client_id, day, planned_ns, taken_ns, stamp_ns, sent (text;
            missing when never journalled), journalled (number of lines), withheld (an act of its own unit says that it was never taken),
            fate, before and after (text before and after the act on it), arrivals (own deliveries), row (frame that delivered it, -1 for
            none), copies, acts, and label, benign, kind, episode, role.
        deliveries: one row per captured PUBLISH: row, time_ns, client, payload, flow, msgid, reading (row in readings, -1 for none),
            copy (0 for the reading itself, also when its sensor sends it again).
        connections: frames of the units' connections, see :func:`consequences.connections`.
        broken_loops: sentences on commands that do not follow from what their controller received.
    """

    evidence: Evidence
    join: Join
    readings: pd.DataFrame
    deliveries: pd.DataFrame
    connections: pd.DataFrame
    broken_loops: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return the counts of a manifest, see :data:`coldaisle_contracts.manifest.COUNTED`."""
        plan, frames = self.evidence.plan, self.join.table
        return {
            "packets": len(frames),
            "packets_attack": int(frames["label"].sum()),
            "readings": len(self.readings),
            "readings_attack": int(self.readings["label"].sum()),
            "episodes": len(plan.episodes),
            "acts": sum(len(episode.acts) for episode in plan.episodes),
            "kernel_drops": int(self.evidence.sealed["kernel_drops"].sum()),
            "days": plan.scenario.days,
        }

    def clocks(self) -> Clocks:
        """Return the times of the first and the last packet, virtual and wall time."""
        plan = self.evidence.plan
        virtual_ns, wall_ns = self.evidence.trace.frames.time_ns, self.evidence.raw.time_ns
        return Clocks(
            virtual_start=instant(int(virtual_ns.min())),
            virtual_end=instant(int(virtual_ns.max())),
            wall_start=instant(int(wall_ns.min())),
            wall_end=instant(int(wall_ns.max())),
            time_zone=plan.scenario.time_zone,
            utc_offset_s=plan.utc_offset_s,
        )


def settle(run: Path) -> Account:
    """Read a run and return the fate of every planned reading.

    Raises:
        InputError: if the run cannot be read.
    """
    evidence = load(run)
    kind_of = kinds(evidence)
    frames = connections(evidence)
    joined = with_kernels_own(join(evidence), evidence.trace.packets, evidence.plan.hosts)
    joined = with_consequences(joined, caused(evidence, frames), kind_of)
    readings = _planned(evidence)
    sent = _whole(evidence.readings).rename(columns={"client": "client_id", "value": "sent"})
    by = ["client_id", "slot"]
    sent["journalled"] = sent.groupby(by)["sent"].transform("size")
    readings = readings.merge(sent.drop_duplicates(by), how="left", on=by).fillna({"journalled": 0})
    readings = _acted(readings, evidence)
    deliveries = delivered(evidence, joined, readings)
    loops = follow(evidence, joined.table, readings)
    joined = with_consequences(joined, loops.in_frames(evidence, frames, readings), kind_of)
    joined = with_consequences(joined, taken_under(evidence, frames), kind_of)
    forged = evidence.acts[evidence.acts["operation"] == "shift-clock"]
    readings = _arrived(readings, deliveries, joined, forged, kind_of)
    readings = loops.labelled(readings, kind_of)
    return Account(evidence, joined, readings, deliveries, frames, tuple(loops.broken))


def _whole(lines: pd.DataFrame) -> pd.DataFrame:
    """Return lines of readings whose numbers stay whole where a reading has no line."""
    numbers = lines.select_dtypes("int64").columns.drop("slot")
    return lines.astype(dict.fromkeys(numbers, "Int64"))


def _planned(evidence: Evidence) -> pd.DataFrame:
    """Return one row per planned reading."""
    plan = evidence.plan
    rows = [
        (unit.name, sensor, client, slot, slot // plan.scenario.slots_per_day + 1, planned)
        for unit in plan.units.values()
        for slots in [plan.slots_of(unit.name)]
        for times in [[plan.reading_ns(slot, unit.name) for slot in slots]]
        for sensor, client in enumerate(unit.clients, 1)
        for slot, planned in zip(slots, times, strict=True)
    ]
    return pd.DataFrame(rows, columns=["unit", "sensor", "client_id", "slot", "day", "planned_ns"])


def _acted(readings: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Add fate, withheld, before, after, acts (on the reading itself), operation, copies, released and source, from the ``act`` lines."""
    key, acts = list(KEY), evidence.acts
    on_readings = acts[acts["operation"].isin(list(ROLES))]
    at = pd.MultiIndex.from_frame(readings[key])

    def count(chosen: pd.DataFrame) -> Ints:
        return np.asarray(chosen.groupby(key).size().reindex(at, fill_value=0), np.int64)

    done = on_readings.drop_duplicates(key, keep="last").set_index(key).reindex(at)
    operation = done["operation"].astype(object).to_numpy()
    fate = pd.Series(operation).map(FATES).fillna("delivered").to_numpy()
    keeps = np.isin(fate, ["delivered", "delayed"])
    after = np.where(keeps, readings["sent"].to_numpy(object), done["after"].to_numpy(object))
    touching = acts[acts["operation"].isin([*ROLES, "copy"])]
    source = touching.drop_duplicates(key).set_index(key)["episode"].reindex(at).to_numpy()
    return readings.assign(
        fate=fate,
        withheld=(fate == "removed") & done["episode"].isin(_own(evidence)).to_numpy(),
        before=done["before"].to_numpy(),
        after=after,
        acts=count(on_readings),
        operation=operation,
        copies=count(acts[acts["operation"] == "copy"]),
        released=count(acts[acts["operation"] == "release"]),
        episode=source,
    )


def _own(evidence: Evidence) -> list[str]:
    """Return the episodes that units play themselves."""
    return [episode.id for episode in evidence.plan.episodes if episode.row.actor == "unit"]


def _arrived(
    readings: pd.DataFrame,
    deliveries: pd.DataFrame,
    joined: Join,
    forged: pd.DataFrame,
    kind_of: dict[str, str],
) -> pd.DataFrame:
    """Add arrivals, row, value at the broker and the labels."""
    originals = deliveries[(deliveries["copy"] == 0) & (deliveries["reading"] >= 0)]
    first = originals.drop_duplicates("reading").set_index("reading")
    row = first["row"].reindex(readings.index, fill_value=-1)
    wire = joined.table.reindex(row).reset_index(drop=True)  # row -1 is no frame: all missing
    touched = (readings["acts"] > 0) | (readings["copies"] > 0)
    episode = readings["episode"].where(touched, wire["episode"])
    role = wire["role"].where(~touched, readings["operation"].map(ROLES).fillna(Role.DUPLICATE.value))
    anomalous = touched | wire["label"].eq(1) | wire["benign"].eq(1)
    stamped = _stamped(readings, forged)
    late = stamped.notna() & ~anomalous
    episode, role = episode.mask(late, stamped), role.mask(late, Role.CONSEQUENCE.value)
    table = truth((anomalous | late).to_numpy(bool), episode, role, kind_of)
    return readings.assign(
        arrivals=originals["reading"].value_counts().reindex(readings.index, fill_value=0),
        received=first["payload"].reindex(readings.index),
        row=row,
        **{name: table[name] for name in table.columns},
    )


def _stamped(readings: pd.DataFrame, forged: pd.DataFrame) -> pd.Series:
    """Return the episode that forged the NTP answer on which each reading's stamp relies, missing for none."""
    forged_at = forged.drop_duplicates(["unit", "slot"]).set_index(["unit", "slot"])["episode"]
    relied = readings["synced"].fillna(-1).astype("int64")
    at = pd.MultiIndex.from_arrays([readings["unit"], relied])
    return pd.Series(forged_at.reindex(at).to_numpy(), readings.index, dtype=object)


def semantic_digest(account: Account) -> str:
    """Return the semantic digest of a run: the sha256 of its readings, their fates and its acts, in hex.

    It is taken over sorted lines without times, ports and digests of frames, so that engine, shards and machine do not change it. What
    companions published is part of it; what they received follows from that, and from which days were played together.
    """
    anomalous = (account.readings["label"] == 1) | (account.readings["benign"] == 1)
    table = account.readings[list(SETTLED)].assign(episode=account.readings["episode"].where(anomalous))
    evidence = account.evidence
    lines = sorted([*_lines(table, SETTLED), *_lines(evidence.acts, DONE), *_lines(evidence.published, SAID)])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _lines(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    texts = (table[name].astype("str").fillna("") for name in names)
    return list(map(";".join, zip(*texts, strict=True)))
