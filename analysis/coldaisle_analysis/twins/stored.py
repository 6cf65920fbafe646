"""The results of comparisons with twins, as they lie in a run's folder."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis import tables
from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.columns import Level
from coldaisle_analysis.twins.at_level import EpisodeTrace
from coldaisle_analysis.twins.comparison import Outcome
from coldaisle_contracts.manifest import digest_of
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.twins import TwinManifest, twins_of

EPISODES = "episodes.json"
"""File of a comparison: what each episode changed at each level."""


def visibility_of(run: Path, level: Level) -> Mask | None:
    """Tell which rows of a level left a trace: those that a twin of the run shows to differ by more than clean plays do.

    Args:
        run: the folder of a finished run.
        level: ``packets``, ``messages``, ``readings``, ``flows`` or ``windows``.

    Returns:
        One entry per row of the level's table, in its order; true only for rows of attacks. ``None`` where an attack of the
        run was not compared with a twin yet.

    Raises:
        InputError: if the folder holds no finished run, or a file in it cannot be read.
    """
    found = comparisons_of(run)
    compared = {episode for _, manifest in found for episode in manifest.episodes}
    if not found or not attacks_of(Plan.load(run / "plan.json")) <= compared:
        return None
    visible = np.zeros(tables.rows_of(run / "dataset" / f"{level}.parquet"), np.bool_)
    for folder, _ in found:
        rows = rows_in(folder, level)
        visible[rows["row"].to_numpy()[rows["visible"].to_numpy(np.bool_)]] = True
    return visible


def attacks_of(plan: Plan) -> set[str]:
    """Return the ids of a plan's episodes that are attacks."""
    return {episode.id for episode in plan.episodes if not episode.row.benign}


def comparisons_of(run: Path) -> list[tuple[Path, TwinManifest]]:
    """Return folder and manifest of each comparison of a run with twins, oldest first, without those of other data.

    Raises:
        InputError: if a manifest cannot be read.
    """
    found = [(folder, TwinManifest.load(folder)) for folder in twins_of(run)]
    if not found:
        return []
    digest = digest_of(run)
    return [(folder, manifest) for folder, manifest in found if manifest.run_manifest == digest]


def write(outcome: Outcome, folder: Path) -> None:
    """Write the result of a comparison: ``episodes.json``, and one table of the compared rows per level.

    Raises:
        InputError: if the folder cannot be written to.
    """
    for level, rows in outcome.rows.items():
        tables.write(rows, folder / level, forms=["parquet"])
    facts = {"pairs": outcome.pairs, "episodes": outcome.episodes}
    (folder / EPISODES).write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def traces_of(run: Path) -> list[EpisodeTrace]:
    """Return what each episode of a run changed at each level, as far as it was compared with a twin, in order of the episodes.

    Raises:
        InputError: if a file cannot be read.
    """
    texts = [read_text(folder / EPISODES, TwinManifest.remedy) for folder, _ in comparisons_of(run)]
    return sorted(
        (trace for text in texts for trace in json.loads(text)["episodes"]),
        key=lambda trace: trace["episode"],
    )


def by_kind(traces: Sequence[EpisodeTrace]) -> dict[str, dict[str, dict[str, int]]]:
    """Return ``rows`` and ``visible`` of all episodes of a kind, by kind and level; levels without rows are left out."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for trace in traces:
        if trace["rows"]:
            at = found.setdefault(trace["kind"], {}).setdefault(trace["level"], {"rows": 0, "visible": 0})
            at["rows"] += trace["rows"]
            at["visible"] += trace["visible"]
    return found


def rows_in(folder: Path, level: Level) -> pd.DataFrame:
    """Return the compared rows of a level: ``row`` (place in the level's table, from 0), ``episode``, ``visible`` and others."""
    return tables.read(folder / f"{level}.parquet")
