"""The ledger: checks that a run adds up, and describes each violation in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis import tables
from coldaisle_analysis.truth import acts, custody, messages
from coldaisle_analysis.truth import evidence as evidence_module
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.manifest import sha256_of


def check(run: Path, account: Account | None = None) -> list[str]:
    """Return one sentence per violation in a run; an empty list when everything adds up.

    Args:
        run: the run's folder.
        account: account of the run, if already settled.

    Raises:
        InputError: if the run cannot be read.
    """
    account = account or settle(run)
    return [
        *_conservation(account),
        *acts.played(account),
        *_frames_found(account),
        *custody.check(account),
        *messages.check(account),
        *account.broken_loops,
        *_captures_whole(account.evidence),
        *_hosts_known(account.evidence),
        *_clocks_kept(account.evidence),
    ]


def _conservation(account: Account) -> Iterator[str]:
    """Yield a sentence for readings that are not delivered, delayed, modified or removed by a named act exactly once."""
    table = account.readings
    journalled = table["journalled"] > 0
    removed, received, withheld = table["fate"] == "removed", table["received"], table["withheld"]
    cases = (
        (~journalled & ~withheld, "planned but never journalled by its sensor"),
        (
            journalled & withheld,
            "journalled by its sensor, though an act of its unit says it was never taken",
        ),
        (table["journalled"] > 1, "journalled more than once"),
        (table["acts"] > 1, "acted on more than once"),
        (
            journalled & ~removed & (table["arrivals"] == 0),
            "sent, but not at the broker, and no act removed it",
        ),
        (removed & (table["arrivals"] > 0), "removed by an act, but at the broker"),
        (table["released"] != (table["fate"] == "delayed"), "held back and not released once"),
        (
            (table["arrivals"] > 0) & ~removed & (received != table["after"]),
            "another value at the broker than the ledger says",
        ),
        (
            (table["acts"] > 0) & ~withheld & (table["before"] != table["sent"]) & ~_unread(account),
            "the act names another value than the sensor sent",
        ),
        (_copies_seen(account) != table["copies"], "not as many copies at the broker as acts say"),
    )
    for broken, violation in cases:
        yield from _examples(table[broken], violation)
    stray = account.deliveries[account.deliveries["reading"] < 0]
    if len(stray):
        first = evidence_module.name_of_frame(account.evidence, int(stray["row"].iloc[0]))
        yield f"{len(stray)} PUBLISH carry no planned reading, the first in {first}"


def _unread(account: Account) -> pd.Series:
    """Return which readings an act concerns that could not read them, because they are encrypted."""
    hidden = [name for name, unit in account.evidence.plan.units.items() if unit.dialect.tls]
    return account.readings["unit"].isin(hidden) & account.readings["before"].isna()


def _copies_seen(account: Account) -> pd.Series:
    copies = account.deliveries[account.deliveries["copy"] > 0]
    return copies["reading"].value_counts().reindex(account.readings.index, fill_value=0)


def _examples(table: pd.DataFrame, violation: str) -> Iterator[str]:
    if len(table):
        first = table.iloc[0]
        yield f"{len(table)} readings, first {first['client_id']} slot {first['slot']}: {violation}"


def _frames_found(account: Account) -> Iterator[str]:
    """Yield a sentence for journalled frames that are not captured; :mod:`custody` checks the opposite direction."""
    lines = account.join.lines
    missing = lines[lines["row"] < 0]
    if len(missing):
        first = missing.iloc[0]
        yield (
            f"{len(missing)} of {len(lines)} journalled frames are not in the capture, "
            f"the first a {first['act']} of episode {first['episode']} at {first['at_ns']} ns"
        )


def _captures_whole(evidence: Evidence) -> Iterator[str]:
    counted = np.bincount(evidence.raw.file, minlength=len(evidence.sealed))
    for number, row in enumerate(evidence.sealed.to_dict("records")):
        if row["kernel_drops"]:
            yield f"{row['file']}: the kernel dropped {row['kernel_drops']} packets"
        if row["packets"] != counted[number]:
            yield f"{row['file']}: holds {counted[number]} packets, but was sealed with {row['packets']}"
        for name, digest in ((row["file"], row["sha256"]), (row["raw"], row["raw_sha256"])):
            if sha256_of(evidence.run / name) != digest:
                yield f"{name}: was changed after it was sealed"
    if evidence.trace.gaps:
        yield f"{evidence.trace.gaps} holes in the captured connections"


def _hosts_known(evidence: Evidence) -> Iterator[str]:
    packets, hosts = evidence.trace.packets, evidence.plan.hosts
    for column, expected in (
        ("ip_src", evidence.plan.sources),
        ("eth_src", {host.mac for host in hosts}),
    ):
        addresses = set(packets[column].dropna().unique())
        for stranger in sorted(addresses - expected):
            yield f"{column} {stranger} is no host of the plan"


def _clocks_kept(evidence: Evidence) -> Iterator[str]:
    """Yield a sentence for units that the NTP server never answered in a shard, unless an episode covers every query.

    A query that is lost now and then is part of the data. If there were several queries and no answer, the server did not work: the
    stamps of all readings are those of a clock that was never set, and no act of the plan explains it.
    """
    covered = {
        (unit, slot)
        for episode in evidence.plan.episodes
        for unit in (evidence.plan.scenario.units if episode.unit == BROKER.name else (episode.unit,))
        for slot in evidence.plan.span(episode)
    }
    for (shard, unit), queries in evidence.times.groupby(["shard", "host"]):
        free = [slot for slot in queries["slot"] if (unit, slot) not in covered]
        if len(queries) > 1 and (queries["failed"] != "").all() and free:
            yield f"{unit} sent {len(queries)} NTP requests in {shard} and got no answer: the NTP server did not work"


@dataclass(frozen=True)
class Proof:
    """Agreement of a finished dataset's labels with the journals, frame by frame.

    Attributes:
        precision: share of the labelled frames that are part of an anomaly by the journals.
        recall: share of the frames that are part of an anomaly by the journals and are labelled.
        unexplained: number of frames that nothing explains, see :func:`custody.unexplained`.
    """

    precision: float
    recall: float
    unexplained: int


def prove(run: Path, account: Account) -> Proof:
    """Compare the dataset's labels with the journals.

    Args:
        run: the finished run's folder.
        account: account of the run.

    Raises:
        InputError: if the dataset cannot be read.
        TrustError: if the dataset is not of these captures.
    """
    table = tables.read(run / "dataset" / "packets.parquet")
    if missing := {"label", "benign", "episode"} - set(table):
        raise TrustError([f"dataset/packets: has no column {min(missing)}"])
    if len(table) != len(account.join.table):
        raise TrustError(
            [
                f"dataset/packets: has {len(table)} rows, but the captures have {len(account.join.table)} frames"
            ]
        )
    labelled = ((table["label"] == 1) | (table["benign"] == 1)).to_numpy(bool)
    journalled = account.join.table
    truly = ((journalled["label"] == 1) | (journalled["benign"] == 1)).to_numpy(bool)
    same = (
        labelled & truly & (table["episode"].astype("str").to_numpy() == journalled["episode"].astype("str"))
    )
    hits = int(same.sum())
    return Proof(
        hits / max(1, int(labelled.sum())) if labelled.any() else 1.0,
        hits / max(1, int(truly.sum())) if truly.any() else 1.0,
        len(custody.unexplained(account)),
    )
