"""The catalogue: what an attack is, and where each kind is found."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from coldaisle_contracts.plan import Act, Episode


@dataclass(frozen=True)
class Reading:
    """A reading as it passes the attacker.

    Attributes:
        slot: its slot in the plan.
        sensor: its sensor number.
        value: its payload, text.
    """

    slot: int
    sensor: int
    value: str


class Attack(Protocol):
    """One attack on the path; every module in ``attacks/`` has one, called ``Attack``.

    Attributes:
        labels_relayed: whether a frame that only passes is attacked by that (interception).
    """

    labels_relayed: bool

    def __init__(self, episode: Episode) -> None:
        """Take an episode of the plan."""

    def watch(self, reading: Reading) -> None:
        """See a reading pass before the episode begins."""

    def on_publish(self, reading: Reading) -> str | None:
        """Return the value to deliver instead of a reading's own, ``None`` to swallow it."""

    def copies(self) -> Iterable[Act]:
        """Return the acts that deliver a reading again."""


class Passive:
    """What all attacks share: they let everything pass."""

    labels_relayed = False

    def __init__(self, episode: Episode) -> None:
        self.acts = {(act.slot, act.sensor): act for act in episode.acts}

    def watch(self, reading: Reading) -> None:
        """See a reading pass before the episode begins."""

    def on_publish(self, reading: Reading) -> str | None:
        """Let the reading pass."""
        return reading.value

    def copies(self) -> Iterable[Act]:
        """Deliver nothing again."""
        return ()


def attack_for(episode: Episode) -> Attack:
    """Return the attack that plays an episode: ``attacks/<kind>.py``."""
    module = importlib.import_module(f"coldaisle_injector.attacks.{episode.kind}")
    attack: Attack = module.Attack(episode)
    return attack
