"""The words for anomalies: roles of frames, parameters of kinds, and what a kind is; its table is ``kinds``."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ATTACK_MATRIX = "MITRE ATT&CK for ICS v17"

Family = Literal["on the path", "rogue client", "denial of service", "reconnaissance and time", "benign"]
Pace = Literal["none", "readings", "copies", "holds", "queries", "slots", "once", "ends", "outage"]
"""How the plan lays the acts of an episode:

* ``none``: being there is all;
* ``readings``: one on each reading attacked, when it passes;
* ``copies``: the same, with the times of further deliveries;
* ``holds``: the same, with the time at which the reading goes on;
* ``queries``: one on each NTP query of the unit;
* ``slots``: one in each slot, at a time drawn by seed (for each sensor attacked, where the target is a unit);
* ``once``: one in the first slot, at a time drawn by seed;
* ``ends``: one in the first slot, one in the last;
* ``outage``: one around the first reading, with the times of its begin and end.
"""

Edit = Literal["", "modify", "swallow", "hold", "tamper", "lose", "double"]
"""What becomes of a reading on the path, which is what the journal calls the act:

* empty: it passes;
* ``modify``: another value is delivered; where that is the same text, nothing is done and nothing journalled;
* ``swallow``: it is taken out of the stream and acknowledged in the broker's place;
* ``hold``: the same, to be delivered later (``release``);
* ``tamper``: one header field of its frame is set;
* ``lose``: the segment that carries it is dropped;
* ``double``: that segment is passed on twice.
"""


class Role(StrEnum):
    """What an episode made of a frame (or, for ``REMOVED``, of a reading).

    ``KERNEL`` belongs to no episode: ARP by which the attacker's own kernel renews what it knows, and the answers.
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
    """A number that says how a kind is played.

    Attributes:
        name: its key in a scenario.
        unit: SI unit, or what is counted.
        least, most: bounds of what a scenario may ask for.
        faint, blatant: what intensity 0 and 1 stand for when a scenario does not name it.
        meaning: what it says.
        signed: whether a drawn value is as often negative; ``faint`` and ``blatant`` are then its size.
        around: what a drawn value is added to.
        whole: whether it is a whole number.
        variants: the variants that have it; all when empty.
        drawn: whether a value is drawn when none is named.
        overt: whether an episode that hides does without it.
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
class Kind:
    """A kind of episode: a row of the taxonomy.

    Attributes:
        name: as written in a scenario; also its module's, with ``_`` for ``-``.
        family: where the one who plays it stands; ``benign`` is no attack.
        technique: id in :data:`ATTACK_MATRIX`, empty for benign kinds.
        seen: what the victim, or who looks at the capture, sees of it.
        filter: Wireshark display filter that finds it in a capture.
        roles: the roles it produces.
        variants: ways to play it, drawn by seed when a scenario names none.
        parameters: its parameters.
        target: whether a unit is attacked or the broker.
        actor: who plays it: the injector, or the unit itself.
        pace: how its acts are laid.
        edit: what becomes of a reading that an act names. Where that is ``modify`` the act itself has the variant's name, which says
            how the value changes, and an amount, the variant's first parameter.
        frames: frames made for an act at most, what a parameter ``count`` asks for (``frames_each`` for one) left out.
        frames_each: frames made for one of ``count`` at most.
        cost_s: real time an act takes, s; being busy without a pause (``acts.effort_s``) adds to it.
        stealth: whether it can stay inside the sensor's normal values and times.
        tail: slots it may reach beyond its last reading.
        needs: what it needs of the kernel that not every machine has.
    """

    name: str
    family: Family
    technique: str
    seen: str
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

    @property
    def benign(self) -> bool:
        """Whether it is an anomaly and no attack."""
        return self.family == "benign"

    @property
    def picks_sensors(self) -> bool:
        """Whether it is played on some of a unit's sensors, rather than on the unit or the broker."""
        return self.target == "unit" and self.actor == "injector"

    @property
    def brief(self) -> bool:
        """Whether it is over within one slot."""
        return self.pace in ("once", "outage")

    @property
    def on_path(self) -> bool:
        """Whether the injector plays it between a unit and the broker."""
        return _ON_PATH in self.roles

    @property
    def module(self) -> str:
        """Name of the module that plays it."""
        return self.name.replace("-", "_")


_ON_PATH = Role.RELAYED
