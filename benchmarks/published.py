"""Scores models on the published captures with whole days held out: over all readings, and per day with attacks.

    benchmarks/published.py FOLDER [MODEL...]

In the published DAD captures one day with attacks has modifications, 31 % of which leave the value unchanged, and another has bursts.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import dataset
from coldaisle_analysis.evaluation.counts import count
from coldaisle_analysis.evaluation.folds import evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.evaluation.splits import grouped
from coldaisle_analysis.models import MODELS

SEED = 1


def alarms_of(level: Level, names: list[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Return for each model the rows with an alarm, each from the fold that tests the row."""
    alarms = {name: np.zeros(len(level.labels), np.bool_) for name in names}
    for fold in grouped(level.groups, level.labels, level.known_ns):
        for name, trial in evaluate_fold(names, level, fold, model_inputs(level, fold.train), SEED).items():
            alarms[name][fold.test] = trial.tested.score >= trial.threshold
    return alarms


def days_of(readings: pd.DataFrame) -> dict[str, npt.NDArray[np.intp]]:
    """Return the attacked readings of each day with attacks."""
    attacked = readings[readings["label"] == 1]
    return {
        f"{day:%A}": rows.to_numpy()
        for day, rows in attacked.groupby(attacked["time"].dt.date).groups.items()
    }


def main() -> None:
    """Print one row per model."""
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(MODELS)
    pcaps, labels = sorted(folder.glob("*.pcap")), sorted(folder.glob("*labels.csv"))
    readings = dataset.from_captures(pcaps, labels).readings.reset_index(drop=True)
    level, days = prepare(readings, "readings"), days_of(readings)
    print(
        f"{'model':24}{'precision':>10}{'recall':>8}{'F1':>8}"
        + "".join(f"{f'caught {day}':>20}" for day in days)
    )
    for name, alarms in alarms_of(level, names).items():
        metrics = count(level.labels, alarms)
        caught = "".join(f"{f'{alarms[rows].sum()} of {len(rows)}':>20}" for rows in days.values())
        print(f"{name:24}{metrics.precision:10.3f}{metrics.recall:8.3f}{metrics.f1:8.3f}{caught}")


if __name__ == "__main__":
    main()
