"""The catalogue: what an attack is, and where each kind is found."""

import importlib
from dataclasses import dataclass
from typing import Protocol

from coldaisle_contracts.plan import Act, Episode
from coldaisle_injector.edits import Edit, Pass, Reading
from coldaisle_injector.foothold import Foothold
from coldaisle_injector.notes import Notes
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import At, Script


@dataclass(frozen=True)
class Scene:
    """What an attack has to work with.

    Attributes:
        path: the path between the unit attacked and the broker; the broker's own kinds have none.
        foothold: the attacker's own place on the network.
        notes: its journal.
    """

    path: Path | None
    foothold: Foothold
    notes: Notes


class Attack(Protocol):
    """One anomaly; every module in ``attacks/`` has one, called ``Attack``."""

    def __init__(self, episode: Episode) -> None:
        """Take an episode of the plan."""

    def script(self, scene: Scene) -> Script:
        """Play the episode, from getting ready to being gone."""


class OnPath:
    """What is done between a unit and the broker; by itself it lets everything pass.

    Attributes:
        labels_relayed: whether a frame that only passes is part of the anomaly.
        episode: the episode played.
        acts: its acts by slot and sensor.
    """

    labels_relayed = False

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.acts: dict[tuple[int, int], Act] = {(act.slot, act.sensor): act for act in episode.acts}

    def script(self, scene: Scene) -> Script:
        """Get on the path, act, leave."""
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
        """Put right what would stay behind at the broker; nothing by itself."""

    def during(self, path: Path) -> Script:
        """Do what is due between readings; nothing by itself."""
        del path
        yield from ()

    def watch(self, reading: Reading) -> None:
        """See a reading pass before the episode begins."""

    def on_publish(self, reading: Reading) -> Edit:
        """Say what becomes of a reading."""
        del reading
        return Pass()

    def on_answer(self, slot: int, datagram: bytes) -> bytes:
        """Return the NTP answer to give to the unit, in a slot, instead of the server's."""
        del slot
        return datagram


class Rogue:
    """What is done from the attacker's own place on the network.

    Attributes:
        episode: the episode played.
    """

    def __init__(self, episode: Episode) -> None:
        self.episode = episode

    def script(self, scene: Scene) -> Script:
        """Play every act at its time; close what is still open at the end."""
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


def attack_for(episode: Episode) -> Attack:
    """Return the attack that plays an episode: ``attacks/<kind>.py``."""
    module = importlib.import_module(f"coldaisle_injector.attacks.{episode.row.module}")
    attack: Attack = module.Attack(episode)
    return attack
