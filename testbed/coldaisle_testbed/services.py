"""The services of the background traffic: what dnsmasq and the server of the status page are given, and how they are started."""

import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.background import DNS_PORT, DNSMASQ, HTTP_PORT, PAGES, PATH, name_of
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.processes import accepts

NAMES, LEASES, STATUS = "names", "leases", "status"
"""Files of dnsmasq in the timekeeper's folder, which ``services/dnsmasq.conf`` names, and the folder of the page."""
_PATIENCE_S = 0.2


def write(folder: Path, plan: Plan) -> None:
    """Write what the services of a plan are given; nothing without background traffic.

    Args:
        folder: where it goes; readable by its owner and the group of the daemons.
        plan: the plan.
    """
    background = plan.scenario.site.background
    if background is None:
        return
    names = (f"{host.ip} {name_of(host.name)}\n" for host in plan.hosts)
    length_s = round(background.dhcp_s or 0)
    leases = (f"{host.mac},{host.ip},{host.name},{length_s}\n" for host in plan.workstations.values())
    rows = (f"<tr><td>{unit.name}<td>{unit.host.ip}\n" for unit in plan.units.values())
    pages = folder / STATUS
    pages.mkdir(mode=0o750, exist_ok=True)
    for path, lines in (
        (folder / NAMES, names),
        (folder / LEASES, leases if length_s else ()),
        (
            pages / PATH.lstrip("/"),
            ["<!doctype html>\n<title>Gateway</title>\n<table>\n", *rows, "</table>\n"],
        ),
    ):
        path.touch(0o640)
        path.write_text("".join(lines), encoding="ascii")


def commands(house: Path) -> dict[str, list[str]]:
    """Return the command line of each service on this machine; it runs in the folder of :func:`write`.

    Args:
        house: the checkout.
    """
    pages = ["-m", "http.server", str(HTTP_PORT), "--bind", BROKER.ip, "--directory", STATUS]
    return {
        DNSMASQ: ["dnsmasq", "--no-daemon", f"--conf-file={house / 'services' / 'dnsmasq.conf'}"],
        PAGES: [sys.executable, *pages],
    }


def _resolves() -> bool:
    """Tell whether the name server answers a question for the broker's address."""
    labels = (bytes([len(label)]) + label.encode() for label in name_of(BROKER.name).split("."))
    question = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + b"".join(labels) + struct.pack("!BHH", 0, 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_PATIENCE_S)
        with suppress(OSError):
            sock.connect((BROKER.ip, DNS_PORT))
            sock.send(question)
            return sock.recv(512)[:2] == question[:2]
    return False


ANSWERS: dict[str, Callable[[], bool]] = {
    DNSMASQ: _resolves,
    PAGES: partial(accepts, BROKER.ip, HTTP_PORT, _PATIENCE_S),
}
"""By service, a function that tells whether it answers in the calling thread's network namespace."""
