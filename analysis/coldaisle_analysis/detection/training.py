"""Training a detector on all rows of a level: thresholds and policies are set on rows that the models scoring them had not seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController

from coldaisle_analysis.detection.detector import PLAIN, SUFFIX, Detector
from coldaisle_analysis.early import BUDGETS, OBJECTIVE
from coldaisle_analysis.evaluate import JOBS, Scored
from coldaisle_analysis.levels import Level
from coldaisle_analysis.models import POLICED
from coldaisle_analysis.policies import FAMILIES, Policy, Threshold, bench, budget_threshold, tune
from coldaisle_analysis.splits import Fold, inner
from coldaisle_analysis.trial import fit, held_out, limit, sight

EARLY = "early"
"""Name of the policy chosen for earliness, at no more false alarms than :data:`PLAIN` raised on the same rows."""

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


def train(level: Level, model: str, seed: int, about: dict[str, Any]) -> Detector | None:
    """Return a detector, nothing where a class has too few rows to learn from.

    Args:
        level: level ``packets`` of the training data.
        model: name of the model.
        seed: of model and draw of rows.
        about: where the data come from and what the model scored on held-out days; kept as it is.
    """
    rows = np.arange(len(level.labels))
    seen = sight(level, Fold(rows, inner(level.groups, level.labels, level.known_ns, rows), rows[:0]))
    fitted = fit(model, seen, rows, level.labels, seed)
    held, known = held_out(model, seen, level.labels, seed)
    if fitted is None or known is None:
        return None
    score, judged = np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
    score[held], judged[held] = known, True
    (cases,) = level.cases.values()
    on = bench(cases, level.labels, level.episodes, judged)
    plain = Threshold(limit(model, level.labels[held], known))
    policies: dict[str, Policy] = {PLAIN: plain}
    for budget, per_day in BUDGETS.items():
        policies[budget] = Threshold(budget_threshold(score, on, per_day))
    spent = on.per_day(on.incidents(on.alarms(plain, score)))
    tuned = [tune(family, score, on, OBJECTIVE, spent) for family in FAMILIES]
    policies[EARLY] = min(
        tuned, key=lambda one: np.inf if np.isnan(one.value) else round(one.value, 9)
    ).policy
    trained = {"rows": fitted.rows, "attack_rows": int(level.labels.sum()), "seed": seed}
    return Detector(model, fitted.pipeline, seen.site, policies, about | {"training": trained})


def write(
    level: Level, scored: Sequence[Scored], seed: int, about: dict[str, Any], folder: Path
) -> list[Path]:
    """Train the models that policies are tuned for and write each into a file; return the files.

    Args:
        level: level ``packets`` of the training data.
        scored: what they scored on days held out, which their files tell.
        seed: see :func:`train`.
        about: where the data come from.
        folder: of the files, made if need be.
    """
    honest = {
        one.row["model"]: one.row
        for one in scored
        if (one.row["level"], one.row["split"]) == (level.name, level.held_out)
    }
    pool = ThreadpoolController()

    def make(model: str) -> Path | None:
        told = {name: honest[model].get(name) for name in _TOLD}
        with pool.limit(limits=1):
            detector = train(level, model, seed, about | {"held_out": told})
        if detector is None:
            return None
        path = folder / f"{level.name}.{model}{SUFFIX}"
        detector.save(path)
        return path

    made = Parallel(n_jobs=JOBS, backend="threading")(
        delayed(make)(model) for model in POLICED if model in honest
    )
    return [path for path in made if path is not None]
