"""Days of traffic: of our own plays, and of published captures. Both are decoded from captures in the same way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Mask, Texts
from coldaisle_analysis.columns import conform
from coldaisle_analysis.dataset.aggregates import flows
from coldaisle_analysis.dataset.aggregates.cut import DAY_STARTS, Cut
from coldaisle_analysis.dataset.reported import with_absent
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features import packets
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard

DIGITS = 6
"""Decimals of a time, in s, that are compared: most published captures have microseconds, and ours have nanoseconds."""
_UNLABELLED = {"day": 1, "label": 0, "benign": 0, "kind": "normal"}


@dataclass(frozen=True)
class Day:
    """A day of traffic.

    Attributes:
        source: the play or the capture that it is from.
        packets: its rows of level ``packets``.
    """

    source: str
    packets: pd.DataFrame
    _numbers: dict[str, Floats] = field(default_factory=dict, repr=False)

    def numbers(self, name: str) -> Floats:
        """Return a column of numbers, shape (frames,); a missing value is NaN, and times are rounded to :data:`DIGITS`."""
        if name not in self._numbers:
            values = self.packets[name].to_numpy(np.float64, na_value=np.nan)
            rounded = self.packets[name].dtype == np.float64
            self._numbers[name] = np.round(values, DIGITS) if rounded else values
        return self._numbers[name]

    def texts(self, name: str) -> Texts:
        """Return a column of text, shape (frames,)."""
        return self.packets[name].astype("object").to_numpy()

    def is_type(self, msgtype: int) -> Mask:
        """Return which frames complete a control packet of a type first, shape (frames,)."""
        return np.asarray(self.numbers("mqtt_msgtype") == msgtype)

    def towards(self, *, server: bool) -> Mask:
        """Return which frames go to the server, or come from it, over TCP, shape (frames,)."""
        way = self.numbers("to_server") == int(server)
        return np.asarray(way & np.isfinite(self.numbers("tcp_len")))

    @property
    def readings(self) -> Mask:
        """Which frames bring a number from a publisher, shape (frames,)."""
        return np.isfinite(self.numbers("mqtt_value")) & self.is_type(PUBLISH)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Its rows of level ``flows``."""
        return flows.build(self.packets, Cut())


@dataclass(frozen=True)
class Play:
    """A finished run, and the days of it that are compared.

    Attributes:
        run: its folder.
        plan: its plan.
        scenario: name of its scenario.
        dates: the local date of each day.
    """

    run: Path
    plan: Plan
    scenario: str
    dates: tuple[date, ...]

    @property
    def name(self) -> str:
        """The run's folder, as it was named."""
        return str(self.run)

    def days(self, wanted: frozenset[date], mqtt: MqttOptions) -> Iterator[Day]:
        """Yield the days with a wanted date; a shard is decoded at a time, and only one that has such a day.

        Raises:
            InputError: if a capture of the run cannot be read.
        """
        files = sorted((self.run / "capture").glob("*.pcap"))
        if not files:
            raise InputError(self.run / "capture", "holds no capture: name the folder of a finished run")
        for name, of_shard in groupby(files, lambda path: path.stem.rpartition("-")[0]):
            days = [day for day in Shard.parse(name, len(self.dates)).days if self.dates[day] in wanted]
            if not days:
                continue
            table = level_of(list(of_shard), mqtt)
            since = table["time_ns"].to_numpy(np.int64) - self.plan.start_ns - DAY_STARTS
            number = np.clip(since // DAY, 0, len(self.dates) - 1)
            yield from (
                Day(self.name, table[number == day].reset_index(drop=True))
                for day in days
                if (number == day).any()
            )


def play_of(run: Path) -> Play:
    """Return a finished run.

    Raises:
        InputError: if the folder holds none.
    """
    manifest = Manifest.load(run)
    plan = Plan.load(run / "plan.json")
    first = plan.scenario.first_day
    dates = tuple(first + timedelta(days=number) for number in range(plan.scenario.days))
    return Play(run, plan, manifest.scenario, dates)


def published(
    pcaps: Sequence[Path], utc_offset_s: int, mqtt: MqttOptions, progress: Callable[[str], None]
) -> Iterator[tuple[date, Day]]:
    """Yield published captures, each as a day with the local date of its middle frame.

    Args:
        pcaps: the captures, a day each.
        utc_offset_s: offset of local time from UTC, in s.
        mqtt: ports and version of MQTT.
        progress: called with a sentence for each flaw of a capture.

    Raises:
        InputError: if a capture cannot be read, or holds no MQTT.
    """
    for path in pcaps:
        table = level_of([path], mqtt, progress)
        if not table["mqtt_msgtype"].notna().any():
            raise InputError(path, "holds no MQTT: name a capture of MQTT, or its port with --port")
        middle_s = int(table["time_ns"].median()) // SECOND + utc_offset_s
        yield datetime.fromtimestamp(middle_s, UTC).date(), Day(path.name, table)


def level_of(
    files: Sequence[Path],
    mqtt: MqttOptions,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Return level ``packets`` of the captures of one shard, in order of time, without labels."""
    trace = packets.trace(files, mqtt=mqtt)
    for sentence in trace.remarks:
        progress(f"{files[0].name}: {sentence}")
    nothing: dict[str, Any] = _UNLABELLED
    return conform(with_absent(trace.packets.assign(**nothing), "packets"), "packets")
