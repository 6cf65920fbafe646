"""The kinds of attack that are caught, the time it takes, and the reasons in the data for those that are missed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.earliness.per_kind import KindEarliness
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import RULE, WITHOUT_KIND
from coldaisle_analysis.report.figures.style import in_order
from coldaisle_analysis.report.lookup import best_row, first_case, grouped_split, row_of
from coldaisle_analysis.report.statistics import Description

NOISE_C = 0.15
"""Standard deviation of a sensor's noise, in °C, the largest of :class:`coldaisle_contracts.site_parameters.Site`."""
_FAINT_C = 3 * NOISE_C
"""A change of a single value below this is not noticeable, in °C."""
_SEPARATING = 0.8
"""AUC from which a column separates a kind at all."""


@dataclass(frozen=True)
class Reach:
    """The reach of detection for one kind of attack at one level.

    Attributes:
        kind: the kind.
        episodes: number of its episodes at the level.
        best: earliness of the best model on the kind; ``None`` if no row of the kind is in a case.
        rule: the same of the operator's rule.
        recall: recall of the best model over the kind's rows.
        visible: share of these rows that left a trace, the most that any model can catch; ``None`` where the run was not compared with
            twins.
        trained: recall of the model that is also tested without kinds, with the kind in training.
        unseen: the same with the kind left out of training; ``None`` if that was not tested.
        reasons: reasons in the data why the best model does not catch more of it than the rule; empty if it does.
    """

    kind: str
    episodes: int
    best: KindEarliness | None
    rule: KindEarliness | None
    recall: float
    visible: float | None
    trained: float | None
    unseen: float | None
    reasons: tuple[str, ...]


def reach(scored: Sequence[Scored], dataset: Dataset, description: Description) -> dict[str, list[Reach]]:
    """Return by level the reach of detection for each of its kinds of attack; a level without models has no entry."""
    frames = {"packets": dataset.packets, "readings": dataset.readings}
    return {
        level: [_of_kind(scored, best, kind, frames[level], description) for kind in in_order(set(best["recall_per_kind"]))]
        for level in LEARNED
        if (best := best_row(scored, level))
    }  # fmt: skip


def _of_kind(
    scored: Sequence[Scored], best: MetricsRow, kind: str, frame: pd.DataFrame, description: Description
) -> Reach:
    level, split = best["level"], grouped_split(scored)
    rule_row = row_of(scored, level, split, RULE)
    model, rule = _earliness(best, kind), _earliness(rule_row, kind)
    recall = best["recall_per_kind"][kind]
    if model and rule:
        short = model["caught"] <= rule["caught"] and model["caught"] < model["cases"]
    else:
        short = recall <= (_recall(rule_row, kind) or 0.0) and recall < 1
    rows = frame[(frame["kind"] == kind) & (frame["label"] == 1)]
    return Reach(
        kind,
        len(rows["episode"].unique()),
        model,
        rule,
        recall,
        best.get("visible_per_kind", {}).get(kind),
        _recall(row_of(scored, level, split, WITHOUT_KIND), kind),
        _recall(row_of(scored, level, "kind", WITHOUT_KIND), kind),
        tuple(_reasons(kind, rows, frame, level, description, in_case=model is not None)) if short else (),
    )


def _earliness(row: MetricsRow | None, kind: str) -> KindEarliness | None:
    """Return the earliness of a model on a kind, over the first kind of case of its level."""
    pair = first_case(row)
    return pair[1]["per_kind"].get(kind) if pair else None


def _recall(row: MetricsRow | None, kind: str) -> float | None:
    return row["recall_per_kind"].get(kind) if row else None


def _reasons(
    kind: str, rows: pd.DataFrame, frame: pd.DataFrame, level: str, description: Description, *, in_case: bool
) -> list[str]:
    """Return the reasons in the data why a kind is missed."""
    facts = list(_facts(rows, frame, level, in_case=in_case))
    return [*facts, *_best_column(kind, level, description, explained=bool(facts))]


def _facts(rows: pd.DataFrame, frame: pd.DataFrame, level: str, *, in_case: bool) -> Iterator[str]:
    """Yield the reasons that the rows of a kind show themselves."""
    if len(rows["episode"].unique()) == 1:
        yield "it has one episode in the run, so no model is trained on it when it is tested"
    if level == "packets":
        if not in_case:
            yield "none of its frames is on a sensor's connection, so it has no case"
        relayed = float((rows["role"] == "relayed").mean())
        if relayed > 0.5:  # noqa: PLR2004 - most of them
            yield f"{relayed:.0%} of its frames are only relayed, and {_appliances(frame, 'frames')}"
    else:
        yield from _of_readings(rows, frame)


def _of_readings(rows: pd.DataFrame, frame: pd.DataFrame) -> Iterator[str]:
    fates = set(rows["fate"].astype(str))
    change = (rows["value"].astype(np.float64) - rows["value_sent"].astype(np.float64)).abs()
    noise = f"three times the sensors' noise ({_FAINT_C:g} °C)"
    if fates == {"modified"} and change.median() < _FAINT_C:
        yield f"half of its values are changed by less than {change.median():.2f} °C, which is below {noise}"
    if fates == {"modified"} and (change < _FAINT_C).any() and change.median() >= _FAINT_C:
        yield f"{(change < _FAINT_C).mean():.0%} of its values are changed by less than {noise}"
    if fates == {"delivered"} and not change.gt(0).any() and not (rows["copies"] > 0).any():
        relayed = set(rows["role"].astype(str)) == {"relayed"}
        remark = f"; they are only relayed, and {_appliances(frame, 'readings')}" if relayed else ""
        yield f"each of its {len(rows)} readings arrives once and with the value sent{remark}"
    late, usual = rows["late"].median(), frame.loc[frame["label"] == 0, "late"].quantile(0.99)
    if fates == {"delayed"} and late < usual:
        yield f"half of its readings are at most {max(late, 0):.1g} s late, while 1 % of the readings without an attack are {usual:.1g} s late or more"


def _appliances(frame: pd.DataFrame, rows: str) -> str:
    """Return the number of rows that a benign appliance relays: a relay of the attacker's looks the same."""
    relayed = int(((frame["benign"] == 1) & (frame["kind"] == "appliance")).sum())
    return (
        f"benign appliances relay {relayed:,} {rows}, too"
        if relayed
        else "any appliance on the path would do so, too"
    )


def _best_column(kind: str, level: str, description: Description, *, explained: bool) -> Iterator[str]:
    """Yield that no single column separates the kind or, if nothing else explains the miss, that one does."""
    table = description.separation
    rows = table[(table["level"] == level) & (table["kind"] == kind)] if len(table) else table
    if rows.empty:
        return
    apart = (rows["auc"] - 0.5).abs() + 0.5
    best, column = apart.max(), rows["column"].iloc[int(apart.to_numpy().argmax())]
    if best < _SEPARATING:
        yield f"no single column separates it from normal traffic (best AUC {best:.2f}, {column})"
    elif not explained:
        yield f"the column {column} alone separates it (AUC {best:.2f}), so the model does not use all that the data show"
