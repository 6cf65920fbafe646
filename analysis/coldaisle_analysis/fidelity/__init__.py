"""Fidelity: how like published captures our own plays are, feature by feature and for a classifier.

:mod:`days` decodes both in the same way, :mod:`measures` says what is compared, :mod:`distances` compares it with the spread on
either side, :mod:`two_samples` asks a classifier, and :mod:`reasons` says why a difference is there where that is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.fidelity import distances, two_samples
from coldaisle_analysis.fidelity.days import Day, play_of, published
from coldaisle_analysis.fidelity.distances import Compared, Sketch
from coldaisle_analysis.fidelity.two_samples import LEVELS, ROWS, Rows, Told
from coldaisle_contracts.errors import InputError

__all__ = ["Compared", "Fidelity", "Told", "measure"]

MOST = 500
"""The most plays, and the most captures."""


@dataclass(frozen=True)
class Fidelity:
    """How like published captures our plays are.

    Attributes:
        plays: folders of the plays.
        captures: names of the published captures.
        ours: days of our plays that were compared.
        dates: the local dates of the days that were compared.
        rows: each measure, large differences first.
        told: how well a classifier tells the sides apart.
        seed: the seed of all draws.
        remarks: what a reader should know, in sentences.
    """

    plays: tuple[str, ...]
    captures: tuple[str, ...]
    ours: int
    dates: tuple[date, ...]
    rows: tuple[Compared, ...]
    told: tuple[Told, ...]
    seed: int
    remarks: tuple[str, ...] = ()


class _Side:
    """What is kept of the days of one side: a sketch of each and drawn rows; no day itself."""

    def __init__(self, days: int, seed: int) -> None:
        self.sketches = list[Sketch]()
        self.rows = {level: list[Rows]() for level in LEVELS}
        self._count = -(-ROWS // max(days, 1))
        self._rng = np.random.default_rng(seed)

    def take(self, day: Day) -> None:
        self.sketches.append(distances.sketch(day))
        for level in LEVELS:
            table = day.packets if level == "packets" else day.flows
            drawn = two_samples.draw(table, level, self._count, self._rng)
            self.rows[level].append(Rows(day.source, drawn))


def measure(
    runs: Sequence[Path],
    pcaps: Sequence[Path],
    progress: Callable[[str], None] = lambda _: None,
    *,
    seed: int = 0,
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Fidelity:
    """Compare plays with published captures.

    Args:
        runs: folders of finished runs of one scenario, each with its own seed.
        pcaps: published captures, a day each.
        progress: called with one line per step.
        seed: seed of all draws.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a run or a capture cannot be read or is named twice, a capture holds no MQTT, or runs have different scenarios.
    """
    _refuse_odd(runs, pcaps)
    plays = [play_of(run) for run in runs]
    if odd := [play for play in plays if play.scenario != plays[0].scenario]:
        raise InputError(
            odd[0].name, f"name plays of one scenario, here {plays[0].scenario}", odd[0].scenario
        )
    remarks = list[str]()
    progress(f"reading {len(pcaps)} published captures")
    theirs = _Side(len(pcaps), seed)
    dates = set[date]()
    for day_date, day in published(pcaps, plays[0].plan.utc_offset_s, mqtt, remarks.append):
        dates.add(day_date)
        theirs.take(day)
    every = {day for play in plays for day in play.dates}
    wanted = frozenset(dates & every) or frozenset(every)
    remarks += _choice(wanted, dates, every)
    ours = _Side(sum(len(wanted & set(play.dates)) for play in plays), seed + 1)
    for number, play in enumerate(plays, 1):
        progress(f"reading play {number} of {len(plays)}")
        for day in play.days(wanted, mqtt):
            ours.take(day)
    remarks += _spreads(len(plays), len(pcaps))
    progress("comparing")
    rows = distances.compare(ours.sketches, theirs.sketches, seed)
    told = [
        row for level in LEVELS for row in two_samples.tell(level, ours.rows[level], theirs.rows[level], seed)
    ]
    names = tuple(play.name for play in plays), tuple(path.name for path in pcaps)
    return Fidelity(
        *names, len(ours.sketches), tuple(sorted(wanted)), tuple(rows), tuple(told), seed, tuple(remarks)
    )


def _refuse_odd(runs: Sequence[Path], pcaps: Sequence[Path]) -> None:
    for option, paths in (("RUN", runs), ("--against", pcaps)):
        if not paths:
            raise InputError(option, "name at least one")
        if len(paths) > MOST:
            raise InputError(option, f"name at most {MOST}", len(paths))
        places = [path.resolve() for path in paths]
        if twice := [path for number, path in enumerate(paths) if places[number] in places[:number]]:
            raise InputError(twice[0], "is named twice: name each once")


def _choice(wanted: frozenset[date], dates: set[date], every: set[date]) -> list[str]:
    """Return a sentence on the days that are compared."""
    if wanted <= dates and wanted < every:
        return [f"of each play only the {len(wanted)} days with the dates of the captures are compared"]
    if not wanted & dates:
        return [
            "no day of the plays has the date of a capture, so all of their days are compared, attacks included"
        ]
    return []


def _spreads(plays: int, captures: int) -> list[str]:
    """Return a sentence for each spread that cannot be measured."""
    out = []
    if plays == 1:
        out.append(
            "one play only: there is no spread among our plays, and no classifier that holds out a play"
        )
    if captures == 1:
        out.append(
            "one capture only: there is no spread among published days, and no classifier that holds out a day"
        )
    return out
