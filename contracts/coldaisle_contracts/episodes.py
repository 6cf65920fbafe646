"""An episode of a plan, and its acts."""

from typing import Annotated

from pydantic import Field

from coldaisle_contracts.kinds import KINDS, KindName
from coldaisle_contracts.scenario import Target
from coldaisle_contracts.taxonomy import Kind
from coldaisle_contracts.validation import Model

Count = Annotated[int, Field(ge=0, lt=1 << 32)]
Sensor = Annotated[int, Field(ge=0, le=4)]
Number = Annotated[float, Field(ge=-1e15, le=1e15)]
Nanoseconds = Annotated[int, Field(ge=0, le=1 << 62)]


class Act(Model):
    """One act of an episode.

    Attributes:
        slot: its slot, from 0; for an act on a reading the reading's slot.
        sensor: number of the sensor; 0 where the act concerns none.
        operation: the operation, such as ``shift``, ``swallow`` or the name of a kind.
        amount: amount of the operation: in °C, in s, a factor or a count.
        times_ns: virtual times of further deliveries, of a release or of the act itself, in ns since the epoch; empty where the act is
            played as a frame passes.
    """

    slot: Count
    sensor: Sensor
    operation: str
    amount: Number = 0.0
    times_ns: tuple[Nanoseconds, ...] = ()


class Episode(Model):
    """One anomaly, from its preparation to its last trace.

    Attributes:
        id: ``e01``, ``e02``, … in order of time; ``a01``, ``a02``, … for those that were put in while the run was played.
        kind: its kind in the taxonomy.
        variant: variant of the kind.
        unit: the unit attacked, or ``broker``.
        onset: first slot attacked.
        readings: number of slots that it lasts.
        sensors: sensors attacked; none where the target is the broker.
        parameters: every parameter of the kind, by name.
        intensity: from 0, barely visible, to 1, blatant; none where the variant has no parameter to scale.
        stealth: whether its values stay within ``normal``.
        normal: per sensor attacked, least and greatest normal value, in °C.
        seed: seed of its other random choices.
        packets: greatest number of frames that the actor may make for it, relayed ones not counted.
        cost_s: estimate of the real time that it takes, in s.
        approach_ns: virtual time at which the actor starts to prepare; on the path this is before the onset.
        begin_ns: virtual time at which the acts begin; by then an attacker on the path must have confirmed that frames pass through it.
        end_ns: virtual time at which the actor starts to leave.
        acts: its acts; none for kinds whose presence on the path is the whole anomaly.
        chain: name of the chain that it is a step of; empty for an episode by itself.
        step: which step of the chain it is, from 1; 0 for an episode by itself.
    """

    id: str
    kind: KindName
    variant: str
    unit: Target
    onset: Count
    readings: Count
    sensors: tuple[Sensor, ...]
    parameters: dict[str, Number] = Field(default={})
    intensity: Number | None = None
    stealth: bool = False
    normal: dict[Sensor, tuple[Number, Number]] = Field(default={})
    seed: int = 0
    packets: Count = 0
    cost_s: Number = 0.0
    approach_ns: Nanoseconds
    begin_ns: Nanoseconds
    end_ns: Nanoseconds
    acts: tuple[Act, ...]
    chain: str = Field(default="", exclude_if=lambda chain: not chain)
    step: Count = Field(default=0, exclude_if=lambda step: not step)

    @property
    def row(self) -> Kind:
        """The row of its kind in the taxonomy."""
        return KINDS[self.kind]
