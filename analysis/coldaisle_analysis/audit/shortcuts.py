"""Check group C: shortcuts that a classifier can take instead of learning what an attack is."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from coldaisle_analysis.audit.check import Check, Measured
from coldaisle_analysis.audit.numbers import MISSING
from coldaisle_analysis.audit.subject import Absent, Subject
from coldaisle_analysis.audit.sweep import both_classes, sweep, sweeps_of, transferred
from coldaisle_analysis.audit.threads import map_in_threads
from coldaisle_contracts.clock import DAY, SECOND

ARP = "Arp et al., Dos and Don'ts of Machine Learning in Computer Security, 2022; threshold ours"
SMELLS = "Flood et al., Bad Design Smells in Benchmark NIDS Datasets, 2024"
CORRELATED, BINS = 0.95, 32
QUARTER = 900 * SECOND
"""A quarter of an hour, in ns."""


def _best(aucs: Mapping[str, float]) -> Measured:
    """Return the AUC of the best column."""
    ranked = sorted(aucs, key=lambda name: -aucs[name])
    best = ranked[0]
    evidence = [{"column": name, "auc": round(aucs[name], 4)} for name in ranked]
    return Measured(aucs[best], f"{best} alone reaches an AUC of {aucs[best]:.3f}.", evidence)


def one_feature(subject: Subject) -> Measured:
    """Return the AUC of the best single feature: of its order, or of the attack rates of its texts."""
    both_classes(subject)
    subject.require_features()
    curves = map_in_threads(partial(sweeps_of, subject), subject.features)
    pairs = zip(subject.features, curves, strict=True)
    return _best({name: max(curve.auc for curve in of_column) for name, of_column in pairs})


def one_rule(subject: Subject) -> Measured:
    """Return the balanced accuracy of the best threshold on one feature; the evidence shows this rule."""
    both_classes(subject)
    subject.require_features()
    pairs = ((name, sweep) for name in subject.features for sweep in sweeps_of(subject, name))
    name, best = max(pairs, key=lambda pair: pair[1].accuracy)
    side = ">" if best.above else "<="
    rule = best.rule or f"{name} {side} {_threshold(subject, name, best.threshold)}"
    evidence = [{"rule": rule, "balanced accuracy": round(best.accuracy, 4)}]
    text = f"The rule {rule} has a balanced accuracy of {best.accuracy:.3f}."
    return Measured(best.accuracy, text, evidence)


def _threshold(subject: Subject, name: str, value: float) -> str:
    """Return a threshold as text: a number, the text that a code stands for, or ``missing``."""
    if value == MISSING:
        return "missing"
    text = subject.texts.get(name, {}).get(value)
    return f"{value:.6g}" if text is None else f"the text {text!r}"


def identity(subject: Subject) -> Measured:
    """Return the AUC of the best identity column: by its order, or by the attack rate of its values on other days."""
    label = both_classes(subject)
    if not subject.identity:
        raise Absent("the rows have no identity column")
    aucs = {}
    for name in subject.identity:
        values, kind = subject.numbers(name), subject.frame[name].dtype
        aucs[name] = transferred(values, label, subject.days)
        if not isinstance(kind, pd.CategoricalDtype) and kind.kind != "O":  # codes of text have no order
            aucs[name] = max(aucs[name], sweep(values, label).auc)
    return _best(aucs)


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
    label, time = both_classes(subject), subject.of("time").astype("int64").to_numpy()
    if subject.days.max() == 0:
        raise Absent("all rows lie in one day")
    quarter = time % DAY // QUARTER
    auc = transferred(quarter.astype(np.float64), label, subject.days)
    hours = pd.Series(label).groupby(quarter // 4).mean().sort_values(ascending=False)
    evidence = [
        {"hour (UTC)": int(hour), "attack rate": round(float(rate), 4)}
        for hour, rate in zip(hours.index, hours, strict=True)
    ]
    return Measured(auc, f"The time of day, learned on other days, reaches an AUC of {auc:.3f}.", evidence)


def order_of_rows(subject: Subject) -> Measured:
    """Return the AUC of a row's position in the table."""
    label = both_classes(subject)
    order = sweep(np.arange(len(subject), dtype=np.float64), label)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], label.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    evidence = [{"attack rows": int(label.sum()), "runs": len(runs), "longest run": int(runs.max())}]
    return Measured(order.auc, f"A row's position in the table reaches an AUC of {order.auc:.3f}.", evidence)


def artefacts(subject: Subject) -> Measured:
    """Return the largest Jensen-Shannon divergence (base 2) between attacks and benign rows among the senders' artefacts."""
    label = both_classes(subject)
    names = [subject.meaning[meaning] for meaning in ("ttl", "window", "ipid", "mac") if subject.has(meaning)]
    if not names:
        raise Absent("the rows have no TTL, window, IP identification or MAC address")
    ranked = sorted(((_divergence(subject, name, label), name) for name in names), key=lambda pair: -pair[0])
    evidence = [{"column": name, "divergence": round(bits, 4)} for bits, name in ranked]
    bits, worst = ranked[0]
    return Measured(bits, f"{worst} diverges by {bits:.3f} bit between attacks and benign rows.", evidence)


def _divergence(subject: Subject, name: str, label: np.ndarray) -> float:
    """Return the divergence of a column; a column of many values is divided into bins of equal counts."""
    codes = np.unique(subject.numbers(name), return_inverse=True)[1]
    if codes.max() >= BINS:
        codes = pd.qcut(subject.numbers(name), BINS, labels=False, duplicates="drop")
    count = int(codes.max()) + 1
    attacked, benign = np.bincount(codes[label], minlength=count), np.bincount(codes[~label], minlength=count)
    return float(jensenshannon(attacked, benign, 2) ** 2)


def correlated(subject: Subject) -> Measured:
    """Return the share of features that another feature repeats: |r| > 0.95."""
    if len(subject.features) < 2 or len(subject) < 3:  # noqa: PLR2004 - a pair, and more than a line through it
        raise Absent("a correlation needs two features and three rows")
    rows = subject.scaled(subject.draw(np.ones(len(subject), bool), 20_000))
    moving = np.flatnonzero(rows.std(axis=0) > 0)
    if len(moving) < 2:  # noqa: PLR2004 - a pair
        raise Absent("fewer than two features vary")
    table = np.abs(np.corrcoef(rows[:, moving].T))
    first, second = np.nonzero(np.triu(table, 1) > CORRELATED)
    pairs = sorted(zip(table[first, second], moving[first], moving[second], strict=True), reverse=True)
    evidence = [
        {"pair": f"{subject.features[a]}, {subject.features[b]}", "|r|": round(float(r), 4)}
        for r, a, b in pairs
    ]
    repeated, count = len({*first, *second}), len(subject.features)
    return Measured(
        repeated / count, f"{repeated} of {count} features are repeated by another feature.", evidence
    )


CHECKS = (
    Check("C1", "one feature alone", "AUC of the best single feature", 0.9, 0.99, f"{SMELLS}*", one_feature),
    Check("C2", "one rule", "balanced accuracy of the best threshold on one feature", 0.9, 0.99, f"{SMELLS}; threshold ours", one_rule),
    Check("C3", "identity columns", "AUC of the best identity column", 0.85, 0.93, ARP, identity),
    Check("C4", "port with protocol", "AUC of port and protocol, learned on other days", 0.8, 0.95, ARP, service),
    Check("C5", "time of day", "AUC of the time of day, learned on other days", 0.75, 0.9, ARP, time_of_day),
    Check("C6", "order of rows", "AUC of a row's position in the table", 0.8, 0.95, "IDS2Eval; threshold ours", order_of_rows),
    Check("C7", "artefacts of the sender", "largest Jensen-Shannon divergence, in bit", 0.3, 0.7, ARP, artefacts),
    Check("C8", "repeated features", "share of features with |r| > 0.95 to another feature", 0.25, 0.6, "IDS2Eval; threshold ours", correlated),
)  # fmt: skip
