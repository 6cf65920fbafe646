"""Check group D: attacks differ from each other, traffic is lively, and all planned kinds are present."""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import entropy

from coldaisle_analysis.audit.check import Check, Measured
from coldaisle_analysis.audit.numbers import MISSING
from coldaisle_analysis.audit.shortcuts import QUARTER, SMELLS
from coldaisle_analysis.audit.similarity import per_kind
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.audit.sweep import both_classes
from coldaisle_contracts.clock import DAY

COSINE, PAIRS, FEW, HALF = 0.95, 1000, 20, 0.5
BINS_A_DAY = 288


def _attacked(subject: Subject) -> None:
    if not subject.label.any():
        raise Absent("no row is an attack")


def similar(subject: Subject) -> Measured:
    """Return the share of kinds in which most pairs of rows have a cosine similarity above 0.95."""
    _attacked(subject)
    rng = np.random.default_rng([subject.seed, 4])
    attacks = pd.Series(np.flatnonzero(subject.label))
    kinds = [
        (str(kind), rows.to_numpy())
        for kind, rows in attacks.groupby(subject.kind.to_numpy()[subject.label])
        if len(rows) >= FEW
    ]
    if not kinds:
        raise Absent(f"no kind has {FEW} attack rows")
    drawn = np.concatenate([rng.choice(rows, 2 * PAIRS) for _, rows in kinds])
    pairs = subject.scaled(drawn).reshape(len(kinds), 2, PAIRS, -1)
    ranked = []
    for (kind, rows), (left, right) in zip(kinds, pairs, strict=True):
        size = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        cosine = np.divide((left * right).sum(axis=1), size, out=np.ones(PAIRS), where=size > 0)
        ranked.append((float((cosine > COSINE).mean()), kind, len(rows)))
    ranked.sort(reverse=True)
    evidence = [{"kind": kind, "share": round(share, 4), "rows": rows} for share, kind, rows in ranked]
    uniform = sum(share > HALF for share, *_ in ranked)
    text = f"In {uniform} of {len(ranked)} kinds most pairs of rows have a cosine above {COSINE}."
    return Measured(uniform / len(ranked), text, evidence)


def schedules(subject: Subject) -> Measured:
    """Return the largest overlap of two days' attacked minutes: the Jaccard index of their 5-minute bins."""
    _attacked(subject)
    time, days = subject.of("time").astype("int64").to_numpy()[subject.label], subject.days[subject.label]
    bins = time % DAY * BINS_A_DAY // DAY
    per_day = {int(day): set(bins[days == day].tolist()) for day in np.unique(days)}
    if len(per_day) < 2:  # noqa: PLR2004 - a pair
        raise Absent("fewer than two days have attacks")
    pairs = itertools.combinations(per_day.items(), 2)
    ranked = sorted(((len(a & b) / len(a | b), day, other) for (day, a), (other, b) in pairs), reverse=True)
    evidence = [
        {"days": f"{day + 1} and {other + 1}", "Jaccard": round(same, 4)} for same, day, other in ranked
    ]
    same, day, other = ranked[0]
    text = f"Days {day + 1} and {other + 1} share {same:.0%} of their attacked minutes."
    return Measured(same, text, evidence)


def identical(subject: Subject) -> Measured:
    """Return the share of attack rows that differ from another attack row only in identity and time."""
    _attacked(subject)
    twin = pd.Series(subject.prints[subject.label]).duplicated(keep=False).to_numpy()
    share = float(twin.mean())
    text = f"{share:.1%} of the attack rows equal another one in every feature."
    return Measured(share, text, per_kind(subject, np.flatnonzero(subject.label), twin))


def benign_use(subject: Subject) -> Measured:
    """Return the share of attack rows to a service that no benign row uses."""
    both_classes(subject)
    if not subject.has("sport", "dport"):
        raise Absent("the rows have no ports")
    ports = np.column_stack([subject.numbers(subject.meaning[side]) for side in ("sport", "dport")])
    service = np.where((ports != MISSING).all(axis=1), ports.min(axis=1), MISSING)
    attacked = service[subject.label & (service != MISSING)]
    if not len(attacked):
        raise Absent("no attack row has ports")
    strange = attacked[~np.isin(attacked, service[~subject.label])]
    share = len(strange) / len(attacked)
    counts = pd.Series(strange).value_counts()
    evidence = [
        {"port": int(port), "rows": int(count)} for port, count in zip(counts.index, counts, strict=True)
    ]
    return Measured(share, f"{share:.1%} of the attack rows are to services no benign row uses.", evidence)


def periodic(subject: Subject) -> Measured:
    """Return 1 minus the normalised entropy of the attacks over the quarters of an hour of the whole time."""
    _attacked(subject)
    time = subject.of("time").astype("int64")
    hits = pd.DataFrame({"quarter": time // QUARTER})[subject.label]
    if subject.has("episode"):  # a quarter counts once for each episode
        hits = hits.assign(episode=subject.of("episode").astype("str")).drop_duplicates()
    counts = hits["quarter"].value_counts()
    quarters = max(2, int((time.max() - time.min()) // QUARTER) + 1)
    filled = float(entropy(counts, base=quarters))
    evidence = [{"quarters with attacks": len(counts), "quarters": quarters}]
    return Measured(
        1 - filled,
        f"Attacks fill {len(counts)} of {quarters} quarters of an hour; their entropy is {filled:.0%} of what is possible.",
        evidence,
    )


def planned_kinds(subject: Subject) -> Measured:
    """Count planned kinds of the injector that no row has."""
    if subject.account is None or subject.level != "packets":
        raise Absent("there is no plan of kinds")
    episodes = subject.account.evidence.plan.episodes
    planned = {episode.kind for episode in episodes if episode.row.actor == "injector"}
    lost = sorted(planned - set(subject.frame["kind"].unique()))
    return Measured(
        len(lost),
        f"{len(planned) - len(lost)} of {len(planned)} kinds planned for the injector are in the capture.",
        [{"kind": kind} for kind in lost],
    )


def base_rate(subject: Subject) -> Measured:
    """Return the share of the larger class."""
    if not len(subject):
        raise Absent("there is no row")
    rate = float(subject.label.mean())
    counts = subject.kind[subject.label].value_counts()
    evidence = [{"kind": str(kind), "rows": int(rows)} for kind, rows in counts.items()]
    return Measured(
        max(rate, 1 - rate),
        f"{rate:.2%} of the rows are attacks: always answering normal is right for {1 - rate:.2%}.",
        evidence,
    )


CHECKS = (
    Check("D1", "similar attacks", "share of kinds in which most of 1,000 pairs have a cosine > 0.95", 0.5, 0.95, f"{SMELLS}* (0.95, 1,000 pairs); share ours", similar),
    Check("D2", "repeated schedules", "largest Jaccard index of two days' attacked minutes", 0.5, 0.8, "coldaisle", schedules),
    Check("D3", "identical attacks", "share of attack rows that equal another one in every feature", 0.25, 0.75, "ID2T; threshold ours", identical),
    Check("D4", "services that only attackers use", "share of attack rows", 0.25, 0.75, "Arp et al. 2022; threshold ours", benign_use),
    Check("D5", "attacks bunched in time", "1 minus the attacks' normalised entropy over quarters of an hour", 0.5, 0.75, "ID2T; threshold ours", periodic),
    Check("D6", "planned kinds", "planned kinds that no row has", 1, 1, "coldaisle", planned_kinds),
    Check("D7", "base rate", "share of the larger class", 0.999, 0.9999, "Arp et al. 2022; threshold ours", base_rate),
)  # fmt: skip
