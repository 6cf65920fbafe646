"""The closed loops of a site: which unit a controller governs, over which topics, and by which law."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from coldaisle_contracts.companions import Companion
from coldaisle_contracts.control import RETURN_AIR, Law, hundredths
from coldaisle_contracts.rhythms import STEADY
from coldaisle_contracts.topics import SENSORS
from coldaisle_contracts.units import Unit
from coldaisle_contracts.validation import MismatchError

CONTROLLER = "controller"
"""The kind of device that governs units."""
CYCLE_DELAY_S = 27.5
"""Time from the first unit's reading to the controller's cycle, in s: by then a reading that meets a lost connection has arrived."""
_UNLIKELY = 1e6
"""Numbers from this size on are no temperatures, in °C; neither are infinities and NaN."""
SHORTEST_S = 60.0
"""Shortest interval between two readings of a unit that is governed, in s."""


@dataclass(frozen=True)
class Loop:
    """A unit and the controller that governs it.

    Attributes:
        unit: the unit.
        controller: the controller.
        interval_s: time between two readings, and between two commands, in s.
    """

    unit: Unit
    controller: Companion
    interval_s: float

    @property
    def source(self) -> str:
        """The topic of the readings that the controller uses."""
        return self.unit.topic(RETURN_AIR)

    @property
    def topic(self) -> str:
        """The topic of the commands."""
        return f"{self.controller.topic}/{self.unit.name}"

    @property
    def client(self) -> str:
        """The client id with which the unit receives commands: that of no sensor."""
        return self.unit.client(0)

    @property
    def law(self) -> Law:
        """The control law."""
        parameters = self.controller.parameters
        target, least, most = (hundredths(float(str(parameters[key]))) for key in ("target", "least", "most"))
        share = self.interval_s / float(str(parameters["integral_s"]))
        return Law(
            target, hundredths(self.unit.medians[2]), least, most, float(str(parameters["gain"])), share
        )

    @property
    def ratio(self) -> float:
        """The rise of the coolant divided by the fall of the air, of the unit's medians."""
        coolant_in, coolant_out, supply, return_air = self.unit.medians
        return (coolant_out - coolant_in) / (return_air - supply)

    def return_air(self, payload: str) -> int | None:
        """Return the return air that a reading's payload says, in 0.01 °C; ``None`` where it is no number."""
        return number(self.unit.decode(payload))


def number(text: str) -> int | None:
    """Return a temperature in 0.01 °C from its text; ``None`` where that is no number of °C."""
    try:
        celsius = float(text)
    except ValueError:
        return None
    return hundredths(celsius) if abs(celsius) < _UNLIKELY else None


def governed(
    units: Mapping[str, Unit], companions: Iterable[Companion], interval_s: float
) -> dict[str, Loop]:
    """Return the loops of a site by the name of the unit."""
    return {
        name: Loop(unit, companion, interval_s)
        for companion in companions
        if companion.kind == CONTROLLER
        for name, unit in units.items()
        if is_named(name, str(companion.parameters["units"]))
    }


def is_named(unit: str, patterns: str) -> bool:
    """Tell whether the key ``units`` of a controller names a unit, by itself or by a pattern such as ``crah-*``."""
    return any(fnmatchcase(unit, pattern) for pattern in patterns.split())


def refuse_bad_loops(units: Mapping[str, Unit], companions: Iterable[Companion]) -> None:
    """Refuse controllers that cannot do what their site says.

    Raises:
        MismatchError: if a controller governs nothing, two govern one unit, or a unit that is governed cannot be.
    """
    owner: dict[str, str] = {}
    for companion in companions:
        if companion.kind != CONTROLLER:
            continue
        patterns = str(companion.parameters["units"])
        for pattern in patterns.split() or [""]:
            if not any(fnmatchcase(name, pattern) for name in units):
                raise MismatchError(
                    "devices.units", patterns, "name units of the site, or patterns such as crah-*"
                )
        for name, unit in units.items():
            if not is_named(name, patterns):
                continue
            if name in owner:
                remedy = f"{owner[name]} and {companion.name} both govern {name}: leave it to one of them"
                raise MismatchError("devices.units", patterns, remedy)
            owner[name] = companion.name
            _refuse_unit(unit, companion)
    sources = [unit.topic(sensor) for unit in units.values() for sensor in SENSORS]
    for name, controller in owner.items():
        if sources.count(units[name].topic(RETURN_AIR)) > 1:
            remedy = f"{controller} governs {name}: give each of its sensors a topic of its own, such as hall/{{number}}/{{sensor}}"
            raise MismatchError("devices.topic", units[name].topics, remedy)


def refuse_fast_loops(companions: Iterable[Companion], interval_s: float) -> None:
    """Refuse an interval that a controller cannot work with.

    Raises:
        MismatchError: if it is so short that readings may come after the cycle, or longer than an integral time, so that the loop swings.
    """
    for companion in companions:
        if companion.kind != CONTROLLER:
            continue
        integral_s = float(str(companion.parameters["integral_s"]))
        if interval_s < SHORTEST_S:
            remedy = f"{companion.name} governs units: give at least {SHORTEST_S:g} s"
            raise MismatchError("interval_s", interval_s, remedy)
        if interval_s > integral_s:
            remedy = f"{companion.name} governs units: give at most its integral_s, {integral_s:g} s"
            raise MismatchError("interval_s", interval_s, remedy)


def _refuse_unit(unit: Unit, companion: Companion) -> None:
    """Refuse a unit that speaks TLS or MQTT 5, which the witness does not follow in loops, or has a rhythm; and bounds without its supply air."""
    governs = f"{companion.name} governs {unit.name}"
    if unit.dialect.tls:
        raise MismatchError("devices.tls", value=True, remedy=f"{governs}: give false")
    if unit.dialect.has_properties:
        raise MismatchError("devices.version", unit.dialect.version, f"{governs}: use 3.1 or 3.1.1")
    if unit.rhythm.every > 1:
        raise MismatchError("devices.every", unit.rhythm.every, f"{governs} in every slot: leave it out")
    if unit.rhythm != STEADY:
        remedy = f"{governs}, and its cycles are at fixed times: leave it out"
        raise MismatchError("devices.jitter_s", unit.rhythm.jitter_s, remedy)
    least, most = (float(str(companion.parameters[key])) for key in ("least", "most"))
    supply = unit.medians[2]
    if not least <= supply <= most:
        remedy = f"{unit.name} blows {supply:g} °C: let least and most of {companion.name} ({least:g} and {most:g}) include that"
        raise MismatchError("devices.least", least, remedy)
