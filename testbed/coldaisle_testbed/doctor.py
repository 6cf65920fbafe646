"""Checks of this machine: what a run needs, and a remedy for each thing that is missing."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.clock import SECOND, offset_text
from coldaisle_contracts.errors import InputError
from coldaisle_testbed import namespaces, probe
from coldaisle_testbed.capacity import available_memory
from coldaisle_testbed.checks import Check, checked
from coldaisle_testbed.engines import containers
from coldaisle_testbed.limits import limits
from coldaisle_testbed.provenance import PROGRAMS
from coldaisle_testbed.sharding import faketime_library
from coldaisle_testbed.timekeeper import faketime_env

GIB = 2**30
DISK = 2 * GIB
"""Disk space for a week and the images, in bytes; a week with its dataset takes less than a tenth."""
MEMORY = 4 * GIB
"""Peak memory of all processes of a run, in bytes."""
NOTEBOOK_PORT, DESK_PORT, ALARMS_PORT = 8888, 8899, 1884
"""Default ports of docker-compose.yml."""
COMPOSE = (2, 20)
_AS_ROOT = "run it as root: sudo ./coldaisle"


def checks(
    folder: Path = Path(),
    units: int = 4,
    notebook_port: int = NOTEBOOK_PORT,
    desk_port: int = DESK_PORT,
    alarms_port: int = ALARMS_PORT,
) -> list[Check]:
    """Return the check of everything that a run may need.

    Args:
        folder: folder of the runs.
        units: number of units of the site to play.
        notebook_port: port of JupyterLab in containers.
        desk_port: port of the desk in containers.
        alarms_port: port of the alarms in containers.
    """
    return [
        _python(),
        _root(),
        *(_program(name, package) for name, (package, _) in PROGRAMS.items()),
        _attempt("libfaketime", "apt-get install faketime", _virtual_time),
        _attempt("network namespaces", _AS_ROOT, _namespace),
        _attempt(
            "bridge and veth", "load the kernel modules bridge and veth: modprobe -a bridge veth", _network
        ),
        _attempt("packet socket", f"{_AS_ROOT} (AF_PACKET needs CAP_NET_RAW)", _packet_socket),
        _docker(),
        _compose(),
        _disk(folder),
        _memory(),
        *limits(units),
        _port(notebook_port, "JupyterLab", "COLDAISLE_PORT"),
        _port(desk_port, "the desk", "COLDAISLE_DESK_PORT"),
        _port(alarms_port, "alarms (--profile live)", "COLDAISLE_ALARMS_PORT"),
    ]


def _attempt(name: str, remedy: str, probe: Callable[[], str]) -> Check:
    """Return the check that a probe for the engine netns makes: the probe returns a finding or raises."""
    try:
        return checked(name, probe(), remedy, "netns", ok=True)
    except (OSError, InputError, subprocess.SubprocessError) as error:
        return checked(name, str(error), remedy, "netns", ok=False)


def _output(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed commands
    return done.stdout.strip()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return checked("Python", version, "install Python 3.11", ok=sys.version_info >= (3, 11))


def _root() -> Check:
    user = os.geteuid()
    return checked("root", f"user {user}", _AS_ROOT, "netns", ok=user == 0)


def _program(name: str, package: str) -> Check:
    path, remedy = shutil.which(name), f"apt-get install --no-install-recommends {package}"
    return checked(name, path or "not on the PATH", remedy, "netns", ok=bool(path))


def _virtual_time() -> str:
    """Start a program one thousand million seconds ahead, as a run does, and read its clock."""
    library = faketime_library()
    ahead = SECOND
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "offset").write_text(offset_text(ahead * SECOND), encoding="ascii")
        seconds = _output("date", "+%s", env=os.environ | faketime_env(folder, library))
    error_s = int(seconds) - ahead - time.time()
    if abs(error_s) > 2:  # noqa: PLR2004 - seconds, for a slow machine
        raise OSError(f"{library}: a program in virtual time is {error_s:.0f} s off")
    return library


def _namespace() -> str:
    os.close(namespaces.create())
    return "made and left one"


def _network() -> str:
    for namespace in namespaces.build((BROKER, INJECTOR)).values():
        os.close(namespace)
    return "joined two hosts"


def _packet_socket() -> str:
    probe.packet_socket()
    return "opened one"


def _docker() -> Check:
    version = ""
    with suppress(InputError), closing(containers.connect()) as client:
        version = str(client.version()["Version"])
    remedy = "start it: systemctl start docker (apt-get install docker.io), or join the group docker"
    return checked("Docker Engine", version or "does not answer", remedy, "compose", ok=bool(version))


def _compose() -> Check:
    version, least = "", ".".join(map(str, COMPOSE))
    with suppress(OSError, subprocess.SubprocessError):
        version = _output("docker", "compose", "version", "--short")
    ok = tuple(map(int, re.findall(r"\d+", version)[:2])) >= COMPOSE
    remedy = f"install Compose v2 ({least} or newer): apt-get install docker-compose-v2 or docker-compose"
    return checked("Docker Compose", version or "docker compose does not answer", remedy, "compose", ok=ok)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    remedy = f"free {DISK / GIB:g} GiB, or name a roomier folder with --out"
    return checked("disk space", f"{free / GIB:.1f} GiB free", remedy, ok=free >= DISK)


def _memory() -> Check:
    free, remedy = available_memory(), "end other programs, or play fewer days side by side: --shards 2"
    return checked("memory", f"{free / GIB:.1f} GiB available", remedy, ok=free >= MEMORY)


def _port(port: int, whose: str, variable: str) -> Check:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            remedy = f"set {variable} to another port, or end what listens there: ss -tlnp sport = :{port}"
            return Check(f"port {port}", False, error.strerror or str(error), remedy, "compose")
    return Check(f"port {port}", ok=True, finding=f"free for {whose}", engine="compose")
