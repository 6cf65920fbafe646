"""Alerts of another detector judged on a finished run: a new analysis, which is the newest one with the judgement added.

A run never changes once it is sealed, and neither does an analysis. So the judgement goes into the next analysis, with copies of
everything that the newest one holds; the older one stays.
"""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis import judge
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.evaluation.metrics import without_nan
from coldaisle_analysis.judge import Judgement, Terms
from coldaisle_analysis.staging import refuse_used, staged
from coldaisle_contracts.analyses import ANALYSES, LATEST, AnalysisManifest, analyses_of, refuse_sealed
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_testbed import analyses
from coldaisle_testbed.verification.folder import unsealed

STEP = "judging"
"""Name of the step in the times of an analysis."""


def on_run(run: Path, paths: Sequence[Path], terms: Terms, out: Path | None) -> tuple[Judgement, Path]:
    """Judge the alerts in files on a run; return the result and the folder of the new analysis.

    Args:
        run: the run's folder.
        paths: files of alerts of one detector.
        terms: on what terms they are judged.
        out: folder of the results, for users who may not write into the run.

    Raises:
        InputError: if a file or the run cannot be read, or the results not be written.
        TrustError: if the run is not as it was sealed.
    """
    run = run.resolve()
    manifest = Manifest.load(run)
    refuse_sealed(out)
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("--out", "holds something already: name a new folder, or remove it first", str(out))
    begun = time.monotonic()
    with analyses.making(run, out) as stage:
        if broken := unsealed(run, manifest):
            raise TrustError(broken)
        judgement = judge.of_run(run, paths, terms)
        earlier = _newest(run)
        seconds, tuned, weeks = {}, False, {}
        if earlier is not None:
            about = AnalysisManifest.load(earlier)
            seconds, tuned, weeks = about.seconds, about.tuned, about.weeks
            shutil.copytree(earlier, stage, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
        judge.add(judgement, stage)
        analyses.seal(
            stage, run, seconds | {STEP: round(time.monotonic() - begun, 1)}, tuned=tuned, weeks=weeks
        )
        return judgement, analyses.place(stage, run, out)


def on_captures(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    paths: Sequence[Path],
    terms: Terms,
    out: Path | None,
    mqtt: MqttOptions,
) -> tuple[Judgement, Path | None]:
    """Judge the alerts in files on labelled captures; return the result and the folder of the results, see :func:`on_run`.

    Raises:
        InputError: if a file cannot be read, or the results not be written.
    """
    if out is not None:
        refuse_used(out)
    judgement = judge.of_captures(pcaps, labels, paths, terms, mqtt)
    if out is not None:
        with staged(out.parent / f".{out.name}") as staging:
            judge.write_alone(judgement, f"{len(pcaps)} captures from {pcaps[0].name}", staging)
            staging.replace(out)
    return judgement, out


def lines(judgement: Judgement, folder: Path | None) -> list[str]:
    """Return a result in sentences; ``folder`` holds the results, if they were kept."""
    place = [] if folder is None else [f"results: {folder / judge.FOLDER}"]
    return [*judge.lines(judgement, judge.models_of(folder)), *place]


def facts(judgement: Judgement, folder: Path | None) -> dict[str, Any]:
    """Return a result for scripts: the row, and the folder of the results."""
    row = {key: without_nan(value) for key, value in judgement.row.items()}
    return row | {"out": None if folder is None else str(folder)}


def _newest(run: Path) -> Path | None:
    """Return the newest analysis of a run."""
    latest = run / ANALYSES / LATEST
    return latest.resolve() if latest.is_dir() else next(reversed(analyses_of(run)), None)
