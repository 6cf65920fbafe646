"""Access to the scores: the rows of a level and split, the best model, and the names that the report shows."""

from collections.abc import Sequence
from math import isnan
from typing import Final

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.metrics import CaseMetrics, MetricsRow, Scored
from coldaisle_analysis.models import BASELINES, FAMILIES, MODELS, with_policies

BEST_F1: Final = "threshold"
"""The key in the metrics of the threshold with the best F1 on training rows."""
_FAMILY_TITLES = {"untold": "unsupervised"}


def title(model: str, split: str = "") -> str:
    """Return the title of a model, with a remark if it has identity columns."""
    return MODELS[model].title + (" + identity" if split.endswith("+identity") else "")


def family(model: str) -> str:
    """Return the title of a model's family, a module in :mod:`coldaisle_analysis.models`, or the package that adds the model."""
    if origin := MODELS.added([model]).get(model):
        return origin.package
    module = next(module for module in FAMILIES if model in module.MODELS)
    name = module.__name__.rpartition(".")[2]
    return _FAMILY_TITLES.get(name, name)


def results_of(scored: Sequence[Scored], level: str, *splits: str) -> list[Scored]:
    """Return the results of a level on some splits."""
    return [result for result in scored if result.row["level"] == level and result.row["split"] in splits]


def grouped_split(scored: Sequence[Scored]) -> str:
    """Return the name of the grouped split, ``day`` or ``block``; empty if there is none."""
    splits = {result.row["split"] for result in scored}
    return next((name for name in ("day", "block") if name in splits), "")


def grouped_rows(scored: Sequence[Scored], level: str) -> list[MetricsRow]:
    """Return the rows of a level on the grouped split, without the model that has identity columns."""
    return [result.row for result in results_of(scored, level, grouped_split(scored))]


def row_of(scored: Sequence[Scored], level: str, split: str, model: str) -> MetricsRow | None:
    """Return the metrics row of a model, ``None`` if the model was not scored there."""
    rows = (result.row for result in results_of(scored, level, split))
    return next((row for row in rows if row["model"] == model), None)


def best_row(scored: Sequence[Scored], level: str) -> MetricsRow | None:
    """Return the row with the best F1 on the grouped split; baselines and the model with identity columns are left out."""
    rows = [row for row in grouped_rows(scored, level) if row["model"] not in BASELINES]
    return max(rows, key=lambda row: (row["f1"], row["average_precision"]), default=None)


def earliest_row(scored: Sequence[Scored], level: str, case: str) -> MetricsRow | None:
    """Return the row with the lowest ERDE_5 of its policies on training rows, among the models that policies are chosen for.

    Args:
        scored: the results.
        level: the level.
        case: kind of case, a key of the rows' ``early``.
    """
    rows = [
        row for row in grouped_rows(scored, level) if row["model"] in with_policies() and case in row["early"]
    ]
    return min(rows, key=lambda row: _training_erde(row["early"][case]), default=None)


def _training_erde(metrics: CaseMetrics) -> float:
    """Return ERDE_5 of a model's policies on training rows; infinity if there is none, so that such a model comes last."""
    training = metrics["policies"]["best"]["on_training"] if "policies" in metrics else float("nan")
    return float("inf") if isnan(training) else training


def first_case(row: MetricsRow | None) -> tuple[str, CaseMetrics] | None:
    """Return the first kind of case of a row and its metrics, ``None`` if there is no row or no case."""
    return next(iter(row["early"].items()), None) if row else None


def case_kinds(scored: Sequence[Scored]) -> list[tuple[str, str]]:
    """Return every level and kind of case that was scored, in the order of the rows."""
    pairs = (
        (level, case) for level in LEARNED for row in grouped_rows(scored, level) for case in row["early"]
    )
    return list(dict.fromkeys(pairs))
