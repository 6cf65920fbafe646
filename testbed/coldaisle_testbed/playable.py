"""Before anything is played: whether an engine can play the kinds of other packages, and the background traffic of a site."""

import shutil
import subprocess
import sys

from coldaisle_contracts import players
from coldaisle_contracts.background import DNSMASQ
from coldaisle_contracts.errors import InputError, plain
from coldaisle_contracts.extensions import Origin
from coldaisle_contracts.manifest import Engine
from coldaisle_contracts.plan import Plan

PROGRAM = "coldaisle_contracts.players"
PATIENCE_S = 300.0
"""Time in which the classes of all kinds have to be imported, in s; it takes one."""


def refuse_unplayable(plan: Plan, engine: Engine) -> None:
    """Refuse a plan with a kind of another package that an engine cannot play, or with background traffic that it cannot.

    Raises:
        InputError: naming kind and package, or what is missing.
    """
    _refuse_background(plan, engine)
    added = players.added(plan)
    if not added:
        return
    if engine == "compose":
        kind, origin = next(iter(added.items()))
        remedy = f"the images do not hold {origin.requirement}, which adds this kind: use --engine netns"
        raise InputError("--engine compose: kind", remedy, kind)
    _import(added)


def _refuse_background(plan: Plan, engine: Engine) -> None:
    background = plan.scenario.site.background
    needed = background is not None and engine == "netns" and DNSMASQ in background.services
    if needed and not shutil.which(DNSMASQ):
        remedy = (
            "the site's background traffic needs it: apt-get install --no-install-recommends dnsmasq-base"
        )
        raise InputError(DNSMASQ, remedy)


def _import(added: dict[str, Origin]) -> None:
    """Import the classes in a process of their own: this one does without scapy."""
    command = [sys.executable, "-P", "-m", PROGRAM, *added]
    packages = ", ".join(sorted({origin.requirement for origin in added.values()}))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as error:
        raise InputError(packages, f"it was not imported within {PATIENCE_S:g} s: mend it") from error
    if done.returncode:
        words = done.stderr.strip().rpartition("\n")[2].removeprefix("coldaisle: ")
        place, _, remedy = plain(words).partition(": ")
        raise InputError(place or packages, remedy or "it cannot be imported: mend it")
