"""Following sensors: the columns of a value depend only on the past, and forecasts use the site that was learned."""

import numpy as np
import pandas as pd
import pytest

from coldaisle_analysis.features import history
from coldaisle_analysis.features.history import LONG, RECENT, SHORT, History
from coldaisle_analysis.forecast.columns import place_of
from coldaisle_analysis.forecast.kalman import CEILING, COLUMNS, Forecast, Site
from coldaisle_analysis.forecast.learning import learn
from coldaisle_contracts.clock import DAY_S, SECOND

INTERVAL_S, SLOTS = 300.0, 3 * 288
KEYS = ("131", "132", "133", "134")
RNG = np.random.default_rng(3)


def series() -> tuple[np.ndarray, np.ndarray]:
    """Return times in s, and readings in °C of a unit's four sensors: season, AR(1) noise, and common excursions."""
    time_s = np.arange(SLOTS) * INTERVAL_S
    noise = np.zeros((SLOTS, 4))
    for slot in range(1, SLOTS):
        noise[slot] = 0.4 * noise[slot - 1] + RNG.normal(0, 0.15, 4)
    jump = np.where(RNG.random(SLOTS) < 0.05, RNG.choice([-2, -1, 1, 2], SLOTS), 0)
    season = 0.6 * np.sin(2 * np.pi * time_s / DAY_S)
    return time_s, np.array([12, 16, 20, 27]) + season[:, None] + jump[:, None] + noise


TIME_S, VALUES = series()
SITE = learn({"13": KEYS}, {key: (TIME_S, VALUES[:, at]) for at, key in enumerate(KEYS)}, INTERVAL_S)


def followed(values: np.ndarray, forecast: Forecast | None = None, first: int = 0) -> np.ndarray:
    """Return the forecast columns of a unit's readings, shape (slots, sensors, columns); those of a slot are judged together."""
    slots = len(values)
    tick = np.repeat(np.arange(first, first + slots), 4)
    time_ns = (np.repeat(np.arange(first, first + slots), 4) * INTERVAL_S * SECOND).astype(np.int64)
    sensor = np.tile(np.arange(4), slots)
    columns = (forecast or Forecast(SITE)).follow(sensor, time_ns, tick, values.ravel())
    return columns.reshape(slots, 4, len(COLUMNS))


def test_history_is_what_rolling_windows_say() -> None:
    """Medians, means and runs equal those that pandas computes from each sensor's values, in one go and in parts."""
    count = 2_000
    sensor = RNG.integers(0, 20, count)
    value = np.where(RNG.random(count) < 0.05, np.nan, RNG.normal(size=count).round(1))
    wait = RNG.integers(1, 400, count).astype(float)
    whole = History().follow(sensor, sensor // 4, wait, value)
    parts, follower = [], History()
    for at in range(0, count, 333):
        rows = slice(at, at + 333)
        parts.append(follower.follow(sensor[rows], sensor[rows] // 4, wait[rows], value[rows]))
    np.testing.assert_array_equal(np.vstack(parts), whole)
    table = pd.DataFrame(whole, columns=list(history.COLUMNS))
    for code in range(20):
        rows = sensor == code
        mine, waits = pd.Series(value[rows]), pd.Series(wait[rows])
        dev, dev_long = (mine - mine.rolling(size, min_periods=3).median().shift() for size in (SHORT, LONG))
        columns = table[rows].reset_index(drop=True)
        expected = {
            "diff": mine.diff(),
            "dev": dev,
            "dev_long": dev_long,
            "dev_mean": dev_long.rolling(RECENT, min_periods=1).mean(),
            "score": dev.abs()
            / dev.abs().fillna(0).rolling(LONG, min_periods=3).median().shift().clip(lower=0.02),
            "spread": mine.rolling(RECENT, min_periods=2).std(),
            "late": waits - waits.rolling(LONG, min_periods=3).median().shift(),
        }
        for name, column in expected.items():
            np.testing.assert_allclose(columns[name], column, atol=1e-9, err_msg=name)


def test_forecasts_come_in_pieces_as_in_one_go() -> None:
    """The columns are the same slot by slot and in one go."""
    whole, forecast = followed(VALUES), Forecast(SITE)
    parts = np.concatenate([followed(VALUES[at : at + 1], forecast, at) for at in range(100)])
    np.testing.assert_array_equal(parts, whole[:100])


def test_a_site_is_learned() -> None:
    """Season and noise are found in spite of excursions, and the four sensors vary together."""
    assert SITE.season[:, 0] == pytest.approx([12, 16, 20, 27], abs=0.15)
    assert np.hypot(SITE.season[:, 1], SITE.season[:, 2]) == pytest.approx([0.6] * 4, abs=0.1)
    assert (np.abs(SITE.dynamics[:, 2] - 0.16) < 0.06).all()
    assert (SITE.covariance[0] > 1).all()


def test_what_a_unit_does_together_is_no_surprise_beside_the_others() -> None:
    """An excursion of all four has a large innovation and a small joint one; for a shift of one sensor both are large."""
    common, single = VALUES.copy(), VALUES.copy()
    common[500] += 3
    single[500, 0] += 3
    usual, excursion, shift = (followed(values)[500, 0] for values in (VALUES, common, single))
    at = {name: place for place, name in enumerate(COLUMNS)}
    assert excursion[at["innovation"]] > usual[at["innovation"]] + 6
    assert excursion[at["innovation_joint"]] < 5
    assert shift[at["innovation"]] > 6
    assert shift[at["innovation_joint"]] > 8


def test_charts_add_up_what_lasts() -> None:
    """During a lasting shift of one sensor, CUSUM grows to its ceiling; afterwards it falls again."""
    drifted = VALUES.copy()
    drifted[400:430, 1] -= 0.6
    cusum = followed(drifted)[:, 1, COLUMNS.index("cusum_joint")]
    assert cusum[429] == CEILING
    assert cusum[390] < 8
    assert cusum[500] < 8


def test_means_tell_a_shift_from_excursions_to_either_side() -> None:
    """Readings off to one side move the signed mean; readings off to both sides move only the mean of absolute values."""
    at = {name: place for place, name in enumerate(COLUMNS)}
    one_side, both_sides = VALUES.copy(), VALUES.copy()
    one_side[400:412] -= 2
    both_sides[400:412:2] -= 2
    both_sides[401:412:2] += 2
    shifted, shaken = (followed(values)[411, 0] for values in (one_side, both_sides))
    assert shifted[at["ewma"]] > 2 * shaken[at["ewma"]]
    assert shifted[at["ewma_unit"]] > 2 * shaken[at["ewma_unit"]]
    assert shaken[at["ewma_size"]] > 1.5
    assert shaken[at["ewma_size_unit"]] > 1.5


def test_missing_readings_are_waited_for() -> None:
    """A missing reading has no columns, the later ones have, and an unknown sensor has none."""
    gap = VALUES.copy()
    gap[300:310] = np.nan
    columns = followed(gap)
    assert np.isnan(columns[300:310]).all()
    assert np.isfinite(columns[310:]).all()
    unknown = Forecast(SITE).follow(np.array([-1]), np.array([0]), np.array([0]), np.array([20.0]))
    assert np.isnan(unknown).all()
    assert Forecast(SITE).codes(["134", "999"]).tolist() == [3, -1]


def test_a_site_survives_json() -> None:
    """A site that was read from JSON gives the same forecasts."""
    read = Site.from_json(SITE.to_json())
    before, after = (Forecast(site).follow(np.zeros(9, np.int64), np.arange(9) * 300 * SECOND, np.arange(9), VALUES[:9, 0])
                  for site in (SITE, read))  # fmt: skip
    np.testing.assert_array_equal(before, after)


def test_too_few_readings_teach_nothing_and_break_nothing() -> None:
    """With a handful of readings the sensor has the usual parameters; without any the site is empty."""
    short = learn({"13": KEYS[:1]}, {"131": (TIME_S[:5], VALUES[:5, 0])}, INTERVAL_S)
    assert short.season[0, 0] == pytest.approx(float(np.median(VALUES[:5, 0])))
    assert learn({}, {}, 1.0).keys == ()


@pytest.mark.parametrize(
    ("series", "place"),
    [
        ("134", ("134", "13")),
        ("134-2", ("134", "13")),
        ("mqtt-explorer:plant", ("mqtt-explorer:plant", "h")),
        ("198.18.0.9:40001:IoT", ("198.18.0.9:40001:IoT", "h")),
    ],
)
def test_sensors_are_named_by_their_series(series: str, place: tuple[str, str]) -> None:
    """An InRow's id names unit and sensor whatever its firmware; any other series belongs to its host."""
    assert place_of(series, "h") == place
