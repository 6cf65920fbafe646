"""Sites of a campaign: what is usual at an installation, learned from its training weeks without labels."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.campaign.store import Store
from coldaisle_analysis.columns import Level
from coldaisle_analysis.forecast.columns import SensorValues, learn_site
from coldaisle_analysis.forecast.kalman import Site
from coldaisle_contracts.clock import DAY

MOST_WEEKS = 4
"""Largest number of training weeks that a site is learned from: its season and noise are known by then."""


def site_of(store: Store, weeks: Sequence[str]) -> Site:
    """Return the site learned from weeks of one installation, of which the first :data:`MOST_WEEKS` are read."""
    parts, begin, shift_ns = [], 0, 0
    for name in weeks[:MOST_WEEKS]:
        values = store.values(name)
        parts.append((values, begin, shift_ns))
        begin += len(store.labels(name))
        span = int(np.ptp(values.time_ns)) if len(values.time_ns) else 0
        shift_ns += (span // DAY + 1) * DAY
    return learn_site(_in_a_row(parts), np.ones(begin, np.bool_))


def _in_a_row(parts: Sequence[tuple[SensorValues, int, int]]) -> SensorValues:
    """Return the values of weeks one after another; each begins whole days later, at its own time of day."""
    first_ns = min((int(values.time_ns.min()) for values, _, _ in parts if len(values.time_ns)), default=0)

    def moved(values: SensorValues, shift_ns: int) -> Ints:
        start = int(values.time_ns.min()) if len(values.time_ns) else 0
        return values.time_ns - (start - first_ns) // DAY * DAY + shift_ns

    return SensorValues(
        np.concatenate([values.row + begin for values, begin, _ in parts]),
        np.concatenate([values.key for values, _, _ in parts]),
        np.concatenate([values.unit for values, _, _ in parts]),
        np.concatenate([moved(values, shift_ns) for values, _, shift_ns in parts]),
        np.concatenate([values.batch for values, _, _ in parts]),
        np.concatenate([values.value for values, _, _ in parts]),
    )


def put_forecasts(
    folder: Path, level: Level, learn_from: Sequence[str], weeks: Sequence[str], name: str
) -> str:
    """Learn a site, write the forecasts of weeks for it, and return its name; a job for another process."""
    store = Store(folder, level)
    site = site_of(store, learn_from)
    (folder / f"{level}.{name}.site.json").write_text(json.dumps(site.to_json()), encoding="utf-8")
    for week in weeks:
        store.put_forecasts(week, site, name)
    return name


def read_site(folder: Path, level: Level, name: str) -> Site:
    """Return a site that :func:`put_forecasts` learned."""
    return Site.from_json(json.loads((folder / f"{level}.{name}.site.json").read_text(encoding="utf-8")))
