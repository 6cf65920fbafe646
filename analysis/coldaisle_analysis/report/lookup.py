"""Looking up what was scored: which model did best where, and what it is called."""

from collections.abc import Sequence
from math import isnan
from typing import Final

from coldaisle_analysis.evaluation.metrics import CaseMetrics, MetricsRow, Scored
from coldaisle_analysis.models import BASELINES, FAMILIES, MODELS, WITH_POLICIES

LEVELS = ("packets", "readings")
"""The levels models are played on."""
PLAIN: Final = "threshold"
"""How metrics call the threshold with the best F1 on training rows."""


def title(model: str, split: str = "") -> str:
    """Return how a model is called, with a remark where it sees identity columns."""
    return MODELS[model].title + (" + identity" if split.endswith("+identity") else "")


def family(model: str) -> str:
    """Return the family of a model: its module in :mod:`coldaisle_analysis.models`."""
    module = next(one for one in FAMILIES if model in one.MODELS)
    return module.__name__.rpartition(".")[2]


def of(scored: Sequence[Scored], level: str, *splits: str) -> list[Scored]:
    """Return the results of a level on some splits."""
    return [result for result in scored if result.row["level"] == level and result.row["split"] in splits]


def held_out_of(scored: Sequence[Scored]) -> str:
    """Return the honest split of the results: ``day``, ``block``, or empty when there is none."""
    splits = {result.row["split"] for result in scored}
    return next((name for name in ("day", "block") if name in splits), "")


def honest(scored: Sequence[Scored], level: str) -> list[MetricsRow]:
    """Return the rows of a level under the honest split, identity aside."""
    return [one.row for one in of(scored, level, held_out_of(scored))]


def row_of(scored: Sequence[Scored], level: str, split: str, model: str) -> MetricsRow | None:
    """Return the metrics row of a model, ``None`` when it was not played."""
    return next((one.row for one in of(scored, level, split) if one.row["model"] == model), None)


def best_row(scored: Sequence[Scored], level: str) -> MetricsRow | None:
    """Return the row with the best F1 under the honest split, the bars and identity aside."""
    rows = [row for row in honest(scored, level) if row["model"] not in BASELINES]
    return max(rows, key=lambda row: (row["f1"], row["average_precision"]), default=None)


def earliest_row(scored: Sequence[Scored], level: str, case: str) -> MetricsRow | None:
    """Return the row of the model whose policies promised the lowest ERDE_5 on training rows, among those they were chosen for.

    Args:
        scored: what was scored.
        level: the level.
        case: kind of case, a key of the rows' ``early``.
    """
    rows = [row for row in honest(scored, level) if row["model"] in WITH_POLICIES and case in row["early"]]
    return min(rows, key=lambda row: _promised(row["early"][case]), default=None)


def _promised(own: CaseMetrics) -> float:
    """Return the ERDE_5 that a model's policies came to on training rows; last come those that promised nothing."""
    promised = own["policies"]["best"]["on_training"] if "policies" in own else float("inf")
    return float("inf") if isnan(promised) else promised


def cases_of(scored: Sequence[Scored]) -> list[tuple[str, str]]:
    """Return every level and kind of case that was judged, in the order of the rows."""
    found = ((level, case) for level in LEVELS for row in honest(scored, level) for case in row["early"])
    return list(dict.fromkeys(found))
