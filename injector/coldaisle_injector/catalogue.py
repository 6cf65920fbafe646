"""The interface of an attack, its two base classes, and the lookup of the class that plays a kind."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act, Episode
from coldaisle_contracts.players import player_of
from coldaisle_contracts.units import Unit
from coldaisle_injector.edits import Editing
from coldaisle_injector.foothold import Foothold
from coldaisle_injector.notes import Notes
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


@dataclass(frozen=True)
class Scene:
    """The objects that an attack works with.

    Attributes:
        path: the path between the unit attacked and the broker; ``None`` where the target is the broker.
        foothold: the attacker's own place on the network.
        notes: the attacker's journal.
        unit: the unit attacked; where the target is the broker, the first one of the plan, whose topic and payloads an attack imitates.
        subscription: the filter that receives the messages of all sensors.
        tls: folder of certificates, which has the attacker's own where the broker has TLS.
    """

    path: Path | None
    foothold: Foothold
    notes: Notes
    unit: Unit
    subscription: str
    tls: FilePath = FilePath()


class OnPath(Editing):
    """Base class of attacks on the path between a unit and the broker; by itself it lets every frame pass.

    Attributes:
        episode: the episode played.
        acts: its acts by slot and sensor.
    """

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.acts: dict[tuple[int, int], Act] = {(act.slot, act.sensor): act for act in episode.acts}

    def script(self, scene: Scene) -> Script:
        """Get on the path, act, and leave it."""
        path = scene.path
        assert path is not None  # noqa: S101 - the schedule gives every unit's episode its path
        yield At(self.episode.approach_ns)
        path.approach(self.episode, self)
        yield At(self.episode.begin_ns)
        path.begin()
        yield from self.during(path)
        yield At(self.episode.end_ns)
        self.undo(path)
        path.leave()

    def undo(self, path: Path) -> None:
        """Remove traces that would stay at the broker; by itself there are none."""

    def during(self, path: Path) -> Script:
        """Play the acts that are due between readings; by itself there are none."""
        del path
        yield from ()


class Rogue:
    """Base class of attacks from the attacker's own host.

    Attributes:
        episode: the episode played.
        rng: its random choices, seeded by the episode.
    """

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.rng = random.Random(episode.seed)  # noqa: S311 - a simulation

    def script(self, scene: Scene) -> Script:
        """Play every act at its time, and close the remaining connections at the end."""
        yield At(self.episode.begin_ns)
        scene.foothold.enter(self.episode, scene.notes)
        for act in self.episode.acts:
            yield At(act.times_ns[0])
            yield from self.play(act, scene)
        yield At(self.episode.end_ns)
        yield from scene.foothold.leave(scene.notes)

    def play(self, act: Act, scene: Scene) -> Script:
        """Play one act."""
        raise NotImplementedError

    def paced(self, act: Act) -> Iterator[At]:
        """Yield the time of each of the things that an act counts, at the rate of the episode."""
        for number in range(round(act.amount)):
            yield At(act.times_ns[0] + round(number / self.episode.parameters["rate"] * SECOND))


Attack = OnPath | Rogue
"""An anomaly that the injector plays; every module in ``attacks/`` has a class ``Attack`` with one of these bases."""


def attack_for(episode: Episode) -> Attack:
    """Return the attack that plays an episode: ``attacks/<kind>.py``, or the module of another package.

    Raises:
        InputError: if that module cannot be used.
    """
    attack: Attack = player_of(episode.row)(episode)
    return attack
