"""The analysis of a campaign, from played weeks to results, detectors and report, in a folder that the caller renames."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from coldaisle_analysis.campaign import page
from coldaisle_analysis.campaign.detectors import save_detectors
from coldaisle_analysis.campaign.findings import (
    best_of,
    fits_of_transfer,
    kind_rows,
    learning_point,
    model_rows,
    transfer_rows,
)
from coldaisle_analysis.campaign.fits import Mapper
from coldaisle_analysis.campaign.learners import CURVE, PROBE
from coldaisle_analysis.campaign.level import (
    LevelAnalysis,
    Subset,
    fits_of_curve,
    fits_of_models,
    left_out,
    sizes_of,
)
from coldaisle_analysis.campaign.other_captures import Against, rows_against
from coldaisle_analysis.campaign.results import CampaignMetrics, KindRow, LearningPoint, ModelRow, TransferRow
from coldaisle_analysis.campaign.selection import Selection, select
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.metrics import without_nan
from coldaisle_analysis.weeks import CampaignData
from coldaisle_analysis.workers import parallel_map
from coldaisle_contracts.campaign import Size

SEED = 1
"""Seed of models, of draws of rows and of the bootstrap."""
SECONDS_PER_HOUR = 3600
Progress = Callable[[str], None]


@dataclass
class _Rows:
    """Rows of the results, of both levels."""

    models: list[ModelRow] = field(default_factory=list)
    curve: list[LearningPoint] = field(default_factory=list)
    kinds: list[KindRow] = field(default_factory=list)
    transfer: list[TransferRow] = field(default_factory=list)


def analyse(
    campaign: Path,
    out: Path,
    progress: Progress,
    *,
    sizes: Sequence[Size] = get_args(Size),
    against: Against | None = None,
    mapper: Mapper = parallel_map,
) -> CampaignMetrics:
    """Write results, detectors and report of a campaign into a folder, and return the results.

    Args:
        campaign: the campaign's folder.
        out: an empty folder for the parts of the analysis.
        progress: called with one line per step.
        sizes: the sizes of weeks that count.
        against: labelled captures of somebody else to test on, and to learn from.
        mapper: does the jobs; their folder is ``out``, so whoever does them must see it.

    Raises:
        InputError: if it is no campaign, a role has no week that was played, weeks are of different versions, or captures cannot be used.
        OSError: if the folder cannot be written.
    """
    begin, data = time.monotonic(), CampaignData(campaign)
    selection = select(data, sizes)
    theirs = against.levels() if against else {}
    progress(_sentence(selection))
    rows, folder = _Rows(), out / ".rows"
    folder.mkdir(parents=True)
    try:
        for level in LEARNED:
            progress(f"{level}: preparing {len(selection.weeks)} weeks")
            analysis = LevelAnalysis(data, selection, level, folder, mapper, SEED)
            if not analysis.kinds():
                progress(f"{level}: the test weeks hold no attack, so nothing is learned")
                continue
            whole = _learn(analysis, rows, out / "models", progress)
            if level in theirs:
                rows.transfer += rows_against(analysis, whole, theirs[level])
                progress(f"{level}: tested on captures, and the other way")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    metrics = _metrics(data, selection, rows, time.monotonic() - begin)
    _write(metrics, out / "models" / "metrics.json")
    progress("drawing the report")
    page.write(metrics, selection, out / "report" / "index.html")
    return metrics


def _sentence(selection: Selection) -> str:
    counts = [f"{len(weeks)} to {role}" for role, weeks in selection.by_role.items()]
    missing = f"; {len(selection.missing)} were not played" if selection.missing else ""
    return f"{len(selection.weeks)} weeks of {', '.join(selection.scenarios)}: {', '.join(counts)}{missing}"


def _learn(analysis: LevelAnalysis, rows: _Rows, models: Path, progress: Progress) -> Subset:
    """Do the fits of a level, add what they tell, save detectors, and return all training weeks."""
    train, level = analysis.selection.of("train"), analysis.level
    subsets = {size: analysis.subset(train[:size]) for size in sizes_of(len(train))}
    whole = subsets[len(train)]
    fitted = analysis.done(fits_of_models(analysis, whole))
    measured = list(model_rows(analysis, fitted))
    rows.models += [row for row, _ in measured]
    best = best_of([row for row, _ in measured])
    progress(
        f"{level}: {len(measured)} models learned from {len(train)} weeks, best {best['model']} with F1 {best['f1']:.3f}"
    )
    save_detectors(analysis, list(zip(fitted, measured, strict=True)), whole, models)
    points = [*analysis.done([fit for _, fit in fits_of_curve(analysis, subsets)]), *fitted]
    rows.curve += [learning_point(analysis, point) for point in points if point.fit.model in CURVE]
    progress(f"{level}: learning curve over {', '.join(map(str, subsets))} weeks")
    out = left_out(analysis, whole)
    left = dict(zip(out, analysis.done(list(out.values())), strict=True))
    alarms = next(scores.alarms for row, scores in measured if row is best)
    rows.kinds += kind_rows(analysis, whole, best["model"], alarms, left)
    progress(f"{level}: {len(left) - 1} kinds left out of training, one after another")
    transfers = fits_of_transfer(analysis, whole)
    moved = dict(zip(transfers, analysis.done(list(transfers.values())), strict=True))
    carried = next(result for result in fitted if result.fit.model == PROBE)
    rows.transfer += transfer_rows(analysis, moved, carried)
    return whole


def _metrics(data: CampaignData, selection: Selection, rows: _Rows, seconds: float) -> CampaignMetrics:
    manifests = selection.manifests.values()
    play_s = sum(sum(manifest.seconds.values()) for manifest in manifests)
    return {
        "campaign": data.folder.file.name,
        "train": [week.name for week in selection.of("train")],
        "validate": [week.name for week in selection.of("validate")],
        "test": [week.name for week in selection.of("test")],
        "missing": [week.name for week in selection.missing],
        "models": rows.models, "curve": rows.curve, "kinds": rows.kinds, "transfer": rows.transfer,
        "cost": {
            "play_h": play_s / SECONDS_PER_HOUR, "analysis_s": seconds,
            "packets": sum(manifest.counts["packets"] for manifest in manifests),
            "readings": sum(manifest.counts["readings"] for manifest in manifests),
        },
    }  # fmt: skip


def _write(metrics: CampaignMetrics, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(without_nan(metrics), indent=1, allow_nan=False) + "\n", encoding="utf-8")
