"""Parameters of the mathematical model of the units, which stand for a real site.

The defaults are the published DAD captures' medians, noise and autocorrelation (Vigoya et al.,
Sensors 2020, 20(13), 3745); ``coldaisle fit`` estimates them from other captures.
"""

import math
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from coldaisle_contracts.texts import read_toml
from coldaisle_contracts.validation import MismatchError, Model

PerSensor = tuple[float, float, float, float]
"""One number for each sensor of a unit: coolant in, coolant out, supply air, return air."""

_COOLANT = 2
"""Greatest number of a sensor in the coolant."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0, le=5.0)]
Correlation = Annotated[float, Field(gt=-1.0, lt=1.0)]
Celsius = Annotated[float, Field(ge=-20.0, le=80.0)]


class Season(Model):
    """The site's seasonality, shared by its units through the heat load.

    The published captures show no daily cycle, so the defaults are small; turn them up to have one.

    Attributes:
        daily: amplitude of the first daily Fourier term of the return air, in °C.
        weekly: amplitude of the first weekly Fourier term of the return air, in °C.
        peak_hour: local hour of the day at which the daily term is highest, in h.
        peak_day: day of the week (Monday's midnight is 0) at which the weekly term is highest.
    """

    daily: float = Field(default=0.05, ge=0.0, le=10.0)
    weekly: float = Field(default=0.02, ge=0.0, le=10.0)
    peak_hour: float = Field(default=15.0, ge=0.0, lt=24.0)
    peak_day: float = Field(default=2.5, ge=0.0, lt=7.0)


class Site(Model):
    """Parameters of the model of the units of a site.

    Attributes:
        medians: per unit, the median of each sensor, in °C.
        noise: standard deviation of each sensor's short-term noise, in °C.
        autocorrelation: lag-1 autocorrelation of that noise.
        coupling: share of the noise's variance that the sensors of a unit have in common.
        drift: standard deviation of the slow drift of the chilled water, in °C.
        excursion_share: share of slots in which all sensors of a unit jump together.
        season: daily and weekly seasonality.
    """

    medians: dict[str, tuple[Celsius, Celsius, Celsius, Celsius]] = Field(
        default={
            "inrow-13": (11.94, 15.89, 20.00, 27.34),
            "inrow-15": (11.68, 15.36, 20.00, 27.21),
            "inrow-23": (11.13, 14.94, 20.00, 26.30),
            "inrow-25": (11.24, 15.34, 20.00, 26.80),
        }
    )
    noise: tuple[Spread, Spread, Spread, Spread] = (0.15, 0.14, 0.13, 0.13)
    autocorrelation: tuple[Correlation, Correlation, Correlation, Correlation] = (0.15, 0.13, 0.08, 0.06)
    coupling: Fraction = 0.9
    drift: Spread = 0.16
    excursion_share: Fraction = 0.045
    season: Season = Season()

    def normal(self, unit: str, sensor: int) -> tuple[float, float]:
        """Return least and greatest normal value of a sensor, in °C: three standard deviations below and above its median.

        The variances of noise, drift (coolant sensors) and season (air, and through the energy balance coolant out) are added as
        independent ones; excursions lie outside this range.
        """
        index = sensor - 1
        swing = (self.season.daily**2 + self.season.weekly**2) / 2 * (0.0, 0.3, 0.01, 1.0)[index]
        variance = self.noise[index] ** 2 + swing + (self.drift**2 if sensor <= _COOLANT else 0.0)
        reach = 3 * math.sqrt(variance)
        return round(self.medians[unit][index] - reach, 2), round(self.medians[unit][index] + reach, 2)

    @field_validator("medians")
    @classmethod
    def _warmer_coming_back(cls, value: dict[str, PerSensor]) -> dict[str, PerSensor]:
        """Refuse a unit that does not cool, because its energy balance has no solution."""
        for unit, (coolant_in, coolant_out, supply, return_air) in value.items():
            if coolant_out <= coolant_in or return_air <= supply:
                remedy = "make coolant out warmer than coolant in, and return air warmer than supply air"
                raise MismatchError(unit, value[unit], remedy)
        return value


def load_site(path: Path) -> Site:
    """Read a site's parameters from TOML, as ``coldaisle fit`` writes them.

    Raises:
        InputError: if the file is missing or not TOML, or holds an unknown key or a bad value.
    """
    return Site.check(read_toml(path, "name a readable TOML file written by `coldaisle fit`"), path)
