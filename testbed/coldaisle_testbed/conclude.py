"""From a played stage to a finished run: ledger, analysis, manifest, and its name by rename."""

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_analysis import dataset, description, evidence, ledger
from coldaisle_analysis.audit import examine, scorecard
from coldaisle_contracts.errors import TrustError
from coldaisle_contracts.manifest import Manifest, sha256_of
from coldaisle_testbed import provenance
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import ORDER, appear


def conclude(
    stage: Path,
    final: Path,
    engine: str,
    shards: int,
    seconds: dict[str, float],
    progress: Progress,
    *,
    analyse: bool,
    name: str = "",
    tuned: bool = False,
    weeks: Sequence[Path] = (),
) -> Path:
    """Check a played stage, build its dataset, analyse it, write the manifest and let it appear as ``final``.

    Args:
        stage: plan, journals and captures.
        final: the folder it becomes.
        engine: what played it.
        shards: in how many pieces.
        seconds: wall time of the stages so far, s; completed here.
        progress: told one line a step.
        analyse: whether to train models and write the report.
        name: the run's id; the name of ``final`` when left out.
        tuned: whether to tune them first.
        weeks: other runs to try them on.

    Raises:
        TrustError: if the ledger does not add up; the stage stays where it is for a look.
    """
    with progress.step("settling the ledger", seconds, "ledger"):
        account = ledger.settle(evidence.load(stage))
        if broken := ledger.check(stage, account):
            raise TrustError([*broken, f"what was played lies in {stage}"])
        manifest = _drafted(stage, name or final.name, engine, shards, seconds, account)
    if analyse:
        with progress.step("analysing", seconds, "analysis"):
            from coldaisle_analysis import pipeline  # noqa: PLC0415 - statistics, models and plots take 3 s to import

            pipeline.analyse_run(stage, progress, account, manifest, tuned=tuned, weeks=weeks)
    else:
        with progress.step("building the dataset", seconds, "dataset"):
            built = dataset.build(stage, account)
            dataset.write(built, stage / "dataset")
        with progress.step("auditing the dataset", seconds, "audit"):
            found = examine.of_run(stage, built, account, manifest)
            scorecard.write(manifest.id, found, stage / scorecard.SCORECARD)
    done = manifest.model_copy(update={"seconds": seconds, "files": _hashes(stage, manifest.files)})
    described = description.write(stage, done)
    done.files.update({path.name: sha256_of(path) for path in described})
    done.save(stage)
    appear(stage, final)
    _tell(progress, manifest, final.with_name(manifest.id), analysed=analyse)
    return final


def _tell(progress: Progress, manifest: Manifest, run: Path, *, analysed: bool) -> None:
    """Say what a run holds and where it and its report are."""
    packets, readings = manifest.counts["packets"], manifest.counts["readings"]
    progress(f"{packets:,} packets, {readings:,} readings, 0 dropped, every act found: {run}")
    if analysed:
        progress(f"report: {run / 'report' / 'index.html'}")


def again(run: Path, progress: Progress, *, tuned: bool = False, weeks: Sequence[Path] = ()) -> Path:
    """Analyse a finished run again, beside it, and put the result in its place.

    Raises:
        InputError: if it is not a finished run, or another week cannot be used.
        TrustError: if it does not add up any more.
    """
    run = run.resolve()
    manifest = Manifest.load(run)
    if weeks:
        from coldaisle_analysis import weeks as other_weeks  # noqa: PLC0415 - takes long to import

        other_weeks.seeds(weeks, manifest.seed)
    if broken := ledger.check(run):
        raise TrustError(broken)
    stage, old = run.parent / f".{run.name}.new", run.parent / f".{run.name}.old"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    for part in ("plan.json", "journal", "capture"):
        source = run / part
        if source.is_dir():
            shutil.copytree(source, stage / part, copy_function=os.link)
        else:
            shutil.copy2(source, stage / part)
    fresh = run.parent / f".{run.name}.done"
    seconds = {name: took for name, took in manifest.seconds.items() if name == "play"}
    conclude(
        stage,
        fresh,
        manifest.engine,
        manifest.shards,
        seconds,
        progress,
        analyse=True,
        name=run.name,
        tuned=tuned,
        weeks=weeks,
    )
    run.rename(old)
    fresh.rename(run)
    shutil.rmtree(old)
    return run


def _counts(account: ledger.Account) -> dict[str, int]:
    plan, frames = account.evidence.plan, account.join.table
    return {
        "packets": len(frames),
        "packets_attack": int(frames["label"].sum()),
        "readings": len(account.readings),
        "readings_attack": int(account.readings["label"].sum()),
        "episodes": len(plan.episodes),
        "acts": sum(len(episode.acts) for episode in plan.episodes),
        "kernel_drops": int(account.evidence.sealed["kernel_drops"].sum()),
        "days": plan.scenario.days,
    }


def _drafted(
    stage: Path, name: str, engine: str, shards: int, seconds: dict[str, float], account: ledger.Account
) -> Manifest:
    """Return the manifest of a run so far: what was played, nothing derived."""
    plan = account.evidence.plan
    return Manifest(
        id=name,
        scenario=plan.scenario.name,
        seed=plan.scenario.seed,
        engine=engine,
        shards=shards,
        created=datetime.now(UTC),
        plan_digest=plan.digest(),
        semantic_digest=ledger.semantic_digest(account),
        counts=_counts(account),
        seconds=seconds,
        versions=provenance.versions(),
        files=_hashes(stage, {}),
        commit=provenance.commit(),
        clocks=provenance.clocks(account),
    )


def _hashes(stage: Path, known: dict[str, str]) -> dict[str, str]:
    """Return the sha256 of every file of a stage by its path there, those known taken as they are."""
    files = sorted(path for path in stage.rglob("*") if path.is_file() and path != stage / ORDER)
    names = {str(path.relative_to(stage)): path for path in files}
    return {name: known.get(name) or sha256_of(path) for name, path in names.items()}
