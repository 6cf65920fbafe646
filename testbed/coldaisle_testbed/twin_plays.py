"""Plays of a run's plan without some of its episodes: which may be left out at once, and the stage that such a play starts from."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.twins.sides import memory_ns
from coldaisle_contracts.clock import HOUR
from coldaisle_contracts.listeners import CA, KEY_LOG
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.planning import without_episodes
from coldaisle_contracts.scenario import BROKER
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import shard_folders

APART = HOUR
"""Time in which no feature of the traffic of all hosts remembers a frame: six times the longest time constant of 600 s, in ns."""
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class TwinPlay:
    """One play of a twin.

    Attributes:
        without: the episodes that are left out.
        days: the days (from 0) that are played; the others are those of the run.
    """

    without: tuple[Episode, ...]
    days: tuple[int, ...]


def packed(plan: Plan, episodes: Sequence[Episode]) -> list[TwinPlay]:
    """Return few plays in which each episode is left out once, and together only with such as cannot touch its rows.

    The episodes are coloured greedily in order of time (Welsh and Powell, The Computer Journal 10(1), 1967, without their order by
    degree): each goes into the first play in which none touches it.

    Args:
        plan: the plan of the run.
        episodes: the episodes to leave out.
    """
    plays: list[list[Episode]] = []
    for episode in episodes:
        free = (play for play in plays if not any(_touch(plan, episode, other) for other in play))
        play = next(free, None)
        if play is None:
            plays.append(play := [])
        play.append(episode)
    return [TwinPlay(tuple(play), days_of(plan, play)) for play in plays]


def days_of(plan: Plan, episodes: Iterable[Episode]) -> tuple[int, ...]:
    """Return the days (from 0) on which episodes are played."""
    return tuple(sorted({_day(plan, episode) for episode in episodes}))


def _day(plan: Plan, episode: Episode) -> int:
    return episode.onset // plan.scenario.slots_per_day


def _touch(plan: Plan, one: Episode, other: Episode) -> bool:
    """Tell whether one of two episodes may change a feature of the other's rows.

    Connections last a day, so their counters remember an episode on the same target, or on the broker, until midnight. A sensor's
    history reaches across midnight. Counts of the traffic of all hosts remember for an hour.
    """
    gap = max(one.approach_ns, other.approach_ns) - min(one.end_ns, other.end_ns)
    same = one.unit == other.unit or BROKER in (one.unit, other.unit)
    if same and _day(plan, one) == _day(plan, other):
        return True
    reach = memory_ns(plan) if one.unit == other.unit else 0
    return gap < max(reach, APART)


def prepare(run: Path, stage: Path, play: TwinPlay, *, same_engine: bool) -> Plan:
    """Make the stage of a twin: the plan without its episodes, and the run's own shards of the days that are not played.

    Only shards without a day to play are taken from the run; a run that was played in one shard is played as a whole.

    Args:
        run: the run's folder.
        stage: the folder to make.
        play: what is to be played.
        same_engine: whether the engine that plays it is that of the run; on Compose, or where it is another one, all days are played.

    Returns:
        The plan to play.
    """
    manifest, plan = Manifest.load(run), Plan.load(run / "plan.json")
    twin = without_episodes(plan, [episode.id for episode in play.without])
    shard_folders.prepare(stage, twin)
    if same_engine and manifest.engine == "netns":
        for shard in Shard.split(plan.scenario.days, manifest.shards):
            if not set(play.days) & set(shard.days):
                _take(run, stage, shard, twin)
    return twin


def _take(run: Path, stage: Path, shard: Shard, twin: Plan) -> None:
    """Copy journals and captures of a shard of a run into the stage of a twin, as if they had been played there."""
    folder = shard_folders.folder_of(stage, shard)
    shard_folders.prepare(folder, twin)
    mark = f'"shard":"{shard}"'
    for journal in (run / "journal").glob(f"*{_SUFFIX}"):
        with journal.open(encoding="utf-8") as lines, (folder / "journal" / journal.name).open("w") as kept:
            kept.writelines(line for line in lines if mark in line)
    for place in ("capture/raw", "capture"):
        for capture in (run / place).glob(f"{shard}-[0-9]*.pcap"):
            shutil.copyfile(capture, folder / place / capture.name)
    for name in (CA, KEY_LOG):  # with the secrets of the other shards, which are not used
        if (run / "capture" / name).exists():
            shutil.copyfile(run / "capture" / name, folder / "capture" / name)
    shard_folders.seal(folder)
