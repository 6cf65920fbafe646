"""The analysis of a dataset: statistics, models, scorecard and report, written to a folder that the caller renames when it is complete."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from threadpoolctl import threadpool_limits

from coldaisle_analysis import dataset, metadata
from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.audit import Result, examine, scorecard
from coldaisle_analysis.columns import LEARNED, Level
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.evaluation import evaluate, metrics, other_runs
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.report import told
from coldaisle_analysis.report.subject import Subject
from coldaisle_analysis.staging import refuse_used, staged
from coldaisle_analysis.truth.readings import Account
from coldaisle_analysis.twins import visibility_of
from coldaisle_contracts.manifest import Manifest, digest_of

CAPTURES_SEED = 1
"""Seed of folds, models and bootstrap for captures without a scenario."""

Progress = Callable[[str], None]
Audit = Callable[[Sequence[Mapping[str, Any]]], list[Result]]
"""Audits a dataset, given the rows of its metrics."""


def analyse_run(
    run: Path,
    account: Account,
    built: Dataset,
    out: Path,
    progress: Progress,
    *,
    tuned: bool = False,
    weeks: Sequence[Path] = (),
) -> None:
    """Write statistics, models, scorecard, report and datasheet of a finished run into a folder.

    Args:
        run: the run's folder, which is only read.
        account: its settled ledger.
        built: its dataset.
        out: an empty folder for the parts of the analysis.
        progress: called with one line per step.
        tuned: whether to tune the models on each fold's training side, which takes minutes.
        weeks: other runs, each with another seed, to test models that were trained on the whole of this run.

    Raises:
        InputError: if the run cannot be read.
        OSError: if the folder cannot be written.
    """
    manifest = Manifest.load(run)
    levels_by_seed = other_runs.load(weeks, manifest.seed)
    subject, seed = _subject_of(account, manifest, digest_of(run)), account.evidence.plan.scenario.seed

    def audit(metrics: Sequence[Mapping[str, Any]]) -> list[Result]:
        return examine.of_run(run, built, account, manifest, metrics)

    visible = {level: visibility_of(run, level) for level in LEARNED}
    results = _analyse(
        built, subject, seed, audit, out, progress, tuned=tuned, weeks=levels_by_seed, visible=visible
    )
    metadata.write_datasheet(run, manifest, [result.row() for result in results], out)


def analyse_captures(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    out: Path,
    progress: Progress,
    utc_offset_s: int = 0,
    *,
    tuned: bool = False,
    series: Sequence[str] = (),
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> None:
    """Build dataset, statistics, models, scorecard and report of foreign captures, in a new folder.

    Args:
        pcaps: Ethernet captures with MQTT over IPv4, one per day, in order of time.
        labels: their labels, see :mod:`coldaisle_analysis.dataset.labels`.
        out: the folder to make; it must not exist or be empty.
        progress: called with one line per step.
        utc_offset_s: offset of the captures' local time from UTC in s, for weekday and hour.
        tuned: see :func:`analyse_run`.
        series: patterns of the names of series to read; without any, all are.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a capture or label table cannot be used, or the folder not be made.
    """
    refuse_used(out)
    progress(f"decoding {len(pcaps)} captures")
    built = dataset.from_captures(pcaps, labels, utc_offset_s, series, mqtt)
    kinds = ", ".join(
        f"{kind} {frames:,}" for kind, frames in built.packets["kind"].value_counts().items() if frames
    )
    for sentence in (f"recognised {built.recognised}", f"frames by label: {kinds}", *built.remarks):
        progress(sentence)
    subject = _subject_of_captures(pcaps, utc_offset_s)

    def audit(metrics: Sequence[Mapping[str, Any]]) -> list[Result]:
        return examine.of_dataset(subject.name, built, metrics=metrics)

    with staged(out.parent / f".{out.name}") as staging:
        progress(f"writing the dataset: {len(built.packets):,} packets, {len(built.readings):,} readings")
        dataset.write(built, staging / "dataset")
        _analyse(built, subject, CAPTURES_SEED, audit, staging, progress, tuned=tuned, series=series)
        staging.replace(out)


@contextmanager
def _sparing() -> Iterator[None]:
    """Save processor time while other processes are at work.

    Threads would wait for each other, and a search for garbage in all that exists already would take a tenth of the time.
    """
    gc.freeze()
    try:
        with threadpool_limits(1):
            yield
    finally:
        gc.unfreeze()


@_sparing()
def _analyse(
    built: Dataset,
    subject: Subject,
    seed: int,
    audit: Audit,
    folder: Path,
    progress: Progress,
    *,
    tuned: bool,
    weeks: other_runs.LevelsBySeed = MappingProxyType({}),
    series: Sequence[str] = (),
    visible: Mapping[Level, Mask | None] = MappingProxyType({}),
) -> list[Result]:
    """Write the parts of an analysis into a folder, and return the results of its audit."""
    levels = [
        prepare(rows, level, visible.get(level)) for level, rows in built.learned().items() if len(rows)
    ]
    finish = evaluate.begin(levels, seed, tuned=tuned)  # from here on other processes are at work
    gc.disable()  # what modules make stays
    from coldaisle_analysis.detection import training  # noqa: PLC0415 - these imports take two seconds
    from coldaisle_analysis.report import page, statistics  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    progress("describing the traffic")
    described = statistics.describe(built.packets, built.readings)
    described.write(folder / "report" / "tables")
    drawn = page.draw(built, described)
    progress("training and scoring models")
    scored, held_out = finish(progress)
    scored += other_runs.evaluate(levels, weeks, seed, progress)
    metrics.write(scored, folder / "models" / "metrics.json")
    known = held_out.get(levels[0].name, {})
    detectors = training.start(levels[0], scored, seed, known)  # they are fitted in other processes meanwhile
    of_scores = page.begin(scored)
    progress("auditing the dataset")
    results = audit([result.row for result in scored])
    scorecard.write(subject.name, results, folder / scorecard.SCORECARD)
    progress("drawing the report")
    page.write(
        subject, built, described, scored, results, folder / "report" / "index.html", drawn | of_scores()
    )
    progress("saving detectors")
    about = {
        "data": {"name": subject.name, **subject.facts},
        "scorecard": scorecard.as_dict(subject.name, results)["counts"],
    }
    training.write(detectors, levels[0].name, about, folder / "models", series, progress)
    return results


def _subject_of(account: Account, manifest: Manifest, digest: str) -> Subject:
    """Return the report's description of a run, from its plan, its manifest and the manifest's sha256."""
    plan = account.evidence.plan
    facts = {
        "kernel drops": str(manifest.counts["kernel_drops"]),
        "seed": str(manifest.seed),
        "engine": manifest.engine,
        "semantic digest": manifest.semantic_digest[:12],
    }
    return Subject(
        name=manifest.id,
        title=f"{plan.scenario.name.capitalize()}, from {plan.scenario.start:%-d %B %Y}",
        origin=f"Run {manifest.id}. {told.played(plan)} Every packet was captured beside the broker, and every label comes from "
        "the journals of the attacker and of the units.",
        facts=facts,
        notes=(
            "Temperatures are those of a mathematical model; the network traffic is real, between real programs.",
            f"The run's manifest.json has the sha256 {digest}; `coldaisle verify RUN --manifest-digest` checks the run against it.",
        ),
    )


def _subject_of_captures(pcaps: Sequence[Path], utc_offset_s: int) -> Subject:
    """Return the report's description of labelled captures, published or not."""
    declared = (
        f"local time is UTC{utc_offset_s / 3600:+g} h" if utc_offset_s else "local time is taken to be UTC"
    )
    several = f"{len(pcaps)} captures, {pcaps[0].name} to {pcaps[-1].name}"
    return Subject(
        name=f"{len(pcaps)} captures from {pcaps[0].name}",
        title="Labelled captures",
        origin=f"{several if len(pcaps) > 1 else pcaps[0].name}, with the labels that were given; {declared}.",
        facts={"captures": str(len(pcaps))},
        notes=(
            "The labels are used as they were given: an attack that they do not name counts as normal here.",
            "There is no journal to check them against, and the captures do not tell whether packets were dropped.",
        ),
    )
