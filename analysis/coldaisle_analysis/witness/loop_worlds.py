"""A loop in two worlds: as it ran, and as it would have run without attacks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from coldaisle_contracts.control import RETURN_AIR, Command, Response, as_text
from coldaisle_contracts.loops import Loop
from coldaisle_contracts.topics import SENSORS

_AT_REST = (0, 0, 0, 0)


@dataclass
class _World:
    """One of them: the state of the law and of the unit, and for each slot set point and response, in 0.01 °C."""

    command: Command
    response: Response = field(default_factory=Response)
    points: dict[int, int] = field(default_factory=dict)
    added: dict[int, tuple[int, ...]] = field(default_factory=dict)


class Worlds:
    """A loop on one day; its events are told in the order of their times.

    Args:
        loop: the loop.
        frozen: slot that a stuck sensor shows, by slot and sensor of its reading.

    Attributes:
        blamed: the attack that last made the controller go by something else than what the unit published; empty for none.
        doubts: what cannot be explained.
    """

    def __init__(self, loop: Loop, frozen: dict[tuple[int, int], int]) -> None:
        self._loop, self._frozen, self._law = loop, frozen, loop.law
        self._real, self._free = _World(loop.law.start()), _World(loop.law.start())
        self._in_force = -1
        self._heard: tuple[int, str] | None = None
        self._published: tuple[int, int, str] | None = None
        self.blamed = ""
        self.doubts: list[str] = []

    def get(self, slot: int) -> None:
        """Let the unit get the command of a slot."""
        self._in_force = slot

    def send(self, slot: int, celsius: int, act: str) -> None:
        """Let the unit publish a reading of its return air.

        Args:
            slot: slot of the reading.
            celsius: its value, in 0.01 °C.
            act: attack that changed, removed or held it, empty for none.
        """
        self._published = slot, celsius, act

    def hear(self, celsius: int, episode: str) -> None:
        """Let the controller receive a reading, in 0.01 °C, perhaps one that an attack made, changed or delayed."""
        self._heard = celsius, episode

    def take(self, slot: int) -> Iterator[int]:
        """Let the unit take the readings of a slot, and yield the sensors that measure something else than without attacks."""
        for world in (self._real, self._free):
            if world.added:
                point = world.points.get(self._in_force, self._law.nominal)
                world.response = world.response.after(point - self._law.nominal, self._loop.interval_s)
            world.added[slot] = world.response.at_sensors(self._loop.ratio)
        for sensor in SENSORS:
            if self._moved(slot, sensor) and self.blamed:
                yield sensor

    def command(self, slot: int, sent: int | None) -> bool:
        """Let the controller send the command of a slot, in 0.01 °C, and tell whether it is another one than without attacks."""
        heard = self._heard[0] if self._heard else None
        by_unit = self._published[1] if self._published else None
        if heard != by_unit:
            changed = self._published[2] if self._published else ""
            self.blamed = changed or (self._heard[1] if self._heard else "") or self.blamed
        if self._published is not None and by_unit is not None:
            by_unit -= self._moved(self._published[0], RETURN_AIR)
        self._heard = self._published = None
        for world, celsius in ((self._real, heard), (self._free, by_unit)):
            world.command = self._law.next(world.command, celsius)
            world.points[slot] = world.command.set_point
        point = self._real.points[slot]
        name = f"the command to {self._loop.unit.name} in slot {slot}"
        if sent != point:
            text = "no number" if sent is None else as_text(sent)
            self.doubts.append(f"has {name}: it is {text}, and the law gives {as_text(point)}")
        differs = point != self._free.points[slot]
        if differs and not self.blamed:
            self.doubts.append(
                f"has {name}: it follows from other readings than the unit's, and from no attack"
            )
        return differs and bool(self.blamed)

    def _moved(self, slot: int, sensor: int) -> int:
        """Return by how much the attacks moved a reading, in 0.01 °C; 0 where it was not taken yet."""
        of_slot = self._frozen.get((slot, sensor), slot)
        real, free = (world.added.get(of_slot, _AT_REST)[sensor - 1] for world in (self._real, self._free))
        return real - free
