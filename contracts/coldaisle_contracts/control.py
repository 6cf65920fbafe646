"""The closed loop of a controller: its control law, and the response of a unit to the set points that it gets.

Both are pure functions without state of their own, so the unit, the controller, the labels and the witness compute the same numbers.
Temperatures are whole hundredths of a °C, as in payloads, because two courses of a loop are compared exactly.
"""

import math
from dataclasses import dataclass, replace

SUPPLY_LAG_S, AISLE_LAG_S = 120.0, 600.0
"""Time constants of the supply air behind its set point and of the return air behind the supply air, in s."""
RETURN_AIR = 4
"""Number of the sensor whose readings a controller uses."""


@dataclass(frozen=True)
class Law:
    """Proportional-integral control of a unit's return air by the set point of its supply air.

    The incremental form needs no further measure against windup where the set point is clipped (Åström, Hägglund: Advanced PID
    Control, 2006, sections 3.5 and 13.4): ``u[n] = u[n-1] + K ((e[n] - e[n-1]) + h / T e[n])`` with ``e = target - return air``.

    Attributes:
        target: return air that it aims at, in 0.01 °C.
        nominal: set point with which each day starts, in 0.01 °C.
        least, most: bounds of the set point, in 0.01 °C.
        gain: the gain K, in °C of the set point for each °C of the return air.
        share: interval divided by the integral time, h / T.
    """

    target: int
    nominal: int
    least: int
    most: int
    gain: float
    share: float

    def start(self) -> "Command":
        """Return the state at the start of a day."""
        return Command(float(self.nominal))

    def next(self, before: "Command", return_air: int | None) -> "Command":
        """Return the state after a cycle.

        Args:
            before: the state after the cycle before.
            return_air: the newest reading that came since then, in 0.01 °C; ``None`` where none came, and then nothing changes.
        """
        if return_air is None:
            return before
        error = self.target - return_air
        last = error if before.error is None else before.error
        exact = before.exact + self.gain * ((error - last) + self.share * error)
        return Command(float(min(max(exact, self.least), self.most)), error)


@dataclass(frozen=True)
class Command:
    """The state of the control law.

    Attributes:
        exact: the set point before it is rounded, in 0.01 °C.
        error: the last deviation from the target, in 0.01 °C; ``None`` before the first reading of a day.
    """

    exact: float
    error: int | None = None

    @property
    def set_point(self) -> int:
        """The set point, in 0.01 °C."""
        return round(self.exact)


@dataclass(frozen=True)
class Response:
    """How far a unit's temperatures are from those that it would have at its nominal set point.

    Supply air follows the set point, and return air follows supply air, each as a first-order lag: the heat load and the flow of air stay
    as they are, so in the end both move by the same. Until then the air of the aisle gives off heat, or takes it up, and by the unit's
    energy balance (:mod:`coldaisle_sensors.temperature_model`) coolant out differs by the ratio of the flows times the difference.

    Attributes:
        supply: distance of the supply air, in 0.01 °C.
        aisle: distance of the return air, in 0.01 °C.
    """

    supply: float = 0.0
    aisle: float = 0.0

    def after(self, distance: int, interval_s: float) -> "Response":
        """Return the response one interval later.

        Args:
            distance: set point in force during the interval, less the nominal one, in 0.01 °C.
            interval_s: the interval, in s.
        """
        supply = self.supply + _part(interval_s, SUPPLY_LAG_S) * (distance - self.supply)
        return replace(
            self, supply=supply, aisle=self.aisle + _part(interval_s, AISLE_LAG_S) * (supply - self.aisle)
        )

    def at_sensors(self, ratio: float) -> tuple[int, int, int, int]:
        """Return what it adds to the reading of each sensor, in 0.01 °C.

        Args:
            ratio: rise of the coolant divided by the fall of the air, of the unit's medians.
        """
        return 0, round(ratio * (self.aisle - self.supply)), round(self.supply), round(self.aisle)


def _part(interval_s: float, lag_s: float) -> float:
    """Return the part of the way that a first-order lag moves in an interval; rounded, so that every processor has the same."""
    return round(1 - math.exp(-interval_s / lag_s), 9)


def hundredths(celsius: float) -> int:
    """Return a temperature in 0.01 °C."""
    return round(celsius * 100)


def as_text(hundredth: int) -> str:
    """Return a temperature as payloads have it, in °C with two decimals."""
    return f"{hundredth / 100:.2f}"
