"""The vocabulary of anomalies: roles, parameters and the kind itself; the table of kinds is in ``kinds``."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ATTACK_MATRIX = "MITRE ATT&CK for ICS v17"

Family = Literal["on the path", "rogue client", "denial of service", "reconnaissance and time", "benign"]
Pace = Literal[
    "none", "readings", "copies", "holds", "queries", "slots", "once", "ends", "bounds", "before", "outage"
]
"""When the plan places the acts of an episode:

* ``none``: there are no acts, presence on the path is the anomaly;
* ``readings``: one act on each reading attacked, when it passes;
* ``copies``: the same, with the times of further deliveries;
* ``holds``: the same, with the time at which the reading is released;
* ``queries``: one on each NTP query of the unit;
* ``slots``: one in each slot, at a time drawn by seed (for each sensor attacked, where the target is a unit); where the unit itself plays
  it, one on its readings of the slot, whose amount grows towards ``size``;
* ``once``: one in the first slot, at a time drawn by seed;
* ``ends``: one in the first slot, one in the last;
* ``bounds``: for each sensor attacked one just before its first reading, and one after its last at a time drawn by seed;
* ``before``: for each sensor attacked one just before each reading;
* ``outage``: one around the first reading, with the times of its begin and end.
"""

Edit = Literal["", "modify", "swallow", "hold", "tamper", "lose", "double"]
"""The edit of a reading on the path, which is also the operation in the journal; a unit itself may ``swallow`` or ``hold``, too:

* empty: it passes;
* ``modify``: another value is delivered; where its text is the same, there is no act and no line in the journal;
* ``swallow``: it is removed from the stream and acknowledged in the broker's place (by the unit: it is never taken);
* ``hold``: the same, and it is delivered later (``release``);
* ``tamper``: one header field of its frame is set;
* ``lose``: the segment that carries it is dropped;
* ``double``: that segment is passed on twice.
"""


class Role(StrEnum):
    """The role of a frame (for ``REMOVED``, of a reading) in an episode.

    ``KERNEL`` frames belong to no episode: ARP with which the attacker's own kernel renews its cache, and the answers.
    """

    INJECTED = "injected"
    MODIFIED = "modified"
    DUPLICATE = "duplicate"
    DELAYED = "delayed"
    RELAYED = "relayed"
    CONSEQUENCE = "consequence"
    REMOVED = "removed"
    KERNEL = "kernel"


@dataclass(frozen=True)
class Parameter:
    """A numeric parameter of a kind.

    Attributes:
        name: its key in a scenario.
        unit: SI unit, or the things that are counted.
        least, most: bounds of the values that a scenario may name.
        faint, blatant: values at intensity 0 and 1, used where a scenario names no value.
        meaning: its meaning, for the documentation.
        signed: whether a drawn value is negative half of the time; ``faint`` and ``blatant`` are then its magnitude.
        around: number to which a drawn value is added.
        whole: whether it is a whole number.
        variants: the variants that have it; all when empty.
        drawn: whether a value is drawn where the scenario names none.
        overt: whether episodes with stealth do not use it.
    """

    name: str
    unit: str
    least: float
    most: float
    faint: float
    blatant: float
    meaning: str
    signed: bool = False
    around: float = 0.0
    whole: bool = False
    variants: tuple[str, ...] = ()
    drawn: bool = True
    overt: bool = False

    def of(self, variant: str) -> bool:
        """Tell whether a variant has this parameter."""
        return not self.variants or variant in self.variants

    def at(self, intensity: float, sign: int = 1) -> float:
        """Return its value at an intensity between 0 and 1, within its bounds."""
        size = self.faint + intensity * (self.blatant - self.faint)
        value = self.around + (sign if self.signed else 1) * size
        value = round(value) if self.whole else round(value, 4)
        return min(max(value, self.least), self.most)


@dataclass(frozen=True)
class Demand:
    """A property that the units of an episode need to have; where the broker is attacked, the unit that is imitated.

    Attributes:
        key: key of a group in a site file, such as ``qos``.
        values: its values with which the kind can be played.
        reason: why no other value will do, as a sentence without its full stop.
        variants: the variants that need it; all when empty.
    """

    key: str
    values: tuple[bool | int | str, ...]
    reason: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of episode: a row of the taxonomy.

    Attributes:
        name: as written in a scenario.
        family: the actor's position; ``benign`` is no attack.
        technique: id in :data:`ATTACK_MATRIX`, empty for benign kinds.
        effect: its visible effect on the victim or in the capture.
        filter: Wireshark display filter that finds it in a capture.
        roles: the roles it produces.
        variants: its variants; one is drawn by seed where the scenario names none.
        parameters: its parameters.
        target: whether a unit or the broker is attacked.
        actor: whether the injector or the unit itself plays it.
        pace: when its acts are placed.
        edit: edit of a reading that an act names. For ``modify`` the operation of the act is the variant, which says how the value changes,
            and its amount is the variant's first parameter.
        frames: greatest number of frames made for an act, without those for a parameter ``count``.
        frames_each: greatest number of frames made for each of ``count``.
        cost_s: real time that an act takes, in s; ``acts.effort_s`` adds to it.
        stealth: whether it can stay within the sensor's normal values and times.
        tail: slots that it may reach beyond its last reading.
        needs: kernel features that it needs and not every machine has.
        demands: what it needs of the dialect of its unit; an episode without that is refused, and none such is drawn.
        expels: whether its acts break a sensor's connection, so that the sensor opens another; each act notes the sensor's client id.
        module: importable name of the module whose class plays it; empty for a kind that coldaisle ships, whose module has its name.
        drawn: whether a scenario whose table ``drawn`` names no kinds draws it; a kind of another package is never drawn then.
    """

    name: str
    family: Family
    technique: str
    effect: str
    filter: str
    roles: tuple[Role, ...]
    variants: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    target: Literal["unit", "broker"] = "unit"
    actor: Literal["injector", "unit"] = "injector"
    pace: Pace = "readings"
    edit: Edit = ""
    frames: int = 8
    frames_each: int = 0
    cost_s: float = 0.06
    stealth: bool = False
    tail: int = 1
    needs: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    expels: bool = False
    module: str = ""
    drawn: bool = True

    @property
    def benign(self) -> bool:
        """Whether it is an anomaly but no attack."""
        return self.family == "benign"

    @property
    def picks_sensors(self) -> bool:
        """Whether it is played on some of a unit's sensors, not on the unit as a whole or the broker."""
        return self.target == "unit" and (self.actor == "injector" or self.on_readings)

    @property
    def on_readings(self) -> bool:
        """Whether each of its acts concerns a reading."""
        return self.pace in ("readings", "copies", "holds")

    @property
    def brief(self) -> bool:
        """Whether it ends within one slot."""
        return self.pace in ("once", "outage")

    @property
    def on_path(self) -> bool:
        """Whether the injector plays it between a unit and the broker."""
        return Role.RELAYED in self.roles

    @property
    def played_by(self) -> str:
        """Importable name of the module whose class plays it, see :func:`~coldaisle_contracts.players.player_of`."""
        folder = "injector.attacks" if self.actor == "injector" else "sensors.anomalies"
        return self.module or f"coldaisle_{folder}.{self.name.replace('-', '_')}"
