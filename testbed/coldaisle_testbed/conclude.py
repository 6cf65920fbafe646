"""Conclusion of a run: ledger, dataset and manifest of a played stage, its final name, and its first analysis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_analysis import dataset, metadata
from coldaisle_analysis.audit import examine, scorecard
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts import players
from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of, sha256_of
from coldaisle_testbed import analyses, provenance
from coldaisle_testbed.deduced import deduced
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import LATEST, ORDER, Order, appear, final_of, point, refuse_full, strip


@dataclass(frozen=True)
class Finished:
    """A finished run with its tables in memory, so that nothing is read twice.

    Attributes:
        run: its folder.
        manifest: its manifest.
        account: its settled ledger.
        built: its dataset.
    """

    run: Path
    manifest: Manifest
    account: Account
    built: Dataset


def conclude(stage: Path, order: Order, progress: Progress) -> Path:
    """Check a played stage, build its dataset, seal it under its name, and analyse it; what was derived before is derived again.

    The run is finished before the analysis begins, and stays as it was sealed if the analysis fails.

    Args:
        stage: plan, journals and captures.
        order: the products to make, and the engine that played it.
        progress: called with one line per step.

    Raises:
        TrustError: if the ledger does not add up; the stage stays where it is for inspection.
    """
    strip(stage)
    final = final_of(stage)
    done = seal(stage, final, order, progress)
    if order.latest:
        point(final.parent / LATEST, final.name)
    counts, here = done.manifest.counts, Path.cwd()
    run = final.relative_to(here) if final.is_relative_to(here) else final
    progress(
        f"{counts['packets']:,} packets, {counts['readings']:,} readings, 0 dropped, every act found: {run}"
    )
    try:
        with analyses.making(done.run) as folder:
            _analyse(done, folder, progress, models=order.analyse)
            analyses.place(folder, done.run)
    except BaseException as error:
        error.add_note(f"the run itself is finished: {run}; analyse it with `coldaisle analyse {run}`")
        raise
    if order.analyse:
        progress(f"report: {run / 'report' / 'index.html'}")
    progress(
        f"sha256 of its manifest, which `coldaisle verify RUN --manifest-digest` asks for: {digest_of(done.run)}"
    )
    return done.run


def seal(stage: Path, final: Path, order: Order, progress: Progress) -> Finished:
    """Check a played stage, build its dataset, write its manifest and move it to ``final``.

    Raises:
        TrustError: if the ledger does not add up; the stage stays where it is for inspection.
    """
    seconds = dict(order.seconds)
    with progress.step("labelling every frame and settling the ledger", seconds, "ledger"):
        account = settle(stage)
        if broken := ledger.check(stage, account):
            raise TrustError([*broken, f"captures and journals are in {stage}"])
    with progress.step("building the dataset", seconds, "dataset"):
        built = dataset.build(stage, account)
        dataset.write(built, stage / "dataset", csv=order.csv)
    added = players.added(account.evidence.plan)
    origin = {
        "versions": provenance.note(stage, order.engine, added.values()),
        "commit": provenance.commit(),
        "packages": {kind: package.requirement for kind, package in added.items()},
    }
    files = sorted(path for path in stage.rglob("*") if path.is_file() and path != stage / ORDER)
    facts = {"id": final.name, "engine": order.engine, "created": datetime.now(UTC), "seconds": seconds}
    hashes = {str(path.relative_to(stage)): sha256_of(path) for path in files}
    manifest = Manifest.model_validate({**facts, **origin, **deduced(account), "files": hashes})
    manifest.save(stage)
    metadata.write_metadata(stage, manifest)
    appear(stage, final)
    return Finished(final, manifest, replace(account, evidence=replace(account.evidence, run=final)), built)


def again(
    run: Path, progress: Progress, *, tuned: bool = False, weeks: Sequence[Path] = (), out: Path | None = None
) -> Path:
    """Analyse a finished run again; the run and its older analyses do not change.

    Args:
        run: the run's folder.
        progress: called with one line per step.
        tuned: whether the models are tuned first.
        weeks: other runs on which the models are tested.
        out: folder of the results, for users who may not write into the run; by default a new analysis of the run.

    Returns:
        The folder of the results.

    Raises:
        InputError: if it is no finished run, another run cannot be used, or the results cannot be written.
        TrustError: if the run is not as it was sealed.
    """
    run = run.resolve()
    manifest = Manifest.load(run)
    manifest.refuse_missing(run / MANIFEST)
    refuse_sealed(out)
    if out is not None:
        refuse_full(out)
    if weeks:
        from coldaisle_analysis.evaluation import other_runs as other_weeks  # noqa: PLC0415 - takes long to import

        other_weeks.seeds(weeks, manifest.seed)
    from coldaisle_testbed.verification.folder import unsealed  # noqa: PLC0415 - it imports what this module does

    with analyses.making(run, out) as stage:
        if broken := unsealed(run, manifest):
            raise TrustError(broken)
        progress("reading captures and journals")
        account = settle(run)
        if broken := ledger.check(run, account):
            raise TrustError(broken)
        done = Finished(run, manifest, account, dataset.build(run, account))
        _analyse(done, stage, progress, models=True, tuned=tuned, weeks=weeks)
        results = analyses.place(stage, run, out)
    progress(f"report: {results / 'report' / 'index.html'}")
    return results


def _analyse(
    done: Finished,
    folder: Path,
    progress: Progress,
    *,
    models: bool,
    tuned: bool = False,
    weeks: Sequence[Path] = (),
) -> None:
    """Write an analysis of a finished run, with or without models and report, and its manifest into a folder."""
    seconds: dict[str, float] = {}
    packages: dict[str, str] = {}
    if models:
        with progress.step("analysing", seconds, "analysis"):
            from coldaisle_analysis import pipeline  # noqa: PLC0415 - its imports take 3 s
            from coldaisle_analysis.models import MODELS  # noqa: PLC0415

            packages = {origin.package: origin.version for origin in MODELS.origins().values()}

            pipeline.analyse_run(
                done.run, done.account, done.built, folder, progress, tuned=tuned, weeks=weeks
            )
    else:
        with progress.step("auditing the dataset", seconds, "audit"):
            results = examine.of_run(done.run, done.built, done.account, done.manifest)
            scorecard.write(done.manifest.id, results, folder / scorecard.SCORECARD)
            metadata.write_datasheet(done.run, done.manifest, [result.row() for result in results], folder)
    digests = {Manifest.load(week).id: digest_of(week) for week in weeks}
    analyses.seal(folder, done.run, seconds, tuned=tuned, weeks=digests, packages=packages)
