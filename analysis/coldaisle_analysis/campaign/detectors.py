"""Detectors of a campaign: models that learned from all training weeks, with policies that were chosen on validation weeks."""

from collections.abc import Sequence
from pathlib import Path

from sklearn.pipeline import Pipeline

from coldaisle_analysis.campaign.fits import Fitted
from coldaisle_analysis.campaign.level import LevelAnalysis, Subset
from coldaisle_analysis.campaign.measures import Measured
from coldaisle_analysis.campaign.results import ModelRow
from coldaisle_analysis.campaign.sites import read_site
from coldaisle_analysis.detection.detector import PLAIN, SUFFIX, Detector
from coldaisle_analysis.detection.training import EARLY
from coldaisle_analysis.earliness.policies import Policy, Threshold
from coldaisle_analysis.evaluation.alarms import BEST, BUDGETS
from coldaisle_analysis.models import files

_REPEATED = ("split", "precision", "recall", "f1", "average_precision")
"""Entries of its model's row that a detector's file repeats."""


def save_detectors(
    analysis: LevelAnalysis,
    results: Sequence[tuple[Fitted, tuple[ModelRow, Measured]]],
    whole: Subset,
    folder: Path,
) -> list[Path]:
    """Write a detector for each model that was kept, and return the files.

    Where a campaign has several sites, a detector has that of the first scenario.

    Args:
        analysis: the level.
        results: the fits with their rows and scores.
        whole: all training weeks.
        folder: folder of the files.
    """
    paths = []
    for fitted, (row, measured) in results:
        fit = fitted.fit
        if not (fit.keep and fit.model_file.is_file()):
            continue
        pipeline = files.loads(fit.model_file.read_bytes(), fit.model)
        if not isinstance(pipeline, Pipeline):
            raise TypeError(fit.model)
        site = read_site(analysis.folder, analysis.level, whole.weeks[0].site)
        about = {
            "data": {"name": "campaign", "weeks": [week.name for week in analysis.selection.of("train")]},
            "held_out": {name: row.get(name) for name in _REPEATED},
            "training": {"rows": fitted.train_rows, "seed": analysis.seed},
        }
        paths.append(folder / f"{analysis.level}.{fit.model}{SUFFIX}")
        Detector(fit.model, pipeline, site, _policies(measured), about).save(paths[-1])
    return paths


def _policies(measured: Measured) -> dict[str, Policy]:
    """Return the policies of a detector."""
    plain: dict[str, Policy] = {PLAIN: Threshold(measured.limit)}
    chosen = measured.first_policies()
    if chosen:
        plain |= {rule: chosen[rule].policy for rule in BUDGETS} | {EARLY: chosen[BEST].policy}
    return plain
