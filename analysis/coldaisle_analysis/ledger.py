"""The ledger: whether everything in a run adds up; each thing that does not is a sentence."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis import evidence as evidence_module
from coldaisle_analysis.account import KEY, Account, semantic_digest, settle
from coldaisle_analysis.evidence import Evidence
from coldaisle_contracts.addressing import HOSTS
from coldaisle_contracts.manifest import MANIFEST, Manifest, sha256_of
from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import encode_value

__all__ = ["Account", "check", "semantic_digest", "settle"]


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
    key = list(KEY)
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
    key = list(KEY)
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
        return bool(reading["copies"] == len(act.times_ns))
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
