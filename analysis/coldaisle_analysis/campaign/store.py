"""Prepared weeks as files: what models need of a week's rows, so that a job reads a few arrays and never a table.

The files are written beside the results, in a folder that is removed with the analysis' stage, and are named by level and week.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Labels, Mask
from coldaisle_analysis.columns import Level as LevelName
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.features.path import COLUMNS as PATH
from coldaisle_analysis.features.path import SOURCES, path_columns
from coldaisle_analysis.forecast.columns import SensorValues, columns_of
from coldaisle_analysis.forecast.kalman import COLUMNS as FORECASTS
from coldaisle_analysis.forecast.kalman import Site
from coldaisle_analysis.weeks import CampaignData
from coldaisle_contracts.campaign import Week

Singles = npt.NDArray[np.float32]
"""Input columns of models: half the memory of :data:`~coldaisle_analysis.arrays.Floats`."""
_NULLABLE = {
    getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in ("Int8", "Int16", "Int32", "Int64")
}


def names_of(level: LevelName) -> tuple[str, ...]:
    """Return the names of a level's input columns: those of the level, forecasts, and for readings those of the path."""
    return (*columns.learned(level), *FORECASTS, *(PATH if level == "readings" else ()))


def read(data: CampaignData, week: Week, level: LevelName) -> pd.DataFrame:
    """Return the rows of a week, each column of its dtype.

    Raises:
        InputError: if they are not those that were sealed.
    """
    return columns.conform(data.table(week, level).to_pandas(types_mapper=_NULLABLE.get), level)


@dataclass(frozen=True)
class Store:
    """A folder of prepared weeks.

    Attributes:
        folder: the folder.
        level: the level of its rows.
    """

    folder: Path
    level: LevelName

    def _path(self, name: str, part: str) -> Path:
        return self.folder / f"{self.level}.{name}.{part}"

    def put(self, name: str, frame: pd.DataFrame) -> Level:
        """Write the rows of a week under a name, and return its level without what models need."""
        level = prepare(frame, self.level)
        path = (
            path_columns({name: frame[name] for name in SOURCES})
            if self.level == "readings"
            else np.zeros((len(frame), 0))
        )
        values = level.sensor_values
        np.save(self._path(name, "features.npy"), level.features.astype(np.float32))
        np.save(self._path(name, "path.npy"), path.astype(np.float32))
        sensors, codes = np.unique(
            np.char.add(values.key.astype(str), np.char.add("\t", values.unit.astype(str))),
            return_inverse=True,
        )
        np.savez(
            self._path(name, "values.npz"),
            row=values.row, code=codes, time_ns=values.time_ns, batch=values.batch, value=values.value,
        )  # fmt: skip
        truth = {"sensors": sensors.tolist(), "kinds": sorted(set(level.kinds))}
        kinds = pd.Categorical(level.kinds, truth["kinds"]).codes
        np.savez(self._path(name, "truth.npz"), labels=level.labels, kinds=kinds, episodes=level.episodes)
        self._path(name, "names.json").write_text(json.dumps(truth), encoding="utf-8")
        return outline(level)

    def labels(self, name: str) -> Labels:
        """Return the labels of a week."""
        with np.load(self._path(name, "truth.npz")) as truth:
            return np.asarray(truth["labels"])

    def of_kind(self, name: str, kind: str) -> Mask:
        """Return which attack rows of a week belong to a kind."""
        kinds = self._names(name)["kinds"]
        with np.load(self._path(name, "truth.npz")) as truth:
            code = kinds.index(kind) if kind in kinds else -1
            return np.asarray((truth["kinds"] == code) & (truth["labels"] == 1))

    def episodes(self, name: str, kind: str | None = None) -> int:
        """Return the number of a week's episodes with an attack row, of all kinds or of one."""
        rows = self.labels(name) == 1 if kind is None else self.of_kind(name, kind)
        with np.load(self._path(name, "truth.npz")) as truth:
            return len(np.unique(truth["episodes"][rows]))

    def values(self, name: str) -> SensorValues:
        """Return the values of the sensors of a week."""
        sensors = np.array([text.split("\t") for text in self._names(name)["sensors"]], dtype=object).reshape(
            -1, 2
        )
        with np.load(self._path(name, "values.npz")) as stored:
            pairs = sensors[stored["code"]]
            return SensorValues(
                stored["row"], pairs[:, 0], pairs[:, 1], stored["time_ns"], stored["batch"], stored["value"]
            )

    def put_forecasts(self, name: str, site: Site, site_name: str) -> None:
        """Write the forecasts of a week for a site."""
        rows = len(self.labels(name))
        forecasts = columns_of(site, self.values(name), rows).astype(np.float32)
        np.save(self._path(name, f"{site_name}.forecasts.npy"), forecasts)

    def inputs(self, name: str, site_name: str, rows: npt.NDArray[np.intp] | None = None) -> Singles:
        """Return the input columns of a week, or of some of its rows, in the order of :func:`names_of`."""
        parts = ("features.npy", f"{site_name}.forecasts.npy", "path.npy")
        arrays = [np.load(self._path(name, part), mmap_mode="r") for part in parts]
        return np.hstack([array if rows is None else array[rows] for array in arrays])

    def _names(self, name: str) -> dict[str, Any]:
        names: dict[str, Any] = json.loads(self._path(name, "names.json").read_text(encoding="utf-8"))
        return names


def outline(level: Level) -> Level:
    """Return a level without what models need: labels, groups and cases are left."""
    empty = np.zeros((len(level.labels), 0))
    nothing = level.sensor_values
    without = SensorValues(
        nothing.row[:0],
        nothing.key[:0],
        nothing.unit[:0],
        nothing.time_ns[:0],
        nothing.batch[:0],
        nothing.value[:0],
    )
    return replace(
        level,
        names=(),
        features=empty,
        sensor_values=without,
        identity=empty,
        together=np.zeros(0, np.str_),
        kinds=level.kinds.astype("category"),
    )


def prepared(folder: Path, campaign: Path, weeks: Sequence[Week], level: LevelName) -> list[int]:
    """Prepare some weeks, one at a time, and return the number of rows of each; a job for another process.

    Args:
        folder: folder of the store.
        campaign: folder of the campaign.
        weeks: the weeks.
        level: the level.
    """
    data, store = CampaignData(campaign), Store(folder, level)
    return [len(store.put(week.digest, read(data, week, level)).labels) for week in weeks]
