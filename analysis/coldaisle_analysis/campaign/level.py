"""One level of a campaign: its fits, done as jobs, and what comes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.campaign.fits import Fit, Fitted, Mapper, Week, run
from coldaisle_analysis.campaign.joined import Held, join
from coldaisle_analysis.campaign.learners import CURVE, LEARNERS, PROBE
from coldaisle_analysis.campaign.measures import Measured
from coldaisle_analysis.campaign.selection import Selection
from coldaisle_analysis.campaign.sites import put_forecasts
from coldaisle_analysis.campaign.store import Store, outline, prepared, read
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.models import WITH_POLICIES
from coldaisle_analysis.twins import visibility_of
from coldaisle_analysis.weeks import CampaignData
from coldaisle_contracts import campaign

UNSEEN_ROWS = 20_000
"""Rows that a model is fitted on where one kind after another is left out."""
LEAST_EPISODES = 2
"""Fewest episodes of a kind in training weeks for which leaving it out is measured."""


@dataclass(frozen=True)
class Subset:
    """Training weeks that are learned from together.

    Attributes:
        weeks: the weeks, with the sites that were learned from them.
        scored: the validation weeks, then the test weeks, with the same sites.
    """

    weeks: tuple[Week, ...]
    scored: tuple[Week, ...]


class LevelAnalysis:
    """The fits of one level.

    Args:
        data: the campaign.
        selection: its weeks.
        level: the level.
        folder: folder for prepared weeks and scores.
        mapper: does the jobs.
        seed: seed of models, draws and bootstrap.

    Attributes:
        folder: the folder.
        rows: number of rows of all weeks.
        validation: the validation weeks.
        test: the test weeks.
    """

    def __init__(
        self,
        data: CampaignData,
        selection: Selection,
        level: columns.Level,
        folder: Path,
        mapper: Mapper,
        seed: int,
    ) -> None:
        self.level, self.selection, self.seed = level, selection, seed
        self._data, self.folder, self._map = data, folder, mapper
        self._sites: set[tuple[str, str]] = set()
        jobs = [(folder, data.folder.path, [week], level) for week in selection.weeks]
        self.rows = sum(sum(rows) for rows in mapper(prepared, jobs))
        self.validation, self.test = self._held("validate"), self._held("test")

    def _held(self, role: campaign.Role) -> Held:
        weeks = self.selection.of(role)
        outlines = [outline(prepare(read(self._data, week, self.level), self.level)) for week in weeks]
        visible = [visibility_of(self._data.folder.run_of(week), self.level) for week in weeks]
        return join(outlines, [week.digest for week in weeks], visible)

    def subset(self, train: Sequence[campaign.Week]) -> Subset:
        """Learn the sites of some training weeks, write the forecasts for them, and return the weeks with these sites."""
        sites: dict[str, list[str]] = {}
        for week in train:
            sites.setdefault(self.selection.site_of(week), []).append(week.digest)
        held = self.selection.of("validate", "test")
        first = next(iter(sites))
        names = {site: f"{site}-{len(train)}-{weeks[0]}" for site, weeks in sites.items()}
        users: dict[str, list[str]] = {site: [] for site in sites}
        for week in (*train, *held):
            site = self.selection.site_of(week)
            users[site if site in sites else first].append(week.digest)
        jobs = []
        for site, weeks in sites.items():
            new = [week for week in users[site] if (week, names[site]) not in self._sites]
            self._sites |= {(week, names[site]) for week in new}
            jobs.append((self.folder, self.level, weeks, new, names[site]))
        list(self._map(put_forecasts, jobs))
        site_of = {week: names[site] for site, weeks in users.items() for week in weeks}
        return Subset(
            tuple(Week(week.digest, site_of[week.digest]) for week in train),
            tuple(Week(week.digest, site_of[week.digest]) for week in held),
        )

    def fit(
        self, model: str, subset: Subset, without: str = "", most_rows: int = 0, *, keep: bool = False
    ) -> Fit:
        """Return the fit of a model on a subset, which scores the validation weeks and then the test weeks."""
        weeks = subset.weeks, subset.scored
        return Fit(self.folder, self.level, model, *weeks, self.seed, without, most_rows, keep)

    def done(self, fits: Sequence[Fit]) -> list[Fitted]:
        """Return the results of fits, each different one done once."""
        different = {fit.key: fit for fit in fits}
        results = dict(zip(different, self._map(run, [(fit,) for fit in different.values()]), strict=True))
        return [results[fit.key] for fit in fits]

    def measured(self, fitted: Fitted, without: Mask | None = None) -> Measured:
        """Return the scores of a fit with its threshold."""
        return Measured(self.validation, self.test, fitted.score(), without)

    def episodes(self, weeks: Sequence[Week], kind: str | None = None) -> int:
        """Return the number of episodes of attacks in training weeks, of all kinds or of one."""
        store = Store(self.folder, self.level)
        return sum(store.episodes(week.name, kind) for week in weeks)

    def kinds(self) -> list[str]:
        """Return the kinds of attack in the test weeks."""
        level = self.test.level
        return sorted({str(kind) for kind in level.kinds[level.labels == 1]})


def sizes_of(weeks: int) -> Iterator[int]:
    """Yield the numbers of weeks of a learning curve: 1, 2, 4 and so on below the number of training weeks, then that number."""
    size = 1
    while size < weeks:
        yield size
        size *= 2
    yield weeks


def fits_of_curve(analysis: LevelAnalysis, subsets: dict[int, Subset]) -> list[tuple[int, Fit]]:
    """Return the fits of the learning curve with their numbers of weeks, those on all weeks excluded."""
    most = max(subsets)
    return [
        (size, analysis.fit(model, subset))
        for size, subset in subsets.items()
        if size < most
        for model in CURVE
    ]


def fits_of_models(analysis: LevelAnalysis, whole: Subset) -> list[Fit]:
    """Return a fit of every model on all training weeks."""
    keep = analysis.level == "packets"
    return [analysis.fit(model, whole, keep=keep and model in WITH_POLICIES) for model in LEARNERS]


def left_out(analysis: LevelAnalysis, whole: Subset) -> dict[str, Fit]:
    """Return, by kind, the fit with that kind left out; by ``""`` the fit with all kinds, on as many rows."""
    kinds = [kind for kind in analysis.kinds() if analysis.episodes(whole.weeks, kind) >= LEAST_EPISODES]
    return {kind: analysis.fit(PROBE, whole, kind, UNSEEN_ROWS) for kind in ("", *kinds)}


def of_kind(held: Held, kind: str) -> Mask:
    """Return which rows are attacks of a kind."""
    return np.asarray((held.level.labels == 1) & (held.level.kinds.astype("str").to_numpy(object) == kind))
