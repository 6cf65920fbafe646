"""Injection of an episode into a run that is being played in real time: its plan grows, and the programs that play it notice."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from coldaisle_contracts.adding import COMMAND, add
from coldaisle_contracts.campaign import MAKING
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.manifest import MANIFEST, instant
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.texts import writable
from coldaisle_contracts.timeline import Timeline
from coldaisle_testbed import probe, shard_folders
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.playable import refuse_unplayable
from coldaisle_testbed.stage import ORDER, Order, hand_over, stage_of

AHEAD_NS = 5 * SECOND
"""Least time from now to the preparation of an episode, in ns: the programs look at the plan twice a second."""
USUAL = 3
"""Length of an episode for which nobody names one, in slots."""
PATIENCE_S = 10.0
"""Time to wait for another injection into the same run, in s."""
_REMEDY = "only the user who plays the run can put an episode into it"
_LATER = "none of its days is being played now: try again when one is"
_SET_ASIDE = ("kind", "unit", "readings", "day", "start")
"""Keys of an episode that ``--set`` does not give."""


@dataclass(frozen=True)
class Injected:
    """An episode that was put into a run.

    Attributes:
        stage: folder of the run.
        plan: the plan with the episode.
        episode: the episode.
        offset_ns: virtual time minus wall time, in ns.
    """

    stage: Path
    plan: Plan
    episode: Episode
    offset_ns: int

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        episode = self.episode
        return {
            "run": str(self.stage), "episode": episode.id, "kind": episode.kind, "variant": episode.variant, "unit": episode.unit,
            "readings": episode.readings, "begin": self._local(episode.begin_ns).isoformat(timespec="seconds"),
            "end": self._local(episode.end_ns).isoformat(timespec="seconds"),
            "begin_on_the_wall": self._wall.isoformat(timespec="seconds"),
        }  # fmt: skip

    def sentence(self) -> str:
        """Return it in words."""
        episode = self.episode
        begin, end = self._local(episode.begin_ns), self._local(episode.end_ns)
        return (
            f"{episode.id}: {episode.kind} ({episode.variant}) on {episode.unit} from {begin:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S %z}, "
            f"which is {self._wall:%H:%M:%S} UTC on the clock of this machine"
        )

    def _local(self, at_ns: int) -> datetime:
        zone = timezone(timedelta(seconds=self.plan.utc_offset_s))
        return instant(at_ns).astimezone(zone)

    @property
    def _wall(self) -> datetime:
        """Wall time at which it begins."""
        return instant(self.episode.begin_ns - self.offset_ns)


@dataclass(frozen=True)
class _Playing:
    """A shard that is being played.

    Attributes:
        folder: where it is played.
        days: its days, from 0.
        offset_ns: virtual time minus wall time, in ns, which is constant in real time.
    """

    folder: Path
    days: range
    offset_ns: int

    @property
    def now_ns(self) -> int:
        """The virtual time, in ns."""
        return time.time_ns() + self.offset_ns


def wish_of(kind: str, unit: str | None, readings: int | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the episode that somebody wishes for, those that are named.

    Args:
        kind: its kind.
        unit: the unit; ``None`` where the kind's target is the broker.
        readings: its length, in slots; ``None`` for the usual one.
        more: further keys of an episode.

    Raises:
        InputError: if one of these has an argument or an option of its own, or follows from the time.
    """
    for key in _SET_ASIDE:
        if key in more:
            remedy = (
                "it is the first that is possible"
                if key == "start"
                else "it has an argument or an option of its own"
            )
            raise InputError("--set", f"{remedy}: leave it out", key)
    named = {"kind": kind, "unit": unit, "readings": readings}
    return {key: value for key, value in named.items() if value is not None} | dict(more)


def inject(run: Path, wish: Mapping[str, Any], day: int | None = None) -> Injected:
    """Put an episode into a run that is being played, at the first start that is possible.

    Args:
        run: the folder of the run, under its final or its hidden name.
        wish: the keys of the episode as in a scenario, without ``day`` and ``start``.
        day: the day, from 1; ``None`` where only one is being played.

    Raises:
        InputError: if the run is not being played in real time, or the episode cannot be put into it.
    """
    stage, order = _stage(run)
    _plan(stage)
    kind = str(wish["kind"])
    usual = {"readings": 1 if kind in KINDS and KINDS[kind].brief else USUAL}
    with held(stage / "journal", PATIENCE_S) as is_ours:
        if not is_ours:
            raise InputError(stage, "another episode is being put in at this moment: try again")
        plan = _plan(stage)
        number, shard = _chosen(_playing(stage, order, plan), day)
        trial, _ = add(plan, usual | dict(wish), number, shard.now_ns + AHEAD_NS)
        _refuse_unplayable(trial, kind, order)
        fresh, episode = add(plan, usual | dict(wish), number, shard.now_ns + AHEAD_NS)
        with writable(stage, _REMEDY):
            _write(fresh, {stage, shard.folder})
    return Injected(stage, fresh, episode, shard.offset_ns)


def _stage(run: Path) -> tuple[Path, Order]:
    """Return the hidden folder of a run in the making, and its order."""
    run = run.resolve()
    if (run / MANIFEST).is_file():
        raise InputError(run, "it is finished: name a run that is being played")
    stage = run if (run / ORDER).is_file() else stage_of(run)
    order = Order.load(stage)
    if not is_held(stage):
        raise InputError(stage, f"nobody plays it any more: go on with `coldaisle up --resume {stage}`")
    if order.is_done(stage):
        raise InputError(stage, "it was played to its end: name a run that is being played")
    if stage.parent.parent.name == MAKING:
        raise InputError(
            stage, "a campaign plays it, and its weeks follow from their scenarios: name a run of its own"
        )
    return stage, order


def _plan(stage: Path) -> Plan:
    if not (stage / "plan.json").is_file():
        raise InputError(stage, _LATER)
    plan = Plan.load(stage / "plan.json")
    if plan.scenario.time != "real":
        remedy = "its days pass in seconds: play a scenario with time = 'real'"
        raise InputError(f"{stage}: key time", remedy, plan.scenario.time)
    return plan


def _playing(stage: Path, order: Order, plan: Plan) -> dict[int, _Playing]:
    """Return the shards that are being played, by the day (from 0) that each plays now."""
    days = plan.scenario.days
    places = {stage: Shard.parse("", days)}
    if order.engine == "netns":
        folders = [
            path
            for path in (stage / shard_folders.SHARDS).glob("day-*")
            if not (path / shard_folders.WHOLE).exists()
        ]
        places = {folder: Shard.parse(folder.name, days) for folder in folders}
    playing = {}
    for folder, shard in places.items():
        journals = [folder / "journal" / f"{name}.jsonl" for name in (*plan.devices, "injector", "timeline")]
        if all(journal.is_file() for journal in journals):  # every program has begun
            offset_ns = Timeline.load(journals[-1], str(shard)).offset(time.time_ns())
            part = _Playing(folder, shard.days, offset_ns)
            day = (part.now_ns - plan.start_ns) // DAY
            if day in shard.days:
                playing[day] = part
    if not playing:
        raise InputError(stage, _LATER)
    return playing


def _chosen(playing: Mapping[int, _Playing], day: int | None) -> tuple[int, _Playing]:
    """Return the day (from 0) and the shard into which an episode is put."""
    if day is None and len(playing) == 1:
        return next(iter(playing.items()))
    if day is not None and day - 1 in playing:
        return day - 1, playing[day - 1]
    listed = ", ".join(str(number + 1) for number in sorted(playing))
    raise InputError("--day", f"name a day that is being played now: {listed}", day)


def _refuse_unplayable(plan: Plan, kind: str, order: Order) -> None:
    """Refuse a kind for which this machine lacks something, or the engine the package that adds it."""
    refuse_unplayable(plan, order.engine)
    if order.engine != "netns":
        return
    for ability, reason in probe.lacking().items():
        if kind in probe.needing(ability):
            raise InputError(
                f"{COMMAND}: key kind", f"this machine has no {ability} ({reason}): name another kind", kind
            )


def _write(plan: Plan, folders: Iterable[Path]) -> None:
    """Replace the plan in some folders, in each in one step."""
    fresh = {folder / "plan.json": folder / "plan.json.new" for folder in folders}
    for beside in fresh.values():
        beside.write_text(shard_folders.text_of(plan), encoding="utf-8")
        hand_over(beside)
    for path, beside in fresh.items():
        beside.replace(path)
