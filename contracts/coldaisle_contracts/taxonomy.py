"""The kinds of episode: what the attacker can do, in the terms of MITRE ATT&CK for ICS."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ATTACK_MATRIX = "MITRE ATT&CK for ICS v17"

KindName = Literal["interception", "modification", "removal", "duplication"]


class Role(StrEnum):
    """What an episode made of a frame (or, for ``REMOVED``, of a reading)."""

    INJECTED = "injected"
    MODIFIED = "modified"
    DUPLICATE = "duplicate"
    RELAYED = "relayed"
    CONSEQUENCE = "consequence"
    REMOVED = "removed"


@dataclass(frozen=True)
class Kind:
    """A kind of episode.

    Attributes:
        name: as written in a scenario.
        family: where the attacker stands.
        technique: id in :data:`ATTACK_MATRIX`.
        variants: ways to play it, drawn by the plan when a scenario names none.
        seen: what the broker sees of it.
        roles: the roles it produces at packet or reading level.
    """

    name: KindName
    family: str
    technique: str
    variants: tuple[str, ...]
    seen: str
    roles: tuple[Role, ...]


_PATH = (Role.INJECTED, Role.RELAYED, Role.CONSEQUENCE)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "interception",
            "on the path",
            "T0830",
            ("read",),
            "ARP claims of the attacker; frames arrive from its MAC address, unaltered",
            _PATH,
        ),
        Kind(
            "modification",
            "on the path",
            "T0832",
            ("shift", "freeze", "scale", "drift"),
            "readings whose value is not the sensor's",
            (*_PATH, Role.MODIFIED),
        ),
        Kind(
            "removal",
            "on the path",
            "T0804",
            ("swallow",),
            "readings that never come, on a connection that stays up",
            (*_PATH, Role.REMOVED),
        ),
        Kind(
            "duplication",
            "on the path",
            "T0856",
            ("once", "burst"),
            "readings delivered again",
            (*_PATH, Role.DUPLICATE),
        ),
    )
}
