"""Training a detector on all rows of a level: thresholds and policies are set on rows that the models scoring them had not seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from coldaisle_analysis.detection.detector import PLAIN, SUFFIX, Detector
from coldaisle_analysis.earliness.policies import (
    FAMILIES,
    Policy,
    Threshold,
    evaluation_set,
    simplest,
    tune_all,
)
from coldaisle_analysis.evaluation.alarms import BUDGETS, OBJECTIVE
from coldaisle_analysis.evaluation.folds import FoldResult, evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.evaluation.splits import untested
from coldaisle_analysis.models import WITH_POLICIES
from coldaisle_analysis.workers import parallel_map

EARLY = "early"
"""Name of the policy chosen for earliness, at no more false alarms than :data:`PLAIN` raised on the same rows."""

PARTS = 2
"""Parts the models are dealt into, to be trained side by side."""
_TOLD = (
    "split",
    "precision",
    "recall",
    "f1",
    "average_precision",
    "erde_5",
    "f_latency",
    "incidents_per_day",
)
"""What a detector's file tells of its model's row in the metrics."""


def train(level: Level, models: Sequence[str], seed: int, about: Mapping[str, Any]) -> dict[str, Detector]:
    """Return detectors by model; none where a class has too few rows to learn from.

    Args:
        level: level ``packets`` of the training data.
        models: names of the models.
        seed: of models and draw of rows.
        about: by model where the data come from and what it scored on held-out days; kept as it is.
    """
    fold = untested(level.groups, level.labels, level.known_ns)
    seen = model_inputs(level, fold.train)
    found = {}
    for model, trial in evaluate_fold(models, level, fold, seen, seed, keep=True).items():
        learned = trial.tested
        if learned.pipeline is not None:
            trained = {"rows": learned.train_rows, "attack_rows": int(level.labels.sum()), "seed": seed}
            told = about.get(model, {}) | {"training": trained}
            found[model] = Detector(model, learned.pipeline, seen.site, _policies(level, trial), told)
    return found


def _policies(level: Level, trial: FoldResult) -> dict[str, Policy]:
    """Return the policies of a detector, set on the rows that the models scoring them had not seen."""
    score, judged = np.zeros(len(level.labels)), np.zeros(len(level.labels), np.bool_)
    score[trial.held_out], judged[trial.held_out] = trial.held_out_scores, True
    (cases,) = level.cases.values()
    on = evaluation_set(cases, level.labels, level.episodes, judged)
    plain = Threshold(trial.threshold)
    spent = on.per_day(on.incidents(on.alarms(plain, score)))
    early, *kept = tune_all(list(FAMILIES), score, on, OBJECTIVE, [spent, *BUDGETS.values()])
    within: dict[str, Policy] = {
        budget: simplest(own, on).policy for budget, own in zip(BUDGETS, kept, strict=True)
    }
    return {PLAIN: plain, **within, EARLY: simplest(early, on).policy}


def start(level: Level, scored: Sequence[Scored], seed: int) -> Iterator[dict[str, Detector]]:
    """Start to train the models that policies are tuned for, in other processes, and yield them once they are trained.

    Args:
        level: level ``packets`` of the training data.
        scored: what they scored on days held out, which they will tell.
        seed: see :func:`train`.
    """
    honest = {
        one.row["model"]: {"held_out": {name: one.row.get(name) for name in _TOLD}}
        for one in scored
        if (one.row["level"], one.row["split"]) == (level.name, level.held_out)
    }
    models = [model for model in WITH_POLICIES if model in honest]
    return parallel_map(
        train, [(level, models[part::PARTS], seed, honest) for part in range(PARTS)] if models else []
    )


def write(
    started: Iterator[Mapping[str, Detector]], level: str, about: Mapping[str, Any], folder: Path
) -> list[Path]:
    """Write what :func:`start` yields, a file a detector; return the files.

    Args:
        started: detectors by model.
        level: what they judge, which their files are named after.
        about: where the data come from; every file tells it.
        folder: of the files, made if need be.
    """
    paths = []
    for model, detector in (each for trained in started for each in trained.items()):
        paths.append(folder / f"{level}.{model}{SUFFIX}")
        replace(detector, about={**about, **detector.about}).save(paths[-1])
    return paths
