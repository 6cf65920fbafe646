"""Probes of what some kinds of anomaly need from the kernel: before a run, kinds that it cannot play are reported and left out."""

import os
import socket
from collections.abc import Callable

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.cable import INTERFACE, set_state
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import namespaces

Probe = Callable[[], None]


def packet_socket() -> None:
    """Open a packet socket, as the attacker does.

    Raises:
        OSError: if this kernel or this user has none.
    """
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def link_control() -> None:
    """Pull and replug a host's cable in a throwaway network.

    Raises:
        OSError: if the interface does not obey.
    """
    spaces = namespaces.build((BROKER, INJECTOR))
    try:
        with namespaces.inside(spaces[INJECTOR.name]):
            for up in (False, True):
                set_state(INTERFACE, up=up)
    finally:
        for space in spaces.values():
            os.close(space)


PROBES: dict[str, Probe] = {"packet sockets": packet_socket, "link control": link_control}
"""Probe of each ability."""


def lacking() -> dict[str, str]:
    """Return the abilities that this machine lacks, each with the reason that the kernel gave."""
    namespaces.settle()
    reasons = {}
    for ability, probe in PROBES.items():
        try:
            probe()
        except Exception as error:  # noqa: BLE001 - netlink and the kernel have many ways to say no
            reasons[ability] = str(getattr(error, "strerror", "") or error)
    return reasons


def needing(ability: str) -> frozenset[str]:
    """Return the kinds that need an ability."""
    return frozenset(
        kind.name
        for kind in KINDS.values()
        if (ability == "packet sockets" and kind.actor == "injector") or ability in kind.needs
    )


def left_out(plan: Plan, lacks: dict[str, str]) -> tuple[frozenset[str], list[str]]:
    """Return the kinds that a machine cannot play, and one sentence for each ability whose lack removes episodes of the plan."""
    kinds: set[str] = set()
    sentences = []
    for ability, reason in lacks.items():
        without = needing(ability)
        lost = [episode.kind for episode in plan.episodes if episode.kind in without]
        kinds |= without
        if lost:
            names = ", ".join(sorted(set(lost)))
            sentences.append(f"no {ability} here ({reason}): leaving out {len(lost)} episodes of {names}")
    return frozenset(kinds), sentences
