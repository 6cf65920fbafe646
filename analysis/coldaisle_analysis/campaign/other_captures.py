"""Labelled captures of somebody else beside a campaign: trained on ours and tested on theirs, and the other way.

The site of each side is learned from rows of that side, without labels: of ours from training weeks, of theirs from all of their rows
when they are tested, and from the days that are learned from when they are not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis import columns, dataset
from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.campaign.findings import transfer_row
from coldaisle_analysis.campaign.fits import Fit, Fitted, Week
from coldaisle_analysis.campaign.joined import Held, join
from coldaisle_analysis.campaign.learners import PROBE
from coldaisle_analysis.campaign.level import LevelAnalysis, Subset
from coldaisle_analysis.campaign.measures import Measured
from coldaisle_analysis.campaign.results import TransferRow
from coldaisle_analysis.campaign.sites import put_forecasts
from coldaisle_analysis.campaign.store import Store
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.evaluation.groups import groups_of
from coldaisle_analysis.evaluation.splits import DAY_FOLDS

CAPTURES, OURS = "captures", "campaign"
"""Names of the two sides in the results."""
_LEARN, _SET = "captures-learn", "captures-set"


@dataclass(frozen=True)
class Against:
    """Labelled captures of somebody else.

    Attributes:
        pcaps: captures, one per day.
        labels: their labels, see :mod:`coldaisle_analysis.dataset.labels`.
        utc_offset_s: offset of their local time from UTC, in s.
        series: patterns of the names of series to read; without any, all are.
        mqtt: ports and version of MQTT.
    """

    pcaps: Sequence[Path]
    labels: Sequence[Path]
    utc_offset_s: int = 0
    series: Sequence[str] = ()
    mqtt: MqttOptions = field(default_factory=MqttOptions)

    def levels(self) -> dict[columns.Level, pd.DataFrame]:
        """Return their rows by level.

        Raises:
            InputError: if a capture or a label table cannot be used.
        """
        built = dataset.from_captures(self.pcaps, self.labels, self.utc_offset_s, self.series, self.mqtt)
        return dict(built.learned())


def rows_against(analysis: LevelAnalysis, whole: Subset, theirs: pd.DataFrame) -> Iterator[TransferRow]:
    """Yield the results of both directions; none where their rows hold no attack.

    Args:
        analysis: the level.
        whole: all training weeks.
        theirs: the rows of the captures.
    """
    if not (theirs["label"] == 1).any():
        return
    store, folder = Store(analysis.folder, analysis.level), analysis.folder
    captures = _put(store, CAPTURES, theirs)
    put_forecasts(folder, analysis.level, [CAPTURES], [CAPTURES], CAPTURES)
    on_validation = whole.scored[: len(analysis.validation.names)]
    ours = Fit(
        folder, analysis.level, PROBE, whole.weeks, (*on_validation, Week(CAPTURES, CAPTURES)), analysis.seed
    )
    setting = _setting(theirs)
    fits = [ours]
    if setting.any():
        held = _put(store, _SET, theirs[setting])
        _put(store, _LEARN, theirs[~setting])
        put_forecasts(folder, analysis.level, [_LEARN], [_LEARN, _SET], _LEARN)
        tested = (Week(_SET, _LEARN), *whole.scored[len(on_validation) :])
        fits.append(Fit(folder, analysis.level, PROBE, (Week(_LEARN, _LEARN),), tested, analysis.seed))
    results = analysis.done(fits)
    measured = Measured(analysis.validation, captures, results[0].score())
    yield _row(analysis, results[0], (OURS, CAPTURES), measured)
    if setting.any():
        yield _row(analysis, results[1], (CAPTURES, OURS), Measured(held, analysis.test, results[1].score()))


def _row(analysis: LevelAnalysis, fitted: Fitted, names: tuple[str, str], measured: Measured) -> TransferRow:
    return transfer_row(analysis, fitted, names, measured, np.ones(len(measured.alarms), np.bool_))


def _put(store: Store, name: str, rows: pd.DataFrame) -> Held:
    return join([store.put(name, rows.reset_index(drop=True))], [name], [None])


def _setting(rows: pd.DataFrame) -> Mask:
    """Return which rows thresholds are set on: every fourth of their days, such that attacks are on both sides; else none."""
    parts = groups_of(rows)[1] % DAY_FOLDS
    attacks = np.bincount(parts[rows["label"].to_numpy() == 1], minlength=DAY_FOLDS)
    able = np.flatnonzero((attacks > 0) & (attacks < attacks.sum()))
    return parts == able[-1] if len(able) else np.zeros(len(rows), np.bool_)
