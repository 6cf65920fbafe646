"""Check group B: labels that are wrong, doubtful or in the wrong place."""

import numpy as np
import pandas as pd

from coldaisle_analysis.audit.check import Check, Measured
from coldaisle_analysis.audit.shortcuts import SMELLS
from coldaisle_analysis.audit.similarity import NEAR, distances, neighbours, per_kind, shared
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.audit.sweep import both_classes
from coldaisle_analysis.truth import custody

NEIGHBOURS, SUSPECT = 4, 2
BACKGROUND = (53, 67, 68, 123, 137, 138, 139, 161, 1900, 5353, 5355)
"""Ports of services that run in the background: DNS, DHCP, NTP, NetBIOS, SNMP, SSDP, mDNS, LLMNR."""


def _compared(subject: Subject) -> None:
    both_classes(subject)
    if not subject.features:
        raise Absent("the rows have no feature")


def suspect(subject: Subject) -> Measured:
    """Return the share of attack rows with at least two benign rows among their four nearest neighbours."""
    _compared(subject)
    rows, attack = neighbours(subject, NEIGHBOURS)
    flagged = (~attack).sum(axis=1) >= SUSPECT
    share = float(flagged.mean())
    text = f"{share:.0%} of the attack rows drawn lie among benign rows: they look alike, or some labels are wrong."
    return Measured(share, text, per_kind(subject, rows, flagged))


def background(subject: Subject) -> Measured:
    """Return the share of attack rows on ports of background services."""
    both_classes(subject)
    if not subject.has("sport", "dport"):
        raise Absent("the rows have no ports")
    ports = np.column_stack([subject.numbers(subject.meaning[side]) for side in ("sport", "dport")])
    rows = np.flatnonzero(subject.label)
    flagged = np.asarray(np.isin(ports[rows], BACKGROUND).any(axis=1))
    share = float(flagged.mean())
    return Measured(
        share,
        f"{share:.1%} of the attack rows are on ports of background services.",
        per_kind(subject, rows, flagged),
    )


def contradicted(subject: Subject) -> Measured:
    """Return the share of attack rows whose features equal those of a benign row."""
    _compared(subject)
    share = shared(subject, subject.label, ~subject.label)
    return Measured(share, f"{share:.1%} of the attack rows equal a benign row in every feature.", [])


def nearly_contradicted(subject: Subject) -> Measured:
    """Return the share of attack rows that are nearly equal to a benign row."""
    _compared(subject)
    rows, distance = distances(subject)
    flagged = distance < NEAR
    share = float(flagged.mean())
    return Measured(
        share,
        f"{share:.1%} of the attack rows drawn are within {NEAR:.0%} of a benign row.",
        per_kind(subject, rows, flagged),
    )


def attempted(subject: Subject) -> Measured:
    """Return the share of attacked flows without any payload."""
    both_classes(subject)
    if not subject.has("flow", "payload"):
        raise Absent("the rows have no flow with a payload length")
    flow, payload = subject.numbers(subject.meaning["flow"]), subject.numbers(subject.meaning["payload"])
    segments = pd.DataFrame({"said": payload > 0, "attack": subject.label, "kind": subject.kind})[
        (flow >= 0) & (payload >= 0)
    ]
    flows = segments.groupby(flow[segments.index]).agg(said=("said", "any"), attack=("attack", "any"))
    kinds = segments[segments["attack"]].groupby(flow[segments[segments["attack"]].index])["kind"].first()
    silent = ~flows["said"][flows["attack"]]
    if silent.empty:
        raise Absent("no attack row belongs to a TCP flow")
    table = (
        silent.groupby(kinds.reindex(silent.index)).agg(["mean", "size"]).sort_values("mean", ascending=False)
    )
    evidence = [
        {"kind": str(kind), "share": round(float(mean), 4), "flows": int(size)}
        for kind, (mean, size) in zip(table.index, table.to_numpy(), strict=True)
    ]
    share = float(silent.mean())
    return Measured(
        share,
        f"{share:.0%} of the attacked flows carry no payload: they were refused or only attempted.",
        evidence,
    )


def against_journal(subject: Subject) -> Measured:
    """Return the largest of three shares: 1 minus precision, 1 minus recall against the journals, and unexplained frames."""
    account = subject.account
    if account is None or subject.level != "packets":
        raise Absent("there is no journal to compare the labels with")
    truly = account.join.table["label"].to_numpy() == 1
    hits = int((truly & subject.label).sum())
    precision, recall = hits / max(1, int(subject.label.sum())), hits / max(1, int(truly.sum()))
    if not truly.any() and not subject.label.any():
        precision = recall = 1.0
    strange = len(custody.unexplained(account))
    value = max(1 - precision, 1 - recall, strange / max(1, len(subject)))
    evidence = [{"precision": round(precision, 6), "recall": round(recall, 6), "unexplained frames": strange}]
    return Measured(
        value,
        f"Against the journals precision is {precision:.4f}, recall {recall:.4f}; {strange} frames are unexplained.",
        evidence,
    )


def traces(subject: Subject) -> Measured:
    """Count attack rows without an episode, and planned episodes without a row."""
    if not subject.has("episode"):
        raise Absent("the rows have no episode")
    named = subject.of("episode").astype("object")
    stray = int((subject.label & (named.isna() | (named == "")).to_numpy()).sum())
    evidence: list[dict[str, object]] = [{"attack rows of no episode": stray}] if stray else []
    lost: list[str] = []
    if subject.account is not None and subject.level == "packets":
        planned = subject.account.evidence.plan.episodes
        in_rows = {str(name) for name in named.dropna().unique()}
        lost = [
            episode.id for episode in planned if episode.row.actor == "injector" and episode.id not in in_rows
        ]
        evidence += [{"episode without a row": name} for name in lost]
    return Measured(
        stray + len(lost),
        f"{stray} attack rows belong to no episode, and {len(lost)} episodes have no row.",
        evidence,
    )


def both_ways(subject: Subject) -> Measured:
    """Return the share of attacked two-way flows that are labelled in one direction only."""
    both_classes(subject)
    if not subject.has("flow", "src"):
        raise Absent("the rows have no flow with a source")
    flow = subject.numbers(subject.meaning["flow"])
    rows = pd.DataFrame(
        {"flow": flow, "src": subject.numbers(subject.meaning["src"]), "attack": subject.label}
    )[flow >= 0]
    ways = rows.groupby(["flow", "src"])["attack"].any().groupby("flow").agg(["sum", "size"])
    attacked = ways[(ways["sum"] > 0) & (ways["size"] > 1)]
    if attacked.empty:
        raise Absent("no attacked flow goes both ways")
    share = float((attacked["sum"] < attacked["size"]).mean())
    evidence = [
        {
            "attacked flows": len(attacked),
            "labelled one way only": int((attacked["sum"] < attacked["size"]).sum()),
        }
    ]
    return Measured(share, f"{share:.0%} of the attacked flows are labelled in one direction only.", evidence)


CHECKS = (
    Check("B1", "attacks among benign rows", "share of attack rows with at least 2 of 4 neighbours benign", 0.25, 0.75, f"{SMELLS}* (2 of 4); share ours", suspect),
    Check("B2", "attacks on background ports", "share of attack rows", 0.05, 0.5, f"{SMELLS}; threshold ours", background),
    Check("B3", "same features, other label", "share of attack rows", 0.05, 0.25, "IDS2Eval; threshold ours", contradicted),
    Check("B4", "nearly the same, other label", "share of attack rows", 0.1, 0.5, "IDS2Eval; threshold ours", nearly_contradicted),
    Check("B5", "only attempted", "share of attacked flows without payload", 0.25, 0.75, "Engelen et al. 2021, Liu et al. 2022; threshold ours", attempted),
    Check("B6", "labels against the journal", "1 minus precision or recall, whichever is larger", 1e-9, 1e-3, "pcapML; threshold ours", against_journal),
    Check("B7", "episodes and labels agree", "attack rows without an episode, episodes without a row", 1, 1, "coldaisle", traces),
    Check("B8", "flows labelled one way", "share of attacked flows", 0.5, 0.9, "Liu et al. 2022; threshold ours", both_ways),
)  # fmt: skip
