"""The kinds of companions: devices of a site that are no InRow units.

A companion publishes, listens, or both, over one MQTT connection. It takes no readings, and no attack aims at it, but every frame of it
is accounted for. A kind is one row here, or of a package of your own under the entry point ``coldaisle.devices``; the class ``Device``
in its module plays it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coldaisle_contracts.dialects import Qos, Version
from coldaisle_contracts.extensions import Table
from coldaisle_contracts.kind_rules import NAME
from coldaisle_contracts.records import Records, fault, most_per_second

Value = bool | int | float | str | Records
"""The value of a parameter."""
MOST_WINDOWS = 16
"""Most messages in a burst of a vibration sensor."""


@dataclass(frozen=True)
class DeviceParameter:
    """A parameter of a kind of companion: a further key of its groups in a site file.

    Attributes:
        name: its key.
        default: its value where a group does not name it; also its type. Records have none: the default is (), and a group has to name them.
        meaning: its meaning, for the documentation.
        unit: SI unit, or the things that are counted; empty for a text.
        least, most: bounds of a number.
        choices: the texts that there are; any text where empty.
        form: regular expression of the texts that there are; any text where empty.
    """

    name: str
    default: Value
    meaning: str
    unit: str = ""
    least: float = float("-inf")
    most: float = float("inf")
    choices: tuple[str, ...] = ()
    form: str = ""

    @property
    def holds_records(self) -> bool:
        """Whether its value is recorded values, which each group has to name."""
        return isinstance(self.default, tuple)

    def fault(self, value: object) -> str:
        """Return what would be right where a value is wrong, as the second half of a sentence; else an empty text."""
        if self.holds_records:
            return fault(value)
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else "write true or false"
        if isinstance(self.default, str):
            allowed = isinstance(value, str) and (not self.choices or value in self.choices)
            if allowed and self.form and not re.fullmatch(self.form, str(value)):
                return f"write {self.meaning}"
            return (
                "" if allowed else f"use one of {', '.join(self.choices)}" if self.choices else "write a text"
            )
        whole = isinstance(self.default, int)
        numeric = isinstance(value, int) or (isinstance(value, float) and not whole)
        if numeric and not isinstance(value, bool) and self.least <= float(str(value)) <= self.most:
            return ""
        number = "a whole number" if whole else "a number"
        return f"give {number} from {self.least:g} to {self.most:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class DeviceKind:
    """A kind of companion.

    Attributes:
        name: as written in a site file.
        summary: what it is and what it publishes, in one line, for the documentation.
        module: importable name of the module whose class ``Device`` plays it; empty for a kind that coldaisle ships, whose module has its
            name.
        parameters: its parameters.
        interval_s: usual time between two of its messages, in s; 0 for a kind that publishes on events, which has no interval.
        per_day: name of the parameter that says how many events a day has on average; empty where there is an interval.
        each: most messages that it publishes for each interval or event.
        qos, retain: the usual dialect of its messages.
        versions: the versions of MQTT that it can speak, the usual one first.
        topic: pattern of its usual topic; where it is empty, the kind's name and the number, as in ``power-meter/1``.
        topic_form: regular expression of the topics that it can have; any where it is empty.
    """

    name: str
    summary: str
    module: str = ""
    parameters: tuple[DeviceParameter, ...] = ()
    interval_s: float = 60.0
    per_day: str = ""
    each: int = 1
    qos: Qos = 0
    retain: bool = False
    versions: tuple[Version, ...] = ("3.1.1", "3.1", "5")
    topic: str = ""
    topic_form: str = ""

    @property
    def played_by(self) -> str:
        """Importable name of the module whose class plays it."""
        return self.module or f"coldaisle_sensors.devices.{self.name.replace('-', '_')}"

    @property
    def usual(self) -> dict[str, Value]:
        """The values of a group's keys where it does not name them."""
        timed: dict[str, Value] = {"interval_s": self.interval_s} if self.interval_s else {}
        return {
            "name": f"{self.name}-{{number}}",
            "client": f"{self.name.replace('-', '')}{{number}}",
            "topic": self.topic or f"{self.name}/{{number}}",
            **timed,
            "qos": self.qos,
            "retain": self.retain,
            "version": self.versions[0],
            **{parameter.name: parameter.default for parameter in self.parameters},
        }

    def most_per_second(self, interval_s: float, parameters: Mapping[str, Value]) -> float:
        """Return the mean number of its messages in a second; of records the number in their densest 10 s."""
        if self.interval_s:
            return self.each / interval_s
        if self.per_day:
            return self.each * float(str(parameters[self.per_day])) / 86_400
        return sum(most_per_second(value) for value in parameters.values() if isinstance(value, tuple))


def _faults(name: str, kind: DeviceKind) -> Iterator[str]:
    """Yield what is wrong with the row of another package, as the second half of a sentence."""
    if kind.name != name or not NAME.fullmatch(name):
        yield f"its name is {kind.name!r}: both names have to be the same, of lower-case letters, digits and hyphens"
    if name == UNIT:
        yield f"{UNIT} is the kind of the units: choose another name"
    if not kind.module:
        yield "its module is empty: name the module whose class Device plays it"
    if not kind.versions:
        yield "its versions are empty: name the versions of MQTT that it can speak"
    for parameter in kind.parameters:
        if not parameter.holds_records and (wrong := parameter.fault(parameter.default)):
            yield f"the default of its parameter {parameter.name} is {parameter.default!r}: {wrong}"
    if kind.per_day and kind.per_day not in {parameter.name for parameter in kind.parameters}:
        yield f"its per_day is {kind.per_day!r}: name one of its parameters"


UNIT = "inrow"
"""The kind of device that is a unit."""
_FILTER = r"#|(\+|[\w.-]{1,40})(/(\+|[\w.-]{1,40})){0,9}(/#)?"
"""Form of the filters that a companion can subscribe to."""
_KINDS = (
    DeviceKind(
        "power-meter",
        "a meter in a rack that publishes voltage, current, power and energy as JSON",
        parameters=(
            DeviceParameter("watts", 3200.0, "mean power of the rack", "W", 10.0, 50_000.0),
            DeviceParameter("volts", 230.0, "mean voltage", "V", 90.0, 480.0),
            DeviceParameter("swing", 0.15, "share by which the power is higher in the afternoon than on average", "1", 0.0, 0.9),
        ),
    ),
    DeviceKind(
        "door-contact",
        "a contact at a door that publishes `open` and `closed`, and whether it is on",
        parameters=(
            DeviceParameter("per_day", 40.0, "mean number of openings in a day", "openings", 0.0, 2_000.0),
            DeviceParameter("lasts_s", 45.0, "mean time for which the door is open", "s", 1.0, 36_000.0),
        ),
        interval_s=0.0, per_day="per_day", each=2, qos=2, retain=True,
    ),
    DeviceKind(
        "leak-detector",
        "a detector under the raised floor that publishes `wet` and `dry`, and whether it is on",
        parameters=(
            DeviceParameter("per_day", 1.0, "mean number of leaks in a day", "leaks", 0.0, 200.0),
            DeviceParameter("lasts_s", 900.0, "mean time for which a leak lasts", "s", 1.0, 36_000.0),
        ),
        interval_s=0.0, per_day="per_day", each=2, qos=2, retain=True,
    ),
    DeviceKind(
        "vibration-sensor",
        "a sensor on a fan that publishes a burst of windows of samples as CBOR, at a seeded instant of each interval",
        parameters=(
            DeviceParameter("windows", 10, "number of messages in a burst, one every 0.1 s", "messages", 1, MOST_WINDOWS),
            DeviceParameter("rpm", 1480.0, "speed of the shaft", "1/min", 60.0, 30_000.0),
            DeviceParameter("velocity", 1.8, "usual RMS of the vibration", "mm/s", 0.01, 50.0),
        ),
        interval_s=600.0,
        each=MOST_WINDOWS,
    ),
    DeviceKind(
        "sparkplug-node",
        "an edge node of Sparkplug B: birth, data of a water circuit by exception, death, and a new birth on command",
        parameters=(
            DeviceParameter("flow", 42.0, "mean flow of the water", "l/min", 0.1, 10_000.0),
            DeviceParameter("rpm", 2900.0, "speed of the pump when a day begins", "1/min", 100.0, 30_000.0),
        ),
        interval_s=30.0,
        versions=("3.1.1", "5"),
        topic="spBv1.0/aisle/NDATA/node-{number}",
        topic_form="spBv1.0/[^/]+/NDATA/[^/]+",
    ),
    DeviceKind(
        "replay",
        "a device that publishes the values of a CSV file at their times",
        parameters=(
            DeviceParameter("records", (), "CSV file with the columns value and time or offset_s, relative to the site file; or a list of pairs of time in s and text"),
        ),
        interval_s=0.0,
    ),
    DeviceKind(
        "controller",
        "a controller that hears the return air of units and sends each a set point for its supply air in every slot",
        parameters=(
            DeviceParameter("units", "*", "names of the units that it governs, or patterns such as crah-*, with blanks between them"),
            DeviceParameter("target", 27.0, "return air that it aims at", "°C", -20.0, 80.0),
            DeviceParameter("gain", 0.4, "change of the set point for each °C by which the return air changes", "1", 0.01, 2.0),
            DeviceParameter("integral_s", 900.0, "time in which the integral part does as much as the proportional part", "s", 300.0, 86_400.0),
            DeviceParameter("least", 18.0, "least set point", "°C", -20.0, 80.0),
            DeviceParameter("most", 27.0, "greatest set point", "°C", -20.0, 80.0),
        ),
        interval_s=0.0,
        qos=1,
        versions=("3.1.1", "3.1"),
        topic="IoT/set",
    ),
    DeviceKind(
        "dashboard",
        "a subscriber that shows what others publish; the broker keeps messages for it while it is away",
        parameters=(
            DeviceParameter("filter", "#", "a filter of topics, such as IoT or hall/+/power or #", form=_FILTER),
            DeviceParameter("persistent", default=True, meaning="whether its session lasts while it is away"),
            DeviceParameter("absent_every_h", 0.0, "time in which it is away once; 0 for never", "h", 0.0, 24.0),
            DeviceParameter("absent_min", 15.0, "length of each absence", "min", 1.0, 120.0),
        ),
        interval_s=0.0,
        qos=1,
        versions=("3.1.1", "3.1"),
    ),
)  # fmt: skip
SHIPPED_DEVICES: dict[str, DeviceKind] = {kind.name: kind for kind in _KINDS}
"""Every kind of companion that coldaisle ships by its name, in the order of the documentation."""
DEVICES: Table[DeviceKind] = Table("coldaisle.devices", SHIPPED_DEVICES, DeviceKind, _faults)
"""Every kind of companion by its name: the shipped ones and those of other packages (docs/extending.md)."""
