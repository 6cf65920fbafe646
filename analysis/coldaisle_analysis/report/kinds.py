"""Which kinds of attack are caught, how early, and what the data say of those that are not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.earliness.curves import KindEarliness
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import RULE, WITHOUT_KIND
from coldaisle_analysis.report.figures.style import in_order
from coldaisle_analysis.report.lookup import LEVELS, best_row, held_out_of, row_of
from coldaisle_analysis.report.statistics import Description

NOISE_C = 0.15
"""Standard deviation of a sensor's noise, °C, the largest of :class:`coldaisle_contracts.site_parameters.Site`."""
_FAINT_C = 3 * NOISE_C
"""What a single value may be off without standing out, °C."""
_TELLING = 0.8
"""AUC from which a column is said to tell of a kind at all."""


@dataclass(frozen=True)
class Reach:
    """How far detection reaches for one kind of attack at one level.

    Attributes:
        kind: the kind.
        episodes: how many the level has.
        best: what :class:`~coldaisle_analysis.earliness.curves.KindEarliness` says of the best model; ``None`` where no row of the kind is in a case.
        rule: the same of the operator's rule.
        recall: of the best model, over the kind's rows.
        known: recall of the model that also played kinds held out, with the kind on both sides.
        unseen: the same with the kind held out; ``None`` where it was not played.
        reasons: why the best model does not catch more of it than the rule; empty where it does.
    """

    kind: str
    episodes: int
    best: KindEarliness | None
    rule: KindEarliness | None
    recall: float
    known: float | None
    unseen: float | None
    reasons: tuple[str, ...]


def reach(scored: Sequence[Scored], dataset: Dataset, description: Description) -> dict[str, list[Reach]]:
    """Return by level how far detection reaches for every kind of attack in it; no entry for a level without models."""
    frames = {"packets": dataset.packets, "readings": dataset.readings}
    return {
        level: [_of_kind(scored, best, kind, frames[level], description) for kind in in_order(set(best["recall_per_kind"]))]
        for level in LEVELS
        if (best := best_row(scored, level))
    }  # fmt: skip


def _of_kind(
    scored: Sequence[Scored], best: MetricsRow, kind: str, frame: pd.DataFrame, description: Description
) -> Reach:
    level, split = best["level"], held_out_of(scored)
    rule = row_of(scored, level, split, RULE)
    known, unseen = (row_of(scored, level, name, WITHOUT_KIND) for name in (split, "kind"))
    own, bar = _early(best, kind), _early(rule, kind)
    recall = best["recall_per_kind"][kind]
    if own and bar:
        short = own["caught"] <= bar["caught"] and own["caught"] < own["cases"]
    else:
        short = recall <= (_recall(rule, kind) or 0.0) and recall < 1
    rows = frame[(frame["kind"] == kind) & (frame["label"] == 1)]
    return Reach(
        kind,
        len(rows["episode"].unique()),
        own,
        bar,
        recall,
        _recall(known, kind),
        _recall(unseen, kind),
        tuple(_reasons(kind, rows, frame, level, description, cased=own is not None)) if short else (),
    )


def _early(row: MetricsRow | None, kind: str) -> KindEarliness | None:
    """Return how early a model catches a kind, over the first kind of cases of its level."""
    first = next(iter(row["early"].values()), None) if row else None
    return first["per_kind"].get(kind) if first else None


def _recall(row: MetricsRow | None, kind: str) -> float | None:
    return row["recall_per_kind"].get(kind) if row else None


def _reasons(
    kind: str, rows: pd.DataFrame, frame: pd.DataFrame, level: str, description: Description, *, cased: bool
) -> list[str]:
    """Return what the data say of a kind that is not caught."""
    facts = list(_facts(rows, frame, level, cased=cased))
    return [*facts, *_alone(kind, level, description, explained=bool(facts))]


def _facts(rows: pd.DataFrame, frame: pd.DataFrame, level: str, *, cased: bool) -> Iterator[str]:
    """Yield what the rows of a kind themselves say."""
    if len(rows["episode"].unique()) == 1:
        yield "one episode in the run, so nothing of its kind is learned from when it is tested"
    if level == "packets":
        if not cased:
            yield "none of its frames lies on a sensor's connection, so it has no case"
        relayed = float((rows["role"] == "relayed").mean())
        if relayed > 0.5:  # noqa: PLR2004 - most of them
            yield f"{relayed:.0%} of its frames are only relayed, as {_appliances(frame, 'frames')}"
    else:
        yield from _of_readings(rows, frame)


def _of_readings(rows: pd.DataFrame, frame: pd.DataFrame) -> Iterator[str]:
    fates = set(rows["fate"].astype(str))
    off = (rows["value"].astype(np.float64) - rows["value_sent"].astype(np.float64)).abs()
    if fates == {"modified"} and off.median() < _FAINT_C:
        yield f"half of its values are off by less than {off.median():.2f} °C, below three times the sensors' noise ({_FAINT_C:g} °C)"
    if fates == {"modified"} and (off < _FAINT_C).any() and off.median() >= _FAINT_C:
        yield f"{(off < _FAINT_C).mean():.0%} of its values are off by less than three times the sensors' noise ({_FAINT_C:g} °C)"
    if fates == {"delivered"} and not off.gt(0).any() and not (rows["copies"] > 0).any():
        relayed = set(rows["role"].astype(str)) == {"relayed"}
        remark = f": only relayed, as {_appliances(frame, 'readings')}" if relayed else ""
        yield f"each of its {len(rows)} readings arrives once and with the value sent{remark}"
    late, usual = rows["late"].median(), frame.loc[frame["label"] == 0, "late"].quantile(0.99)
    if fates == {"delayed"} and late < usual:
        yield f"half of its readings come no later than {max(late, 0):.1g} s, one reading in a hundred that no attack touched {usual:.1g} s or later"


def _appliances(frame: pd.DataFrame, what: str) -> str:
    """Say how many rows a benign appliance relays, beside which a relay of the attacker's is nothing odd."""
    passed = int(((frame["benign"] == 1) & (frame["kind"] == "appliance")).sum())
    return f"benign appliances do with {passed:,} {what}" if passed else "any appliance on the path would do"


def _alone(kind: str, level: str, description: Description, *, explained: bool) -> Iterator[str]:
    """Say that no single column tells of the kind, or, where nothing else explains the miss, that one does."""
    table = description.separation
    own = table[(table["level"] == level) & (table["kind"] == kind)] if len(table) else table
    if own.empty:
        return
    apart = (own["auc"] - 0.5).abs() + 0.5
    best, column = apart.max(), own["column"].iloc[int(apart.to_numpy().argmax())]
    if best < _TELLING:
        yield f"no column alone tells of it (best AUC {best:.2f}, {column})"
    elif not explained:
        yield f"{column} alone tells of it (AUC {best:.2f}): the data tell more than the model makes of them"
