"""A detector trained on a dataset made by hand, for tests that score or watch captures."""

from functools import cache

from tests.analysis import made_dataset

from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.detection.training import train
from coldaisle_analysis.evaluation.levels import prepare


@cache
def make(model: str = "random_forest") -> Detector:
    """Return a detector that alarms at values 3 °C away from the usual ones."""
    level = prepare(made_dataset.make(3, 3).packets, "packets")
    return train(level, [model], 1, {model: {"data": "made by hand"}})[model]
