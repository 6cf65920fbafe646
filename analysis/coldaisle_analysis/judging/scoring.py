"""The metrics of alerts: the row that a model with these alarms would have in ``models/metrics.json``.

Every function that counts is that of the models: :mod:`~coldaisle_analysis.evaluation` and :mod:`~coldaisle_analysis.earliness`. A detector
is not trained here, so its threshold is fixed: every alert counts. Budgets and policies are chosen on its scores of other days, like those of
models. An alert that matches no frame is a row of its own, no attack and on no stream, and so a false alarm in every count.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.earliness.policies import Threshold, evaluation_set
from coldaisle_analysis.evaluation.alarms import measure, of_results, rows_of
from coldaisle_analysis.evaluation.case_sets import case_sets
from coldaisle_analysis.evaluation.folds import FoldResult, Prediction
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    CaseMetrics,
    CaseRow,
    FoldMetrics,
    scored_row,
    without_nan,
)
from coldaisle_analysis.evaluation.splits import grouped
from coldaisle_analysis.judging.matching import Matches

SEED = 1
"""Seed of the bootstrap intervals."""


class JudgedRow(CaseRow):
    """A row of a detector's alerts, with what only alerts have.

    Attributes:
        alerts: number of alerts.
        matched: number of alerts by the rule that matched them, see :data:`~coldaisle_analysis.judging.matching.RULES`.
        unmatched: alerts that match no frame; each is a false alarm.
        unmatched_per_day: the same per day of the capture.
        left_out: rows and events of the files that are no alert.
        episodes: episodes of attacks.
        episodes_caught: episodes with an attack row that an alert speaks of.
        episodes_per_kind: by kind of attack, ``[caught, episodes]``.
    """

    alerts: int
    matched: dict[str, int]
    unmatched: int
    unmatched_per_day: float
    left_out: int
    episodes: int
    episodes_caught: int
    episodes_per_kind: dict[str, list[int]]


@dataclass(frozen=True)
class _Scores:
    """The scores of alerts, one per row; 0 where there is none.

    Attributes:
        marked: of the alerts that speak of the row.
        raised: of the alerts that are known with the row.
    """

    marked: Floats
    raised: Floats


def judge(
    level: Level, alerts: pd.DataFrame, matches: Matches, detector: str, left_out: int = 0, least: float = 0.0
) -> JudgedRow:
    """Return the row of a detector.

    Args:
        level: level ``packets``.
        alerts: its alerts, see :func:`~coldaisle_analysis.judging.alerts.table_of`.
        matches: their frames.
        detector: its name.
        left_out: rows and events of its files that are no alert.
        least: the score that an alert must reach; one with a lower score is no alarm, but budgets may let it through.
    """
    whole = _with_strays(level, alerts.loc[matches.unmatched, "time_ns"])
    scores, counted = _scores(len(level.labels), alerts, matches), alerts["score"].to_numpy() >= least
    highest = float(alerts["score"].max()) if len(alerts) else 1.0
    limit = max(least / highest, float(scores.raised[scores.raised > 0].min(initial=1.0)))
    alarms = scores.marked >= limit
    row = _row(whole, scores, limit, detector)
    unmatched, caught = (
        int((matches.unmatched & counted).sum()),
        _episodes(level, alarms[: len(level.labels)]),
    )
    return {
        **row,
        "alerts": int(counted.sum()), "matched": matches.counts(counted), "unmatched": unmatched,
        "unmatched_per_day": unmatched / level.days, "left_out": left_out + int((~counted).sum()),
        "episodes": sum(every for _, every in caught.values()), "episodes_caught": sum(hit for hit, _ in caught.values()),
        "episodes_per_kind": caught,
    }  # fmt: skip


def _row(level: Level, scores: _Scores, limit: float, detector: str) -> CaseRow:
    """Return the row that a model with these scores and this threshold would have."""
    early, folds = _early(level, scores.raised, limit)
    metrics: FoldMetrics = {
        "early": early,
        "fit_s": 0.0,
        "folds": folds,
        "train_rows": 0,
        "thresholds": [limit],
    }
    first = next(iter(early.values()))["threshold"] if early else _without_case(level, scores.raised >= limit)
    alarms, tested = scores.marked >= limit, np.ones(len(level.labels), np.bool_)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No positive class", UserWarning)  # captures without an attack
        scored = scored_row(
            level, level.held_out, detector, scores.marked, alarms, tested, SEED, metrics, {**first}
        )
    return cast("CaseRow", scored.row)  # it has the metrics of cases, because they are given


def _with_strays(level: Level, stray_ns: pd.Series) -> Level:
    """Return the level with a row for each alert that matches no frame: no attack, on no stream, at its time within the capture.

    The columns that models learn from are left as they are, because nothing is learned here.
    """
    first, last = int(level.known_ns.min(initial=0)), int(level.known_ns.max(initial=0))
    first = int(level.known_ns.min()) if len(level.known_ns) else first
    times = stray_ns.fillna(first).clip(first, last).to_numpy(np.int64)
    order = np.argsort(level.known_ns, kind="stable")
    beside = order[np.minimum(np.searchsorted(level.known_ns[order], times), max(len(order) - 1, 0))]
    known_ns = np.append(level.known_ns, times)
    none = np.full(len(times), -1, np.int64)
    return replace(
        level,
        labels=np.append(level.labels, np.zeros(len(times), level.labels.dtype)),
        benign=np.append(level.benign, np.zeros(len(times), np.bool_)),
        kinds=pd.concat(
            [level.kinds, pd.Series("", range(len(times)), dtype=level.kinds.dtype)], ignore_index=True
        ),
        episodes=np.append(level.episodes, none),
        groups=np.append(level.groups, level.groups[beside]),
        together=np.append(level.together, level.together[beside]),
        known_ns=known_ns,
        cases={name: _longer(cases, known_ns, none) for name, cases in level.cases.items()},
    )


def _longer(cases: Any, known_ns: Ints, none: Ints) -> Any:
    """Return the cases of a level that has more rows, which are on no stream."""
    streams = np.append(cases.streams, none)
    return replace(cases, streams=streams, order=np.lexsort((known_ns, streams)), known_ns=known_ns)


def _scores(rows: int, alerts: pd.DataFrame, matches: Matches) -> _Scores:
    """Return the greatest score of each row's alerts, those that match no frame behind the others; the greatest of all is 1."""
    score = alerts["score"].to_numpy(np.float64)
    score = score / score.max(initial=np.finfo(np.float64).tiny)
    strays = score[matches.unmatched]
    marked, raised = (np.append(np.zeros(rows), strays) for _ in range(2))
    np.maximum.at(marked, matches.row, score[matches.alert])
    matched = ~matches.unmatched
    np.maximum.at(raised, matches.raised[matched], score[matched])
    return _Scores(marked, raised)


def _early(level: Level, score: Floats, limit: float) -> tuple[dict[str, CaseMetrics], int]:
    """Return the metrics of each kind of case, and the number of folds that budgets and policies were set on."""
    folds = tuple(grouped(level.groups, level.labels, level.known_ns)) if level.labels.any() else ()
    sets = case_sets(level, folds)
    results = [
        _result(score, np.concatenate([side.scored for side in fold.inner]), fold.test, limit)
        for fold in folds
    ]
    if sets:
        return of_results(level, sets, folds, results, policies=True), len(folds)
    early: dict[str, CaseMetrics] = {}
    for name, cases in level.cases.items():
        if cases.attacked.any():
            evaluated = evaluation_set(cases, level.labels, level.episodes)
            early[name] = {"threshold": measure(evaluated, evaluated.alarms(Threshold(limit), score))}
    return early, len(folds)


def _result(score: Floats, held_out: Ints, test: Ints, limit: float) -> FoldResult:
    """Return what a detector that was not trained gives on a fold."""
    held = np.sort(held_out)
    return FoldResult(Prediction(score[test]), held, score[held], limit)


def _without_case(level: Level, alarms: Mask) -> AlarmMetrics:
    """Return the metrics of alarms where no connection is attacked: nothing but false alarms can be counted."""
    cases = next(iter(level.cases.values()))
    return measure(evaluation_set(cases, level.labels, level.episodes), alarms)


def _episodes(level: Level, alarms: Mask) -> dict[str, list[int]]:
    """Return the caught and all episodes of each kind of attack."""
    cases = next(iter(level.cases.values()))
    evaluated = evaluation_set(cases, level.labels, level.episodes)
    counts = {}
    for kind in sorted(set(level.kinds[level.labels == 1])):
        of_kind = replace(level, labels=np.where(level.kinds == kind, level.labels, 0))
        rows = rows_of(of_kind, evaluated, alarms)
        counts[str(kind)] = [rows["episodes_caught"], rows["episodes"]]
    return counts


def write(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as JSON; a value that does not exist is ``null``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps([without_nan(row) for row in rows], indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
