"""The rows of the report's table of chains: at which step, and after what time, each is detected."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.earliness.chains import ChainEarliness
from coldaisle_analysis.evaluation.metrics import Budget, Scored
from coldaisle_analysis.models import RULE
from coldaisle_analysis.report.lookup import best_row, first_case, grouped_split, row_of

BUDGET: Budget = "1 a day"
"""The budget of false alarms that the table is for: without one, whoever always alarms would be the earliest."""


@dataclass(frozen=True)
class ChainRow:
    """One chain, as one model at one level detects it.

    Attributes:
        chain: name of the chain.
        level: the level.
        model: name of the model.
        found: when it is detected, with a threshold that kept a budget of false alarms on training rows.
        incidents_per_day: the false alarms that the threshold raised on the rows tested, in incidents per day.
    """

    chain: str
    level: str
    model: str
    found: ChainEarliness
    incidents_per_day: float


def rows(scored: Sequence[Scored]) -> list[ChainRow]:
    """Return the chains as the best model of each level and the operator's rule detect them within :data:`BUDGET`."""
    of_models = [
        row
        for level in LEARNED
        for row in (best_row(scored, level), row_of(scored, level, grouped_split(scored), RULE))
        if row is not None
    ]
    table = [
        ChainRow(chain, row["level"], row["model"], earliness, case[BUDGET]["incidents_per_day"])
        for row in of_models
        for _, case in filter(None, [first_case(row)])
        for chain, earliness in case[BUDGET].get("chains", {}).items()
    ]
    return sorted(table, key=lambda row: row.chain)
