"""What the fits of a level tell: rows of the results."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.campaign.fits import Fit, Fitted
from coldaisle_analysis.campaign.learners import PROBE
from coldaisle_analysis.campaign.level import LevelAnalysis, Subset, of_kind
from coldaisle_analysis.campaign.measures import Measured, scores_of
from coldaisle_analysis.campaign.results import KindRow, LearningPoint, ModelRow, TransferRow
from coldaisle_analysis.evaluation.counts import intervals
from coldaisle_analysis.models import BASELINES, WITH_POLICIES

ALL = "all"
"""Stands for the weeks of all scenarios."""
_ABSENT = float("nan")


def model_rows(analysis: LevelAnalysis, fitted: Sequence[Fitted]) -> Iterator[tuple[ModelRow, Measured]]:
    """Yield the row of each model and its scores."""
    for result in fitted:
        measured, model = analysis.measured(result), result.fit.model
        times = {"fit_s": result.fit_s, "predict_s": result.predict_s}
        policies = model in WITH_POLICIES and result.train_rows > 0
        yield measured.row(model, times, result.train_rows, analysis.seed, policies=policies), measured


def best_of(rows: Sequence[ModelRow]) -> ModelRow:
    """Return the row of the model, no baseline, with the best F1 on the validation weeks."""
    return max(
        (row for row in rows if row["model"] not in BASELINES),
        key=lambda row: (row["validated_f1"], row["model"]),
    )


def learning_point(analysis: LevelAnalysis, fitted: Fitted) -> LearningPoint:
    """Return a point of a learning curve."""
    measured, train = analysis.measured(fitted), fitted.fit.train
    every = np.ones(len(measured.alarms), np.bool_)
    return {
        "level": analysis.level, "model": fitted.fit.model, "weeks": len(train), "train_rows": fitted.train_rows,
        "train_episodes": analysis.episodes(train),
        **scores_of(analysis.test, measured.alarms, every, analysis.seed),
    }  # fmt: skip


def kind_rows(
    analysis: LevelAnalysis,
    whole: Subset,
    model: str,
    alarms: Mask,
    left: Mapping[str, Fitted],
) -> Iterator[KindRow]:
    """Yield a row for each kind of attack in the test weeks.

    Args:
        analysis: the level.
        whole: all training weeks.
        model: name of the best model.
        alarms: which rows of the test weeks it alarms at.
        left: fits by the kind that was left out, ``""`` for none.
    """
    trained = analysis.measured(left[""]).alarms
    for kind in analysis.kinds():
        rows = of_kind(analysis.test, kind)
        recall, interval = _recall(analysis, alarms, rows)
        unseen, unseen_interval = _ABSENT, [_ABSENT, _ABSENT]
        if kind in left:
            measured = analysis.measured(left[kind], of_kind(analysis.validation, kind))
            unseen, unseen_interval = _recall(analysis, measured.alarms, rows)
        visible = analysis.test.visible
        traced = rows if visible is None else rows & visible
        yield {
            "level": analysis.level, "model": model, "kind": kind, "attack_rows": int(rows.sum()),
            "episodes": len(np.unique(analysis.test.level.episodes[rows])),
            "train_episodes": analysis.episodes(whole.weeks, kind),
            "recall": recall, "interval": interval,
            "seen": _ABSENT if visible is None else float(traced.sum() / rows.sum()),
            "recall_of_seen": _ABSENT if visible is None or not traced.any() else float(alarms[traced].mean()),
            "trained": float(trained[rows].mean()) if kind in left else _ABSENT,
            "unseen": unseen, "unseen_interval": unseen_interval,
        }  # fmt: skip


def _recall(analysis: LevelAnalysis, alarms: Mask, rows: Mask) -> tuple[float, list[float]]:
    """Return the recall over some attack rows, and its interval by episodes."""
    level = analysis.test.level
    bounds = intervals(
        level.labels[rows], alarms[rows], level.episodes[rows], level.groups[rows], analysis.seed
    )
    return float(alarms[rows].mean()), bounds["recall"]


def fits_of_transfer(analysis: LevelAnalysis, whole: Subset) -> dict[str, Fit]:
    """Return a fit on the training weeks of each scenario by its name; none where there is one scenario."""
    scenarios = analysis.selection.scenarios
    trained: dict[str, Subset] = {}
    for scenario in scenarios if len(scenarios) > 1 else ():
        names = {week.digest for week in analysis.selection.of("train", scenario=scenario)}
        weeks = tuple(week for week in whole.weeks if week.name in names)
        if weeks and analysis.selection.of("validate", scenario=scenario):
            trained[scenario] = Subset(weeks, whole.scored)
    return {scenario: analysis.fit(PROBE, subset) for scenario, subset in trained.items()}


def transfer_rows(
    analysis: LevelAnalysis, fitted: Mapping[str, Fitted], whole: Fitted
) -> Iterator[TransferRow]:
    """Yield a row for each pair of scenarios, and for all scenarios together on each.

    Thresholds are set on the validation weeks of the scenarios that were learned from.
    """
    selection, test = analysis.selection, analysis.test
    for trained_on, result in {ALL: whole, **fitted}.items() if fitted else ():
        scenario = None if trained_on == ALL else trained_on
        counting = analysis.validation.rows_of(
            [week.digest for week in selection.of("validate", scenario=scenario)]
        )
        measured = analysis.measured(result, ~counting)
        for tested_on in selection.scenarios:
            rows = test.rows_of([week.digest for week in selection.of("test", scenario=tested_on)])
            if rows.any():
                yield transfer_row(analysis, result, (trained_on, tested_on), measured, rows)


def transfer_row(
    analysis: LevelAnalysis, fitted: Fitted, names: tuple[str, str], measured: Measured, rows: Mask
) -> TransferRow:
    """Return the row of a model that was trained on one thing and tested on rows of another, given their names."""
    return {
        "level": analysis.level, "model": fitted.fit.model, "trained_on": names[0], "tested_on": names[1],
        "train_rows": fitted.train_rows, **scores_of(measured.test, measured.alarms, rows, analysis.seed),
    }  # fmt: skip
