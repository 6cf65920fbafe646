"""Causal columns of readings on the path between their unit and the broker, and what they remember of it.

Whoever wants to stand between a unit and the broker has to claim the unit's address by ARP, once, and may stay for hours without
another frame. A reading whose columns look back one slot cannot know of that. So these columns remember the last claim, what the
acknowledgements of the unit's sensors have taken since, and what else was odd in the unit. They follow from the columns of level
``readings`` alone; like forecasts they are in no file and are computed when a campaign is analysed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask

ODD = ("missing", "deliveries", "dev_siblings", "late", "retransmissions")
"""Columns of which the largest absolute value in a unit is remembered."""
SOURCES = ("unit", "slot", "arp_conflicts", "arp_frames", "ack_s", *ODD)
"""Columns of level ``readings`` that the columns here follow from."""
COLUMNS = (
    "claim_age", "claim_stands", "restored_age", "claims", "ack", "ack_recent", "ack_rise",
    *(f"{name}_since_claim" for name in ODD), *(f"{name}_lately" for name in ODD),
)  # fmt: skip
"""Columns of a reading, the same for all sensors of a unit in a slot. claim_age: slots since an ARP frame last claimed the unit's address
for another MAC; claim_stands: 1 until an ARP frame without such a claim names the address; restored_age: slots since that; claims: claims
lately, a count that halves in :data:`HALF_LIFE` slots; ack, ack_recent: median ``ack_s`` of the unit's sensors as a power of ten, in this
slot and on average over :data:`RECENT` slots; ack_rise: the latter less its median over the :data:`USUAL` slots before; …_since_claim:
largest absolute value in the unit since the last claim; …_lately: the same over all slots, less by :data:`FADES` each slot."""
RECENT, USUAL, HALF_LIFE = 4, 48, 48
"""Slots of the mean of acknowledgements, of their usual median, and in which the count of claims halves."""
FADES = 0.8
"""Share of an odd value that is remembered from slot to slot."""
_SHORTEST_S, _FEWEST = 1e-6, 3


def path_columns(rows: Mapping[str, Any]) -> Floats:
    """Return :data:`COLUMNS` of each row of level ``readings``, shape (rows, len(COLUMNS)); missing where nothing is known yet.

    Args:
        rows: the columns :data:`SOURCES`, as pandas columns.
    """
    if not len(rows["slot"]):
        return np.zeros((0, len(COLUMNS)))
    unit = pd.factorize(rows["unit"].astype("str"))[0]
    slot = rows["slot"].to_numpy(np.int64)
    slot = slot - slot.min()
    tables = _tables(rows, unit, slot)
    return np.column_stack([table[unit, slot] for table in tables])


def _tables(rows: Mapping[str, Any], unit: Ints, slot: Ints) -> list[Floats]:
    """Return :data:`COLUMNS`, each as a table of units by slots."""

    def largest(name: str) -> Floats:
        values = np.abs(np.nan_to_num(rows[name].to_numpy(np.float64, na_value=np.nan)))
        table = np.zeros((unit.max() + 1, slot.max() + 1))
        np.maximum.at(table, (unit, slot), values)
        return table

    conflict, named = largest("arp_conflicts") > 0, largest("arp_frames") > 0
    number = np.arange(conflict.shape[1])
    claimed, restored = (
        np.maximum.accumulate(np.where(flags, number, -1), axis=1) for flags in (conflict, named & ~conflict)
    )
    odd = [largest(name) for name in ODD]
    return [
        np.where(claimed >= 0, number - claimed, np.nan),
        np.where((claimed >= 0) & (restored < claimed), 1.0, 0.0),
        np.where(restored >= 0, number - restored, np.nan),
        _faded_sum(conflict.astype(np.float64), 0.5 ** (1 / HALF_LIFE)),
        *_acknowledgements(rows, unit, slot),
        *(_since(table, conflict) for table in odd),
        *(_faded_maximum(table) for table in odd),
    ]


def _acknowledgements(rows: Mapping[str, Any], unit: Ints, slot: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the power of ten of a unit's acknowledgement delays: in a slot, lately, and how far that is above usual."""
    power = np.log10(np.maximum(rows["ack_s"].to_numpy(np.float64, na_value=np.nan), _SHORTEST_S))
    median = pd.Series(power).groupby([unit, slot]).median()
    table = np.full((unit.max() + 1, slot.max() + 1), np.nan)
    table[median.index.get_level_values(0), median.index.get_level_values(1)] = median.to_numpy()
    latest = pd.DataFrame(table.T).ffill()
    recent = latest.rolling(RECENT, min_periods=1).mean()
    usual = latest.rolling(USUAL, min_periods=_FEWEST).median().shift(RECENT)
    return table, recent.to_numpy().T, (recent - usual).to_numpy().T


def _since(table: Floats, begins: Mask) -> Floats:
    """Return the running maximum along each row, begun anew where ``begins`` is set."""
    result, most = np.empty_like(table), np.zeros(len(table))
    for at in range(table.shape[1]):
        most = np.where(begins[:, at], table[:, at], np.maximum(most, table[:, at]))
        result[:, at] = most
    return result


def _faded_maximum(table: Floats) -> Floats:
    result, most = np.empty_like(table), np.zeros(len(table))
    for at in range(table.shape[1]):
        most = np.maximum(most * FADES, table[:, at])
        result[:, at] = most
    return result


def _faded_sum(table: Floats, keep: float) -> Floats:
    result, total = np.empty_like(table), np.zeros(len(table))
    for at in range(table.shape[1]):
        total = total * keep + table[:, at]
        result[:, at] = total
    return result
