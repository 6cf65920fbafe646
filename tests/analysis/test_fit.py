"""Fitting: it finds the parameters that the readings were made with, and bad input gives one sentence."""

import os
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.analysis import made_publishers, made_run

from coldaisle_analysis.fitting import fit as fitting
from coldaisle_analysis.fitting.estimates import excursions, forecast_errors, slow_spread
from coldaisle_analysis.fitting.fit import Fitted, fit, summary
from coldaisle_analysis.fitting.site_file import to_toml
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.site_parameters import Season, Site, load_site
from coldaisle_sensors.temperature_model import drift, readings

DAD = Path(os.environ.get("COLDAISLE_DAD", Path(__file__).parents[3] / "shared" / "data" / "dad"))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
INTERVAL_S = 300.0
SEED = 7
SITE = Site(
    medians={"inrow-13": (12.0, 16.0, 20.0, 27.5), "inrow-25": (11.0, 15.0, 19.5, 26.5)},
    noise=(0.25, 0.2, 0.15, 0.1),
    autocorrelation=(0.4, 0.3, 0.2, 0.1),
    coupling=0.6,
    drift=0.3,
    excursion_share=0.06,
    season=Season(daily=1.2, weekly=0.4, peak_hour=14.5, peak_day=3.25),
)
"""A site that differs from the defaults in every parameter."""


def ignore(_: str) -> None:
    """Ignore a line on the progress."""


def write(path: Path, site: Site = SITE, days: float = 14, start: datetime = MONDAY) -> Path:
    """Write readings of the model as CSV and return the file."""
    slots = round(days * 288)
    times = pd.date_range(start, periods=slots, freq=f"{INTERVAL_S:.0f}s")
    tables = []
    for unit in site.medians:
        values = readings(site, unit, SEED, start, slots, INTERVAL_S).round(2)
        for sensor in range(4):
            columns = {"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "unit": unit, "sensor": sensor + 1}
            tables.append(pd.DataFrame({**columns, "value": values[:, sensor]}))
    pd.concat(tables).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """Return the fit of two weeks of readings of the model."""
    return fit([write(tmp_path_factory.mktemp("fit") / "site.csv")], ignore)


def test_medians_come_back(fitted: Fitted) -> None:
    """The median of every sensor is within 0.3 °C (the size of the drift), that of the air within 0.1 °C."""
    assert set(fitted.site.medians) == set(SITE.medians)
    for unit, expected in SITE.medians.items():
        assert fitted.site.medians[unit] == pytest.approx(expected, abs=0.3)
        assert fitted.site.medians[unit][2:] == pytest.approx(expected[2:], abs=0.1)


def test_noise_comes_back(fitted: Fitted) -> None:
    """The spread is within 10 %, the autocorrelation within 0.08 and the coupling within 0.05."""
    assert fitted.site.noise == pytest.approx(SITE.noise, rel=0.1)
    assert fitted.site.autocorrelation == pytest.approx(SITE.autocorrelation, abs=0.08)
    assert fitted.site.coupling == pytest.approx(SITE.coupling, abs=0.05)


def test_season_comes_back(fitted: Fitted) -> None:
    """Amplitudes are within 5 % and 0.05 °C, peaks within a quarter of an hour and a quarter of a day."""
    season = fitted.site.season
    assert season.daily == pytest.approx(SITE.season.daily, rel=0.05)
    assert season.weekly == pytest.approx(SITE.season.weekly, abs=0.05)
    assert season.peak_hour == pytest.approx(SITE.season.peak_hour, abs=0.25)
    assert season.peak_day == pytest.approx(SITE.season.peak_day, abs=0.25)
    assert fitted.strength > 0.9
    assert max(term.p for term in fitted.season.values()) < 1e-6


def test_excursions_come_back(fitted: Fitted) -> None:
    """The share of excursions is within 1 percentage point."""
    assert fitted.site.excursion_share == pytest.approx(SITE.excursion_share, abs=0.01)


def test_drift_comes_back(fitted: Fitted) -> None:
    """The size of the drift is that of the model's drift, within 0.05 °C."""
    drawn = drift(SITE.drift, SEED, 14 * 288, INTERVAL_S)
    assert fitted.site.drift == pytest.approx(drawn.std(), abs=0.05)


def test_slow_spread_leaves_noise_out() -> None:
    """White noise has hardly any drift; a slow wave of amplitude 1 °C has 0.71 °C, with any noise on it."""
    rng = np.random.default_rng(SEED)
    noise = pd.Series(rng.normal(0, 0.5, 4032))
    wave = np.sin(np.arange(4032) / 4032 * 6 * np.pi)
    assert slow_spread(noise, INTERVAL_S) < 0.1
    assert slow_spread(noise + wave, INTERVAL_S) == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_excursions_take_all_sensors() -> None:
    """A jump of all sensors is an excursion, a jump of a single sensor is not, and sizes are whole degrees."""
    values = np.tile([12.0, 16, 20, 27], (60, 1))
    values[30] += 1.9
    values[40, 2] -= 2
    jumps = excursions(pd.DataFrame(values))
    assert jumps[jumps != 0].to_dict() == {30: 2.0}


def test_no_season_where_there_is_none(tmp_path: Path) -> None:
    """Without a season no amplitude is reported, although terms are estimated, and the summary states it."""
    site = SITE.model_copy(update={"season": Season(daily=0, weekly=0)})
    fitted = fit([write(tmp_path / "flat.csv", site, days=7)], ignore)
    assert (fitted.site.season.daily, fitted.site.season.weekly) == (0, 0)
    assert set(fitted.season) == {"daily", "weekly"}
    assert summary(fitted).count("not significant at 1%, set to 0") == 2


def test_a_single_day_tells_no_season(tmp_path: Path) -> None:
    """Below two days no season is estimated, and the summary gives the reason."""
    fitted = fit([write(tmp_path / "day.csv", days=1)], ignore)
    assert fitted.season == {}
    assert np.isnan(fitted.strength)
    assert "at least two days" in summary(fitted)
    assert "within 1.0 days; more days may show more" in summary(fitted)


def test_hours_are_in_the_given_time_zone(tmp_path: Path) -> None:
    """The same readings peak one hour later in a time zone that is one hour ahead."""
    fitted = fit([write(tmp_path / "site.csv", days=7)], ignore, "Etc/GMT-1")
    assert fitted.site.season.peak_hour == pytest.approx(SITE.season.peak_hour + 1, abs=0.25)
    with pytest.raises(InputError, match="time zone is 'Mars': name an IANA time zone"):
        fit([tmp_path / "site.csv"], ignore, "Mars")


def test_one_step_forecast_beats_the_last_value(fitted: Fitted) -> None:
    """AR(12) forecasts every sensor better than repeating the last value."""
    assert (fitted.sensors["AR(12)"] < fitted.sensors["last value"]).all()
    assert fitted.sensors["n"].eq(14 * 288).all()


def test_forecast_error_of_a_known_process() -> None:
    """On an AR(1) process both errors follow from the spread of the innovations and the autocorrelation."""
    rng = np.random.default_rng(SEED)
    values = np.zeros(20_000)
    for at, step in enumerate(rng.normal(0, 1, values.size - 1), 1):
        values[at] = 0.8 * values[at - 1] + step
    ours, again = forecast_errors(values)
    assert ours == pytest.approx(1, rel=0.03)
    assert again == pytest.approx(np.sqrt(2 * (1 - 0.8) / (1 - 0.8**2)), rel=0.03)


def test_missing_and_doubled_readings_do_no_harm(tmp_path: Path, fitted: Fitted) -> None:
    """If a tenth of the readings is missing and some are doubled, the estimates hardly change."""
    path = write(tmp_path / "site.csv")
    table = pd.read_csv(path)
    sample = table.sample(frac=0.9, random_state=SEED)
    pd.concat([sample, sample.head(200)]).to_csv(path, index=False)
    poorer = fit([path], ignore)
    assert poorer.sensors["missing"].sum() == len(table) - len(sample)
    assert poorer.site.noise == pytest.approx(fitted.site.noise, rel=0.1)
    assert poorer.site.season.daily == pytest.approx(fitted.site.season.daily, abs=0.05)


def test_toml_holds_the_site(fitted: Fitted) -> None:
    """The TOML file holds the fitted site."""
    assert Site.model_validate(tomllib.loads(to_toml(fitted.site))) == fitted.site


def test_a_scenario_can_name_what_run_wrote(tmp_path: Path, fitted: Fitted) -> None:
    """The file of the command loads as a site, and a scenario beside it can name it."""
    csv, out, lines = write(tmp_path / "site.csv"), tmp_path / "site.toml", list[str]()
    fitting.run([csv], out, lines.append)
    assert load_site(out) == fitted.site
    assert "AR(12)" in lines[-1]
    assert "site.csv: readings from 2026-03-02 00:00 to 2026-03-16 00:00" in out.read_text().splitlines()[0]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        'name = "fitted"\nseed = 1\nfirst_day = 2026-03-02\ntime_zone = "UTC"\nduration_h = 24\n'
        'units = ["inrow-13", "inrow-25"]\nsite = "site.toml"\n'
    )
    assert load_scenario(scenario).site == fitted.site


def test_run_writes_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file, standard output has only the TOML, so that it can be redirected."""
    fitting.run([write(tmp_path / "site.csv", days=1)], None, ignore)
    assert set(tomllib.loads(capsys.readouterr().out)) == set(Site().model_dump())


def test_run_refuses_a_place_it_cannot_write_to(tmp_path: Path) -> None:
    """A folder that does not exist gives one sentence."""
    with pytest.raises(InputError, match="cannot be written"):
        fitting.run([write(tmp_path / "site.csv", days=1)], tmp_path / "none" / "site.toml", ignore)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("yesterday,inrow-13,1,12.0", r"line 2: time is 'yesterday': write ISO 8601"),
        ("2026-03-02T00:00:00Z,inrow-99,1,12.0", r"line 2: unit is 'inrow-99': use one of inrow-13"),
        ("2026-03-02T00:00:00Z,inrow-13,5,12.0", r"line 2: sensor is '5': use 1 to 4"),
        ("2026-03-02T00:00:00Z,inrow-13,1,warm", r"line 2: value is 'warm': write a number of °C"),
        ("2026-03-02T00:00:00Z,inrow-13,1,1e308", r"line 2: value is '1e308': write a number of °C"),
        ("2026-03-02T00:00:00Z,inrow-13,1,inf", r"line 2: value is 'inf': write a number of °C"),
        ("0001-01-01T00:00:00Z,inrow-13,1,12.0", r"line 2: time is '0001-01-01T00:00:00Z': write ISO 8601"),
        ("2026-03-02T00:00:00Z,inrow-13,1,12.0", r"readings of inrow-13 sensor 1 is 1: give at least 96"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, error: str) -> None:
    """A bad cell, and too few readings, are refused with place, value and remedy."""
    path = tmp_path / "site.csv"
    path.write_text(f"time,unit,sensor,value\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=error):
        fit([path], ignore)


def test_readings_that_were_removed_are_missing(tmp_path: Path, fitted: Fitted) -> None:
    """In a run's own table, rows without a value are readings that never arrived; they count as missing."""
    path = write(tmp_path / "readings.csv")
    table = pd.read_csv(path, dtype="str")
    table.loc[[500, 900, 5_000], "value"] = ""
    table.to_csv(path, index=False)
    poorer = fit([path], ignore)
    assert poorer.sensors["missing"].sum() == 3
    assert poorer.site.medians == fitted.site.medians


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (
            lambda table: table.assign(time="2026-03-02T00:00:00Z"),
            "readings of one sensor have the same time",
        ),
        (
            lambda table: pd.concat([table, table.tail(1).assign(time="1905-01-01T00:00:00Z")]),
            r"readings that are 300\.0 s apart lie within 121\.2 years: leave out those that are far away",
        ),
    ],
)
def test_times_that_make_no_grid(
    tmp_path: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], error: str
) -> None:
    """Readings that all have one time, or lie a century apart, are refused before they fill the memory."""
    path = write(tmp_path / "site.csv", days=1)
    edit(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(InputError, match=error):
        fit([path], ignore)


def test_missing_column_and_missing_file_are_named(tmp_path: Path) -> None:
    """A CSV without a column and a missing file are refused, and the error names them."""
    path = tmp_path / "site.csv"
    path.write_text("time,unit,value\n")
    with pytest.raises(InputError, match=r"site\.csv: line 1 is 'time,unit,value': add the column sensor"):
        fit([path], ignore)
    with pytest.raises(InputError, match=r"none\.csv"):
        fit([tmp_path / "none.csv"], ignore)


def test_a_unit_that_cools_nothing_is_refused(tmp_path: Path) -> None:
    """If the return air is colder than the supply air, the error names the unit."""
    path = write(tmp_path / "site.csv", days=1)
    table = pd.read_csv(path)
    table["sensor"] = 5 - table["sensor"]
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"medians\.inrow-13 is .*return air warmer than supply air"):
        fit([path], ignore)


def test_capture_with_too_few_readings_is_refused(tmp_path: Path) -> None:
    """A capture is read by the decoder; three quarters of an hour are not enough."""
    made_run.make(tmp_path / "run")
    with pytest.raises(InputError, match="give at least 96 readings"):
        fit([tmp_path / "run" / "capture" / "day-1-000.pcap"], ignore)


def test_units_of_another_site(tmp_path: Path) -> None:
    """With a site its units are fitted, and the file holds its devices; a unit without readings keeps its medians."""
    groups = [
        {"name": "row{number}", "number": 7, "count": 2, "address": 300, "client": "r{number}x{sensor}"}
    ]
    devices = Site.check({"devices": groups, "medians": {"row7": (11, 15, 20, 26)}}, "site")
    csv, out = write(tmp_path / "site.csv", devices, days=1), tmp_path / "site.toml"
    fitting.run([csv], out, ignore, site=devices)
    site = load_site(out)
    assert site.devices == devices.devices
    assert site.units["row7"].medians == pytest.approx((11, 15, 20, 26), abs=0.4)
    assert site.units["row8"] == devices.units["row8"]
    with pytest.raises(InputError, match=r"unit is 'row7': use one of inrow-13, .*, or name the site"):
        fit([csv], ignore)


def test_client_ids_of_another_site(tmp_path: Path) -> None:
    """With a site its client ids are those of its units; without one they are refused."""
    devices = Site.check({"devices": [{"name": "row7", "address": 300, "client": "r7x{sensor}"}]}, "site")
    made = made_publishers.capture(tmp_path / "made.pcap", made_publishers.unit("10.0.0.5", "r7x", count=100))
    assert fit([made], ignore, site=devices).site.units["row7"].medians == pytest.approx(
        made_publishers.MEDIANS, abs=0.1
    )
    with pytest.raises(InputError, match=r"client id is 'r7x1': use one of 131, .*, or name the site"):
        fit([made], ignore)


def test_drift_of_a_short_time() -> None:
    """Lags are at most half of the readings; readings of less than an hour show no drift."""
    slow = pd.Series(np.sin(np.arange(700) / 100))
    assert np.isfinite(slow_spread(slow, 10.0))
    assert slow_spread(slow[:96], 10.0) == 0


@pytest.mark.dad
@pytest.mark.skipif(
    not DAD.is_dir(), reason=f"the published captures are not in {DAD}; name them in COLDAISLE_DAD"
)
def test_published_monday_gives_the_defaults() -> None:
    """The Monday's medians are within 0.15 °C of the defaults, noise within 15 %, shares and correlations within 0.1."""
    fitted, ours = fit([DAD / "capture_1910210000_mon.pcap"], ignore).site, Site()
    for name, unit in ours.units.items():
        assert fitted.medians[name] == pytest.approx(unit.medians, abs=0.15)
    assert fitted.noise == pytest.approx(ours.noise, rel=0.15)
    assert fitted.autocorrelation == pytest.approx(ours.autocorrelation, abs=0.1)
    assert fitted.coupling == pytest.approx(ours.coupling, abs=0.1)
    assert fitted.excursion_share == pytest.approx(ours.excursion_share, abs=0.015)
