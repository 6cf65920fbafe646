"""The features of planned readings: units that report in the same slots share a grid."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.features.readings import Grid, of_grid
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.topics import base_id

LEAD = SECOND // 4
"""Time from the end of a slot to the next planned reading, in ns."""


def columns(account: Account) -> pd.DataFrame:
    """Return the end of the slot of each planned reading, and its values, features and deliveries, in the order of the readings.

    The slot of a reading ends before its unit's next reading, and its unit is compared with those that report in the same slots.
    """
    trace = account.evidence.trace
    parts = [
        pd.DataFrame(
            {"decided_ns": grid.starts[:, 1:].ravel(), **of_grid(grid, trace.packets, trace.messages)}, rows
        )
        for rows, grid in grids_of(account)
    ]
    return parts[0] if len(parts) == 1 else pd.concat(parts).sort_index()


def grids_of(account: Account) -> Iterator[tuple[pd.Index, Grid]]:
    """Yield the grids of a run, sensors by those slots of the plan in which they report, each with the rows of its readings."""
    plan = account.evidence.plan
    alike: dict[range, list[str]] = defaultdict(list)
    for unit in plan.units:
        alike[plan.slots_of(unit)].append(unit)
    for slots, units in alike.items():
        table = account.readings[account.readings["unit"].isin(units)]
        sensors = table[["unit", "sensor", "client_id"]].iloc[:: len(slots)].reset_index(drop=True)
        sensors["series"] = sensors["client_id"]
        sensors["ip"] = [plan.units[unit].host.ip for unit in sensors["unit"]]
        planned = table["planned_ns"].to_numpy().reshape(-1, len(slots))
        ends = np.array([plan.reading_ns(slots[-1] + slots.step, unit) for unit in sensors["unit"]])
        starts = np.column_stack([planned, ends]) - LEAD
        yield table.index, Grid(sensors, starts, _in_slots(account.deliveries, sensors, starts))


def _in_slots(deliveries: pd.DataFrame, sensors: pd.DataFrame, starts: Ints) -> pd.DataFrame:
    """Place every PUBLISH in the slot during which it arrived."""
    number = dict(zip(sensors["client_id"], sensors.index, strict=True))
    arrived = deliveries.assign(client=deliveries["client"].astype("str").map(base_id, na_action="ignore"))
    arrived = arrived[arrived["client"].isin(number)].sort_values("time_ns", kind="stable")
    sensor = arrived["client"].map(number).to_numpy(np.int64)
    time_ns = arrived["time_ns"].to_numpy()
    slot = np.empty(len(arrived), np.int64)
    for row in range(len(starts)):
        slot[sensor == row] = np.searchsorted(starts[row], time_ns[sensor == row], "right") - 1
    value = pd.to_numeric(arrived["payload"].astype("object"), errors="coerce").to_numpy(np.float64)
    table = pd.DataFrame(
        {
            "sensor": sensor,
            "slot": slot,
            "time_ns": time_ns,
            "value": value,
            "row": arrived["row"].to_numpy(),
            "flow": arrived["flow"].to_numpy(),
            "msgid": arrived["msgid"].to_numpy(np.int64),
        }
    )
    table = table[table["slot"].between(0, starts.shape[1] - 2) & table["value"].notna()]
    return table.reset_index(drop=True)
