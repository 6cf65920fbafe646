"""Training a detector on all rows of a level; thresholds and policies are chosen on scores of rows that were held out of training."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from coldaisle_analysis.detection.detector import PLAIN, SUFFIX, Detector
from coldaisle_analysis.earliness.policies import Policy, Threshold, evaluation_set
from coldaisle_analysis.evaluation.alarms import BEST, BUDGETS, choose
from coldaisle_analysis.evaluation.folds import FoldResult, Scores, evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.evaluation.splits import whole_run
from coldaisle_analysis.models import SHIPPED, with_policies
from coldaisle_analysis.models.files import UnsavableError
from coldaisle_analysis.workers import parallel_map

EARLY = "early"
"""Name of the policy chosen for earliness; it raises no more false alarms than :data:`PLAIN` on the same rows."""

PARTS = 2
"""Number of parts that the models are divided into, to be trained in parallel."""
_REPEATED = (
    "split",
    "precision",
    "recall",
    "f1",
    "average_precision",
    "erde_5",
    "f_latency",
    "incidents_per_day",
)
"""Entries of its model's row in the metrics that a detector's file repeats."""


def train(
    level: Level,
    models: Sequence[str],
    seed: int,
    about: Mapping[str, Any],
    known: Mapping[bytes, Scores] = MappingProxyType({}),
) -> dict[str, Detector]:
    """Return detectors by model; a model has none where a class has too few rows to learn from.

    Args:
        level: level ``packets`` of the training data.
        models: names of the models.
        seed: seed of models and of the draw of rows.
        about: for each model, the origin of the data and its scores on held-out days; saved unchanged.
        known: predictions for held-out days that were made already, see :func:`~coldaisle_analysis.evaluation.folds.evaluate_fold`.
    """
    fold = whole_run(level.groups, level.labels, level.known_ns)
    inputs = model_inputs(level, fold.train)
    detectors = {}
    results = evaluate_fold(models, level, fold, inputs, seed, keep=True, known=known)
    for model, result in results.items():
        learned = result.tested
        if learned.pipeline is not None:
            trained = {"rows": learned.train_rows, "attack_rows": int(level.labels.sum()), "seed": seed}
            origin = about.get(model, {}) | {"training": trained}
            detectors[model] = Detector(
                model, learned.pipeline, inputs.site, _policies(level, result), origin
            )
    return detectors


def _policies(level: Level, result: FoldResult) -> dict[str, Policy]:
    """Return the policies of a detector, chosen on scores of rows that were held out of training."""
    score, has_score = np.zeros(len(level.labels)), np.zeros(len(level.labels), np.bool_)
    score[result.held_out], has_score[result.held_out] = result.held_out_scores, True
    (cases,) = level.cases.values()
    on = evaluation_set(cases, level.labels, level.episodes, has_score)
    plain = Threshold(result.threshold)
    chosen = choose(score, on, plain)
    return {PLAIN: plain, **{rule: chosen[rule].policy for rule in BUDGETS}, EARLY: chosen[BEST].policy}


def start(
    level: Level, scored: Sequence[Scored], seed: int, known: Mapping[bytes, Scores] = MappingProxyType({})
) -> Iterator[dict[str, Detector]]:
    """Start to train, in other processes, the models that policies are tuned for, and yield them once they are trained.

    Args:
        level: level ``packets`` of the training data.
        scored: their scores on held-out days, which their files repeat.
        seed: see :func:`train`.
        known: see :func:`train`.
    """
    held_out = {
        result.row["model"]: {"held_out": {name: result.row.get(name) for name in _REPEATED}}
        for result in scored
        if (result.row["level"], result.row["split"]) == (level.name, level.held_out)
    }
    models = [model for model in with_policies() if model in held_out]
    return parallel_map(
        train,
        [(level, models[part::PARTS], seed, held_out, known) for part in range(PARTS)] if models else [],
    )


def write(
    started: Iterator[Mapping[str, Detector]],
    level: str,
    about: Mapping[str, Any],
    folder: Path,
    series: Sequence[str] = (),
    remark: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write what :func:`start` yields, one file per detector; return the files.

    A model of another package that cannot be saved has no file; a sentence says why.

    Args:
        started: detectors by model.
        level: name of the level that they score, with which the names of the files begin.
        about: origin of the data, which every file repeats.
        folder: folder of the files, made if it does not exist.
        series: patterns of the names of series that the detectors read, see :class:`Detector`.
        remark: called with that sentence.
    """
    paths = []
    for model, detector in (item for detectors in started for item in detectors.items()):
        path = folder / f"{level}.{model}{SUFFIX}"
        origin = {**about, **detector.about}
        try:
            replace(detector, about=origin, series=tuple(series)).save(path)
        except UnsavableError as error:
            if model in SHIPPED:
                raise
            remark(f"{model} is evaluated and becomes no detector: {error}")
        else:
            paths.append(path)
    return paths
