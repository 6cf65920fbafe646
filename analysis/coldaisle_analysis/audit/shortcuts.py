"""C: shortcuts a classifier can take instead of learning what an attack is."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from coldaisle_analysis.audit.check import Absent, Check, Measured
from coldaisle_analysis.audit.subject import MISSING, Subject
from coldaisle_analysis.audit.sweep import both_classes, sweep, transferred
from coldaisle_contracts.clock import DAY

ARP = "Arp et al., Dos and Don'ts of Machine Learning in Computer Security, 2022; threshold ours"
SMELLS = "Flood et al., Bad Design Smells in Benchmark NIDS Datasets, 2024"
CORRELATED, BINS, QUARTER_S = 0.95, 32, 900


def _best(subject: Subject, names: Sequence[str], what: str) -> Measured:
    """Return the column whose order tells most."""
    label = both_classes(subject)
    if not names:
        raise Absent(f"the rows have no {what}")
    found = {name: sweep(subject.numbers(name), label) for name in names}
    ranked = sorted(found, key=lambda name: -found[name].auc)
    best = found[ranked[0]]
    evidence = [{"column": name, "auc": round(found[name].auc, 4)} for name in ranked]
    return Measured(best.auc, f"{ranked[0]} alone reaches an AUC of {best.auc:.3f}.", evidence)


def one_feature(subject: Subject) -> Measured:
    """Return the AUC of the best single feature."""
    return _best(subject, subject.features, "numeric feature")


def one_rule(subject: Subject) -> Measured:
    """Return the balanced accuracy of the best threshold on one feature: a tree of depth 1, printed."""
    label = both_classes(subject)
    if not subject.features:
        raise Absent("the rows have no numeric feature")
    found = {name: sweep(subject.numbers(name), label) for name in subject.features}
    name = max(found, key=lambda each: found[each].accuracy)
    best = found[name]
    side = ">" if best.above else "<="
    rule = f"{name} {side} {'missing' if best.threshold == MISSING else f'{best.threshold:.6g}'}"
    evidence = [{"rule": rule, "balanced accuracy": round(best.accuracy, 4)}]
    return Measured(
        best.accuracy, f"The rule {rule} has a balanced accuracy of {best.accuracy:.3f}.", evidence
    )


def identity(subject: Subject) -> Measured:
    """Return the AUC of the identity column that tells most: by its order, or by the rate its values had on other days."""
    label = both_classes(subject)
    if not subject.identity:
        raise Absent("the rows have no identity column")
    found = {}
    for name in subject.identity:
        values, kind = subject.numbers(name), subject.frame[name].dtype
        by_order = (
            0.0 if isinstance(kind, pd.CategoricalDtype) or kind.kind == "O" else sweep(values, label).auc
        )
        found[name] = max(by_order, transferred(values, label, subject.days))
    ranked = sorted(found, key=lambda name: -found[name])
    evidence = [{"column": name, "auc": round(found[name], 4)} for name in ranked]
    return Measured(
        found[ranked[0]], f"{ranked[0]} alone reaches an AUC of {found[ranked[0]]:.3f}.", evidence
    )


def service(subject: Subject) -> Measured:
    """Return the AUC of destination port and protocol together, learned on other days."""
    label = both_classes(subject)
    if not subject.has("dport", "proto"):
        raise Absent("the rows have no destination port with a protocol")
    pair = subject.numbers(subject.meaning["dport"]) * 256 + subject.numbers(subject.meaning["proto"])
    auc = transferred(pair, label, subject.days)
    rates = pd.Series(label).groupby(pd.factorize(pair)[0]).agg(["mean", "size"])
    evidence = [
        {"rows": int(size), "attack rate": round(float(mean), 4)}
        for mean, size in rates.sort_values("mean").to_numpy()[::-1]
    ]
    return Measured(auc, f"Port and protocol, learned on other days, reach an AUC of {auc:.3f}.", evidence)


def time_of_day(subject: Subject) -> Measured:
    """Return the AUC of the quarter of an hour of the day, learned on other days."""
    label = both_classes(subject)
    if not subject.has("time"):
        raise Absent("the rows have no time")
    if subject.days.max() == 0:
        raise Absent("all rows lie in one day")
    quarter = subject.of("time").astype("int64").to_numpy() % DAY // (QUARTER_S * 10**9)
    auc = transferred(quarter.astype(np.float64), label, subject.days)
    hours = pd.Series(label).groupby(quarter // 4).mean().sort_values(ascending=False)
    evidence = [
        {"hour (UTC)": int(hour), "attack rate": round(float(rate), 4)}
        for hour, rate in zip(hours.index, hours, strict=True)
    ]
    return Measured(auc, f"The time of day, learned on other days, reaches an AUC of {auc:.3f}.", evidence)


def order_of_rows(subject: Subject) -> Measured:
    """Return the AUC of a row's place in the table."""
    label = both_classes(subject)
    found = sweep(np.arange(len(subject), dtype=np.float64), label)
    runs = [len(list(own)) for attack, own in itertools.groupby(label.tolist()) if attack]
    evidence = [{"attack rows": int(label.sum()), "runs": len(runs), "longest run": max(runs)}]
    return Measured(found.auc, f"A row's place in the table reaches an AUC of {found.auc:.3f}.", evidence)


def artefacts(subject: Subject) -> Measured:
    """Return the largest Jensen-Shannon divergence (base 2) between attacks and the rest among the senders' artefacts."""
    label = both_classes(subject)
    names = [subject.meaning[what] for what in ("ttl", "window", "ipid", "mac") if subject.has(what)]
    if not names:
        raise Absent("the rows have no TTL, window, IP identification or MAC address")
    found = {name: _divergence(subject, name, label) for name in names}
    ranked = sorted(found, key=lambda name: -found[name])
    evidence = [{"column": name, "divergence": round(found[name], 4)} for name in ranked]
    worst = ranked[0]
    return Measured(
        found[worst], f"{worst} diverges by {found[worst]:.3f} bit between attacks and the rest.", evidence
    )


def _divergence(subject: Subject, name: str, label: np.ndarray) -> float:
    """Return the divergence of a column; one of many values in bins of equal counts."""
    codes = np.unique(subject.numbers(name), return_inverse=True)[1]
    if codes.max() >= BINS:
        codes = pd.qcut(subject.numbers(name), BINS, labels=False, duplicates="drop")
    count = int(codes.max()) + 1
    there, rest = np.bincount(codes[label], minlength=count), np.bincount(codes[~label], minlength=count)
    return float(jensenshannon(there, rest, 2) ** 2)


def correlated(subject: Subject) -> Measured:
    """Return the share of features that another one repeats: |r| > 0.95."""
    if len(subject.features) < 2 or len(subject) < 3:  # noqa: PLR2004 - a pair, and more than a line through it
        raise Absent("a correlation takes two features and three rows")
    rows = subject.scaled[subject.draw(np.ones(len(subject), bool), 20_000)]
    moving = np.flatnonzero(rows.std(axis=0) > 0)
    if len(moving) < 2:  # noqa: PLR2004 - a pair
        raise Absent("fewer than two features vary")
    table = np.abs(np.corrcoef(rows[:, moving].T))
    pairs = [
        (float(table[a, b]), moving[a], moving[b]) for a, b in _pairs(len(moving)) if table[a, b] > CORRELATED
    ]
    touched = {each for _, *pair in pairs for each in pair}
    evidence = [
        {"pair": f"{subject.features[a]}, {subject.features[b]}", "|r|": round(r, 4)}
        for r, a, b in sorted(pairs, reverse=True)
    ]
    share = len(touched) / len(subject.features)
    return Measured(
        share, f"{len(touched)} of {len(subject.features)} features are repeated by another one.", evidence
    )


def _pairs(count: int) -> Iterable[tuple[int, int]]:
    return itertools.combinations(range(count), 2)


CHECKS = (
    Check("C1", "one feature alone", "AUC of the best single feature", 0.9, 0.99, f"{SMELLS}*", one_feature),
    Check("C2", "one rule", "balanced accuracy of the best threshold on one feature", 0.9, 0.99, f"{SMELLS}; threshold ours", one_rule),
    Check("C3", "identity columns", "AUC of the best identity column", 0.85, 0.93, ARP, identity),
    Check("C4", "port with protocol", "AUC of port and protocol on days not learned from", 0.8, 0.95, ARP, service),
    Check("C5", "time of day", "AUC of the time of day on days not learned from", 0.75, 0.9, ARP, time_of_day),
    Check("C6", "order of rows", "AUC of a row's place in the table", 0.8, 0.95, "IDS2Eval; threshold ours", order_of_rows),
    Check("C7", "artefacts of the sender", "largest Jensen-Shannon divergence, bit", 0.3, 0.7, ARP, artefacts),
    Check("C8", "repeated features", "share of features with |r| > 0.95 to another", 0.25, 0.6, "IDS2Eval; threshold ours", correlated),
)  # fmt: skip
