"""Features of a reading: what the broker saw of sensor, unit and network before the end of the slot, and nothing later.

The table is a grid of sensors by slots. In a run, the plan gives the slots; in a foreign capture, a slot is a
moment at which sensors publish together. A sensor delivers no value, one value or several in a slot.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.decoding.mqtt import PUBACK
from coldaisle_analysis.features import history
from coldaisle_analysis.features.history import History
from coldaisle_analysis.features.values import others_median
from coldaisle_analysis.series.names import publishers
from coldaisle_contracts.clock import END, SECOND


@dataclass(frozen=True)
class Grid:
    """Deliveries of sensors by slot.

    Attributes:
        sensors: one row per sensor: unit, sensor, client_id, series, ip.
        starts: start of each slot and end of the last, in ns since the epoch, shape (sensors, slots + 1).
        deliveries: PUBLISH messages in order of time: sensor (row in ``sensors``), slot, time_ns, value, row, flow, msgid.
        carry: whether a neighbour that is silent in a slot counts with its last value.
    """

    sensors: pd.DataFrame
    starts: Ints
    deliveries: pd.DataFrame
    carry: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Number of sensors and of slots."""
        return len(self.starts), self.starts.shape[1] - 1

    def scatter(self, cells: pd.DataFrame, values: npt.ArrayLike) -> Floats:
        """Return a grid of these values at the cells' sensor and slot, missing elsewhere."""
        table = np.full(self.shape, np.nan)
        table[cells["sensor"], cells["slot"]] = values
        return table

    def count(self, name: npt.ArrayLike, time_ns: Ints, of_sensor: str) -> Floats:
        """Return how many events each sensor has in each slot; events outside all slots are left out.

        Args:
            name: to whom each event belongs, shape (events,).
            time_ns: time of each event, in ns since the epoch.
            of_sensor: the column of ``sensors`` with that name.
        """
        table = np.zeros(self.shape)
        codes, names = pd.factorize(np.asarray(name, object))
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
        for number, code in enumerate(pd.Index(names).get_indexer(self.sensors[of_sensor].astype("object"))):
            if code < 0:
                continue
            events = time_ns[order[ends[code] : ends[code + 1]]]
            slot = np.searchsorted(self.starts[number], events, "right") - 1
            inside = slot[(slot >= 0) & (slot < self.shape[1])]
            table[number] = np.bincount(inside, minlength=self.shape[1])
        return table


def of_grid(grid: Grid, packets: pd.DataFrame, messages: pd.DataFrame) -> dict[str, npt.NDArray[np.generic]]:
    """Return the value, feature and delivery columns of level ``readings``, each flattened by sensor, then slot."""
    cells = grid.deliveries.groupby(["sensor", "slot"], sort=False)
    first = grid.deliveries.drop_duplicates(["sensor", "slot"])
    last = grid.deliveries.drop_duplicates(["sensor", "slot"], keep="last")
    wait = grid.deliveries.groupby("sensor", sort=False)["time_ns"].diff() / SECOND
    columns = {
        **_values(grid, first, wait[first.index]),
        "slot_range": grid.scatter(first, (cells["value"].max() - cells["value"].min()).to_numpy()),
        **_rhythm(grid, first, last, wait),
        **_path(grid, first, packets, messages),
        "eth_src_changed": grid.scatter(first, packets["eth_src_changed"].to_numpy()[first["row"]]),
        "arrival_ns": _whole(grid, first, first["time_ns"]),
        "first_frame": _whole(grid, first, first["row"] + 1),
        "last_frame": _whole(grid, last, last["row"] + 1),
    }
    return {name: table.ravel() for name, table in columns.items()}


def _whole(grid: Grid, cells: pd.DataFrame, values: pd.Series) -> npt.NDArray[np.generic]:
    """Return a grid of whole numbers, missing as ``None``: a float has too few digits for times in ns."""
    table = np.full(grid.shape, None, dtype=object)
    table[cells["sensor"], cells["slot"]] = values.to_numpy()
    return table


def _values(grid: Grid, first: pd.DataFrame, wait: pd.Series) -> dict[str, Floats]:
    """Compare the first value of each slot with the sensor's own past and with its neighbours."""
    sensor = first["sensor"].to_numpy(np.int64)
    alone = sensor  # no sensor has a neighbour here: slots are compared below
    table = History().follow(sensor, alone, wait.to_numpy(), first["value"].to_numpy(np.float64))
    columns = {
        name: grid.scatter(first, table[:, place])
        for place, name in enumerate(history.COLUMNS)
        if name != "dev_host"
    }
    unit, number = grid.sensors["unit"], grid.sensors["sensor"]
    size = np.abs(columns["diff"])
    return {
        "value": grid.scatter(first, first["value"]),
        **columns,
        "abs_diff": size,
        "abs_dev": np.abs(columns["dev"]),
        "dev_siblings": columns["dev"] - _neighbours(grid, columns["dev"], unit),
        "dev_units": columns["dev"] - _neighbours(grid, columns["dev"], number),
        "long_siblings": columns["dev_long"] - _neighbours(grid, columns["dev_long"], unit),
        "joint_jump": _neighbours(grid, size, unit),
    }


def _neighbours(grid: Grid, table: Floats, group: pd.Series) -> Floats:
    """Return the median over the other sensors of the same group in the same slot."""
    result = np.full(table.shape, np.nan)
    for rows in group.groupby(group.to_numpy()).groups.values():
        block = table[rows].T
        block = pd.DataFrame(block).ffill().to_numpy() if grid.carry else block
        result[rows] = others_median(block).T
    return result


def _rhythm(grid: Grid, first: pd.DataFrame, last: pd.DataFrame, wait: pd.Series) -> dict[str, Floats]:
    """Return the columns on the times of deliveries, and on slots without one."""
    within = wait.where(grid.deliveries.duplicated(["sensor", "slot"]))
    smallest = within.groupby([grid.deliveries["sensor"], grid.deliveries["slot"]], sort=False).min()
    number = grid.deliveries.groupby(["sensor", "slot"], sort=False).size()
    deliveries = np.nan_to_num(grid.scatter(first, number.to_numpy()))
    missing = (deliveries == 0).astype(float)
    newest = pd.DataFrame(grid.scatter(last, last["time_ns"] - grid.starts[0, 0]).T).ffill().to_numpy().T
    return {
        "deliveries": deliveries,
        "missing": missing,
        "missing_run": _streak(missing),
        "unit_missing": _others(missing, grid.sensors["unit"], mean=False),
        "unit_deliveries": _others(deliveries, grid.sensors["unit"], mean=True),
        "iat": grid.scatter(first, wait[first.index]),
        "overdue": (grid.starts[:, 1:] - grid.starts[0, 0] - newest) / SECOND,
        "min_gap": grid.scatter(first, smallest.to_numpy()),
    }


def _streak(flags: Floats) -> Floats:
    """Return the length of the run of set flags along each row, this one included."""
    position = np.arange(1, flags.shape[1] + 1)
    clear = np.maximum.accumulate(np.where(flags == 0, position, 0), axis=1)
    return np.asarray(position - clear, np.float64)


def _others(table: Floats, group: pd.Series, *, mean: bool) -> Floats:
    """Return sum or mean over the other sensors of the same group; 0 for a sensor without siblings."""
    sums = pd.DataFrame(table).groupby(group.to_numpy()).transform("sum").to_numpy() - table
    others = group.groupby(group.to_numpy()).transform("size").to_numpy() - 1
    return sums / np.maximum(others, 1)[:, None] if mean else sums


def _path(
    grid: Grid, first: pd.DataFrame, packets: pd.DataFrame, messages: pd.DataFrame
) -> dict[str, Floats]:
    """Return the columns on the network during the slot: connection, acknowledgements, ARP."""
    time_ns = np.asarray(packets["time_ns"], np.int64)
    client = publishers(packets)
    again = np.flatnonzero(packets["tcp_retransmission"].fillna(0))
    return {
        "packets": grid.count(client, time_ns, "client_id"),
        "retransmissions": grid.count(client[again], time_ns[again], "client_id"),
        "ack_s": _ack_delay(grid, first, packets, messages),
        "arp_frames": _arp(grid, packets[packets["arp_op"].notna()]),
        "arp_conflicts": _arp(grid, packets[packets["arp_conflict"] == 1]),
    }


def _arp(grid: Grid, packets: pd.DataFrame) -> Floats:
    """Count in each slot the ARP frames that name a sensor's address as sender or target."""
    sender, target = (packets[name].astype("object") for name in ("arp_src_ip", "arp_dst_ip"))
    named = pd.concat([sender, target[target != sender]])
    time_ns = packets["time_ns"].reindex(named.index).to_numpy(np.int64)
    return grid.count(named, time_ns, "ip")


def _ack_delay(grid: Grid, first: pd.DataFrame, packets: pd.DataFrame, messages: pd.DataFrame) -> Floats:
    """Return the time from the broker's PUBACK to the sensor's next packet, in s; missing where the slot ends before."""
    flow = packets["flow"]
    upward = packets["time_ns"].astype("Int64").where(packets["to_server"] == 1)
    following = np.asarray(upward.groupby(flow).bfill().fillna(END), np.int64)
    downward = np.flatnonzero(packets["to_server"] == 0)
    acks = messages[(messages["msgtype"] == PUBACK) & messages["row"].isin(downward)].sort_values("time_ns")
    acks = acks[["flow", "time_ns"]].assign(
        msgid=acks["msgid"].astype("int64"), ack_row=acks["row"], ack_ns=acks["time_ns"]
    )
    sent = first[["sensor", "slot", "flow", "msgid", "time_ns"]].sort_values("time_ns")
    pairs = pd.merge_asof(sent, acks, on="time_ns", by=["flow", "msgid"], direction="forward")
    pairs = pairs.dropna(subset="ack_row")
    after = following[pairs["ack_row"].astype("int64")]
    in_time = after < grid.starts[pairs["sensor"], pairs["slot"] + 1]
    return grid.scatter(pairs[in_time], ((after - pairs["ack_ns"]) / SECOND)[in_time])
