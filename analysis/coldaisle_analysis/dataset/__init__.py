"""The dataset: one labelled row per frame, per MQTT control packet and per planned reading, of a run or of foreign captures.

Flows and windows are computed from these rows and written beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis import tables
from coldaisle_analysis.columns import TLS, Level, conform
from coldaisle_analysis.dataset import grids, labelled_captures
from coldaisle_analysis.dataset.aggregates import flows, windows
from coldaisle_analysis.dataset.aggregates.cut import DAY_STARTS, READINGS, Cut, midnight_before
from coldaisle_analysis.dataset.chains import Steps, steps_of, with_steps
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.features import packets
from coldaisle_analysis.local_time import local_time
from coldaisle_analysis.truth.frames import TRUTH
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.clock import DAY


@dataclass(frozen=True)
class Dataset:
    """Tables of labelled rows; their columns are those of :mod:`columns`.

    Attributes:
        packets: one row per frame.
        messages: one row per MQTT control packet.
        readings: one row per planned reading (per PUBLISH in foreign captures), by sensor, then slot.
        cut: limits of flows and windows.
        recognised: one line on the series of foreign captures and on what was left out, empty for a run.
        remarks: sentences on flaws of foreign captures and on what was not read of them.
        steps: chain and step of each episode of a chain, by id.
    """

    packets: pd.DataFrame
    messages: pd.DataFrame
    readings: pd.DataFrame
    cut: Cut = field(default_factory=Cut)
    recognised: str = ""
    remarks: tuple[str, ...] = ()
    steps: Steps = field(default_factory=dict)

    def learned(self) -> dict[Level, pd.DataFrame]:
        """Return the levels that models are trained and scored on, by name."""
        return {"packets": self.packets, "readings": self.readings}

    def levels(self) -> dict[Level, pd.DataFrame]:
        """Return every level by name; flows and windows are computed here."""
        return {
            "packets": self.packets,
            "messages": self.messages,
            "readings": self.readings,
            "flows": with_steps(flows.build(self.packets, self.cut), self.steps),
            "windows": with_steps(windows.build(self.packets, self.readings, self.cut), self.steps),
        }


def build(run: Path, account: Account | None = None) -> Dataset:
    """Build the dataset of a finished run.

    Args:
        run: the run's folder.
        account: account of the run, if already settled.

    Raises:
        InputError: if the run cannot be read.
    """
    account = account or settle(run)
    plan = account.evidence.plan
    cut = Cut(plan.start_ns, plan.utc_offset_s, window_s=READINGS * plan.scenario.interval_s)
    frames = _packets(account)
    messages = of_frames(account.evidence.trace.messages, frames)
    packets, messages, readings = (
        with_steps(rows, plan.steps) for rows in (frames, messages, _readings(account))
    )
    return Dataset(packets, messages, readings, cut, steps=plan.steps)


def of_frames(messages: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """Return level ``messages``: each message with the time and the label of the frame that completes it.

    Args:
        messages: decoded messages, see :class:`packets.Trace`.
        frames: level ``packets``.
    """
    row = messages["row"].to_numpy()
    of_frame = frames.iloc[row][["shard", "day", "time", "time_ns", "weekday", "hour", *TRUTH]]
    words = [word.encode(packets.BYTES) for word in messages["payload"].cat.categories]
    payload = np.array([*words, None], object)[messages["payload"].cat.codes]
    table = messages.assign(
        message=np.arange(1, len(row) + 1),
        frame=row + 1,
        payload=payload,
        **of_frame.set_axis(messages.index),
    )
    return conform(table, "messages")


def _packets(account: Account) -> pd.DataFrame:
    source, truth = account.evidence, account.join.table
    table = source.trace.packets.copy(deep=False)
    time_ns = source.trace.frames.time_ns
    since = time_ns - source.plan.start_ns - DAY_STARTS
    table["day"] = np.clip(since // DAY + 1, 1, source.plan.scenario.days)
    table["wall_ns"] = source.raw.time_ns
    carried = account.deliveries[account.deliveries["reading"] >= 0].drop_duplicates("row").set_index("row")
    slots = account.readings["slot"].to_numpy()[carried["reading"]]
    table["slot"] = pd.Series(slots, carried.index).reindex(table.index).astype("Int32")
    table["copy"] = carried["copy"].reindex(table.index).astype("Int16")
    frames = conform(table.assign(**{name: truth[name] for name in TRUTH}), "packets")
    dtypes = {column.name: column.dtype for column in TLS if column.name in table}
    return frames.join(table[list(dtypes)].astype(dtypes)) if dtypes else frames


def _readings(account: Account) -> pd.DataFrame:
    plan, table = account.evidence.plan, account.readings
    columns = table.assign(
        series=table["client_id"],
        time=pd.to_datetime(table["planned_ns"], utc=True),
        **local_time(table["planned_ns"], plan.utc_offset_s),
        value_sent=pd.to_numeric(table["sent"]),
        value_received=pd.to_numeric(table["received"]),
        **grids.columns(account),
    )
    return conform(columns, "readings")


def from_captures(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    utc_offset_s: int = 0,
    series: Sequence[str] = (),
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Dataset:
    """Build the dataset of labelled foreign captures, see :mod:`labelled_captures`.

    Args:
        pcaps: captures with MQTT, a day each, in order of time.
        labels: their labels, see :mod:`labels`.
        utc_offset_s: offset of local time from UTC, in s, for weekday and hour.
        series: patterns of the names of series to read, such as ``*#temperature``; without any, all are.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a capture cannot be read, or a label row does not match its frame; it names file and line.
    """
    built = labelled_captures.build(pcaps, labels, utc_offset_s, series, mqtt)
    frames = built.packets
    first_ns = int(frames["time_ns"].min()) if len(frames) else 0
    return Dataset(
        frames,
        of_frames(built.messages, frames),
        built.readings,
        Cut(midnight_before(first_ns, utc_offset_s), utc_offset_s),
        built.recognised,
        built.remarks,
    )


def write(dataset: Dataset, folder: Path, *, csv: bool = False) -> list[Path]:
    """Write every level as Parquet into a folder, which is made if it does not exist; return the files.

    Args:
        dataset: the dataset.
        folder: the folder.
        csv: whether to write every level as CSV, too.

    Raises:
        InputError: if the folder cannot be written to.
    """
    forms = tables.FORMS if csv else tables.FORMS[:1]
    return [
        path for level, rows in dataset.levels().items() for path in tables.write(rows, folder / level, forms)
    ]


def load(folder: Path) -> Dataset:
    """Read a dataset from the Parquet files in a folder; :func:`tables.read_level` reads any level of a run.

    Raises:
        InputError: if a file is missing or is not Parquet.
    """
    packets, messages, readings = (
        tables.read(folder / f"{level}.parquet") for level in ("packets", "messages", "readings")
    )
    return Dataset(packets, messages, readings, steps=steps_of(packets) | steps_of(readings))
