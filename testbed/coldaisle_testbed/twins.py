"""Twins of a finished run: its plan is played again without some of its episodes, and the plays are compared with the run.

The run stays as it was sealed. What was found lies beside it, in ``twins/001`` and so on, like its analyses; the plays themselves are
removed. An episode that was compared is not played again.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import settle
from coldaisle_analysis.twins import stored
from coldaisle_analysis.twins.comparison import Comparison, Levels
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import MANIFEST, Engine, Manifest, digest_of, sha256_of
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.planning import planned_again, without_episodes
from coldaisle_contracts.twins import TWINS, TwinManifest
from coldaisle_testbed import analyses, provenance, twin_plays
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.twin_plays import TwinPlay
from coldaisle_testbed.verification.folder import unsealed

Play = Callable[[Plan, Path], object]
"""Plays a plan into a stage that may hold sealed shards of it, in as many shards as the run."""
CLEAN_DAYS = 2
"""Most days that are played twice without any attack, as a yardstick: their rows are many enough for its ranges."""
_STAGE = "play"


@dataclass(frozen=True)
class _Order:
    """What is to be compared: the run, the episodes, and who plays."""

    run: Path
    manifest: Manifest
    plan: Plan
    episodes: tuple[Episode, ...]
    engine: Engine
    play: Play


def chosen(plan: Plan, names: Sequence[str]) -> tuple[Episode, ...]:
    """Return the episodes of a plan with these ids, or every attack when no id is given.

    Benign anomalies are not left out unless they are named: they are part of what is normal, and the question is what an attack changed.

    Raises:
        InputError: if there is no such episode.
    """
    if names:
        without_episodes(plan, names)
        return tuple(episode for episode in plan.episodes if episode.id in names)
    attacks = tuple(episode for episode in plan.episodes if not episode.row.benign)
    if not attacks:
        raise InputError(
            "twin", "the run has no attack to leave out: name a benign episode with --episode, or another run"
        )
    return attacks


def make(
    run: Path, names: Sequence[str], engine: Callable[[], Engine], play: Play, progress: Progress
) -> None:
    """Play the twins of a run that are missing, and lay beside it what they show.

    Args:
        run: the run's folder.
        names: ids of the episodes; none means every attack.
        engine: returns the engine that plays; raises where there is none.
        play: plays a plan with it.
        progress: called with one line per step.

    Raises:
        InputError: if it is no finished run or one of another version, there is no such episode or no engine, or nothing can be written
            beside the run.
        TrustError: if the run is not as it was sealed, or the ledger of a twin does not add up.
    """
    run = run.resolve()
    manifest = Manifest.load(run)
    manifest.refuse_missing(run / MANIFEST)
    _refuse_other_version(run, manifest)
    plan = planned_again(manifest, str(run / MANIFEST))
    known = {episode for _, about in stored.comparisons_of(run) for episode in about.episodes}
    missing = tuple(episode for episode in chosen(plan, names) if episode.id not in known)
    if not missing:
        progress(f"{run}: every one of these episodes was compared with a twin before")
        return
    if broken := unsealed(run, manifest):
        raise TrustError(broken)
    if manifest.commit != provenance.commit():
        progress(
            f"the run was made by {manifest.made_by}: what this checkout does otherwise widens the yardstick"
        )
    order = _Order(run, manifest, plan, missing, engine(), play)
    with analyses.making(run, kind=TWINS) as folder:
        _compare(order, folder, progress)
        place = analyses.place_in(folder, run / TWINS)
    progress(f"twins of {len(missing)} episodes: {place}")


def _refuse_other_version(run: Path, manifest: Manifest) -> None:
    """Refuse a run of another version: whatever that version did otherwise would look like the work of the attack.

    Raises:
        InputError: naming the version that made the run.
    """
    made = manifest.versions.get("coldaisle", "")
    if made != provenance.version():
        remedy = f"only the version that made a run can play its twins: use {manifest.made_by}"
        raise InputError(f"{run / MANIFEST}: key versions.coldaisle", remedy, made)


def _compare(order: _Order, folder: Path, progress: Progress) -> None:
    """Play and compare, and write what was found and its manifest into a folder."""
    seconds: dict[str, float] = {}
    plays = twin_plays.packed(order.plan, order.episodes)
    with progress.step("playing and comparing twins", seconds, "twins"):
        comparison = Comparison(order.plan, {level: tables.read_level(order.run, level) for level in LEVELS})
        clean = _clean(order.plan, order.episodes)
        progress(
            f"{len(plays)} plays leave out {len(order.episodes)} episodes; 2 without any attack are the yardstick"
        )
        one, other = (levels for levels in _played(order, [clean, clean], folder, progress))
        comparison.add_clean(one, other, clean.days)
        del one, other
        for twin, levels in zip(plays, _played(order, plays, folder, progress), strict=True):
            comparison.add_twin(levels, twin.without, twin.days)
        stored.write(comparison.conclude(), folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    TwinManifest(
        run=order.manifest.id,
        run_manifest=digest_of(order.run),
        created=datetime.now(UTC),
        engine=order.engine,
        episodes=tuple(episode.id for episode in order.episodes),
        plays=len(plays) + 2,
        seconds=seconds,
        versions=provenance.versions(),
        commit=provenance.commit(),
        files={str(path.relative_to(folder)): sha256_of(path) for path in files},
    ).save(folder)


def _clean(plan: Plan, episodes: Sequence[Episode]) -> TwinPlay:
    """Return the play of the yardstick: the first days with one of these episodes, without any attack."""
    days = twin_plays.days_of(plan, episodes)[:CLEAN_DAYS]
    every = [episode for episode in plan.episodes_on(range(plan.scenario.days)) if not episode.row.benign]
    return TwinPlay(
        tuple(episode for episode in every if twin_plays.days_of(plan, [episode])[0] in days), days
    )


def _played(order: _Order, plays: Sequence[TwinPlay], folder: Path, progress: Progress) -> Iterator[Levels]:
    """Play one twin after the other, and yield the tables of each."""
    for number, twin in enumerate(plays, 1):
        stage = folder / _STAGE
        plan = twin_plays.prepare(order.run, stage, twin, same_engine=order.engine == order.manifest.engine)
        names = ", ".join(episode.id for episode in twin.without)
        days = ", ".join(str(day + 1) for day in twin.days)
        progress(f"play {number} of {len(plays)}: day {days} without {names}")
        order.play(plan, stage)
        account = settle(stage)
        if broken := ledger.check(stage, account):
            raise TrustError(broken)
        yield dataset.build(stage, account).levels()
        shutil.rmtree(stage)


def summary(run: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return what was found of some episodes as the object of ``twin --json``.

    Args:
        run: the run's folder.
        names: ids of the episodes; none means all that were compared.

    Returns:
        ``run``; ``episodes``: a row per episode and level, see :class:`~coldaisle_analysis.twins.at_level.EpisodeTrace`; ``kinds``: by
        kind and level ``rows`` and ``visible`` of its attack or benign rows.
    """
    traces = [trace for trace in stored.traces_of(run) if not names or trace["episode"] in names]
    return {"run": Manifest.load(run).id, "episodes": traces, "kinds": stored.by_kind(traces)}
