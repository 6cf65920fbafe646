"""The engine in containers: Docker Compose starts ``docker-compose.yml``, the Docker SDK watches it.

Compose has no SDK, so it is called as a command; health, exit codes and logs come from the Docker Engine.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from coldaisle_contracts.addressing import BROKER, NTP
from coldaisle_contracts.background import DNSMASQ
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.days import Days
from coldaisle_testbed.engines import more_units
from coldaisle_testbed.engines.containers import Containers, connect
from coldaisle_testbed.shard_folders import prepare
from coldaisle_testbed.temporary import temporary_folder

HOUSE = Path(__file__).resolve().parents[3]
"""The checkout, which holds ``docker-compose.yml``."""
POLL_S = 0.5
COMMAND_S, BUILD_S = 120.0, 3600.0
"""Timeouts of a Compose command and of building the images, in s; building takes minutes without a cache."""
_BUILT = ("timekeeper", "broker", "ntp", "capture", "injector", "inrow-13")
"""Services that build the images of a run; the others use the same images."""
_DOCTOR = "run `coldaisle doctor` to see what this machine lacks"
"""Remedy for a failure of Compose."""


def answers() -> bool:
    """Tell whether this machine has a Docker Engine that answers."""
    with suppress(InputError):
        connect().close()
        return True
    return False


def project_of(folder: Path) -> str:
    """Return the project name that the Compose file takes from a folder, as Compose normalises it."""
    return "".join(re.findall(r"[a-z0-9_-]", f"coldaisle{folder}".lower()))


def play(plan: Plan, stage: Path, progress: Callable[[str], None]) -> None:
    """Play a plan in containers, into ``stage``, and remove the containers.

    Args:
        plan: the plan to play.
        stage: the run's folder, as whose owner the programs in the containers run.
        progress: called with one line per step.

    Raises:
        InputError: if this machine lacks what the engine needs.
        FederateError: if a container failed, with its name and its last words.
    """
    stage = stage.resolve()
    with closing(connect()) as client:
        prepare(stage, plan)
        project = f"coldaisle-{os.getpid()}"
        ComposeRun(project, Containers(client, project), plan, stage, progress).play()


class ComposeRun:
    """One run of the Compose file, under a project name of its own.

    Args:
        project: the name.
        containers: its containers.
        plan: the plan to play.
        stage: the run's folder, with the plan and empty folders for journals and captures.
        progress: called with one line per step.
    """

    def __init__(
        self,
        project: str,
        containers: Containers,
        plan: Plan,
        stage: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._containers, self._progress = containers, progress
        self._days, self._stage = Days(plan, stage, progress), stage
        self._missing = more_units.missing(plan.devices)
        self._ending = {"timekeeper", "capture", "injector", *plan.devices}
        background = plan.scenario.site.background
        self._background = background.services if background else ()
        self._services = sorted(self._ending | {"switch", BROKER.name, NTP.name, *self._background})
        self._command = ["docker", "compose", "-p", project, "-f", str(HOUSE / "docker-compose.yml")]
        if self._background:
            self._command += ["--profile", "background"]
        self._env = os.environ | {
            "COLDAISLE_RUNS": str(stage),
            "COLDAISLE_STAGE": ".",
            "COLDAISLE_IMAGES": project_of(HOUSE),
        }

    def play(self) -> None:
        """Build the images, start the containers, watch them to the end, and remove them.

        Raises:
            InputError: if Compose cannot build or start.
            FederateError: if a container failed.
        """
        self._progress("building the images (cached after the first time)")
        built = (*_BUILT, DNSMASQ) if self._background else _BUILT
        self._compose("build", *built, patience_s=BUILD_S)
        with temporary_folder(self._stage) as folder:
            if self._missing:
                self._add_units(folder / "units.json")
            self._progress(f"starting {len(self._services)} containers")
            try:
                self._start_and_watch()
            finally:
                self._compose(
                    "down", "--volumes", "--timeout", "2", patience_s=COMMAND_S + len(self._services)
                )

    def _add_units(self, file: Path) -> None:
        """Write an override file with the units that ``docker-compose.yml`` does not have, and use it from now on."""
        parsed = json.loads(self._compose("config", "--format", "json"))
        file.write_text(
            json.dumps(more_units.override(parsed, self._missing, self._background)), encoding="utf-8"
        )
        self._command += ["-f", str(file)]

    def _compose(self, *arguments: str, patience_s: float = COMMAND_S) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                [*self._command, *arguments],
                env=self._env,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,  # Ctrl-C is for the command line, which removes the containers
                timeout=patience_s,
            )
        except FileNotFoundError as error:
            raise InputError("docker compose", "install the Docker command line with Compose v2") from error
        except subprocess.TimeoutExpired as error:
            remedy = f"it did not end within {patience_s:g} s: see what the engine does with docker ps and docker events"
            raise InputError(f"docker compose {arguments[0]}", remedy) from error
        if done.returncode:
            raise InputError(
                f"docker compose {arguments[0]}", f"it failed ({_last_line(done.stderr)}): {_DOCTOR}"
            )
        return done.stdout

    def _start_and_watch(self) -> None:
        """Start all services, and watch them until all that end by themselves have ended."""
        with tempfile.TemporaryFile("w+") as output:
            start = subprocess.Popen(  # noqa: S603 - our own arguments
                [*self._command, "up", "--detach", "--no-build", "--no-deps", *self._services],
                env=self._env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                self._watch(start, output)
            finally:
                start.kill()
                start.wait()

    def _watch(self, start: "subprocess.Popen[bytes]", output: IO[str]) -> None:
        ended: set[str] = set()
        while not ended >= self._ending:
            time.sleep(POLL_S)
            failed = start.poll()
            containers = self._containers.see()
            self._containers.raise_failure(containers)  # names the cause of a failure of Compose
            if failed:
                output.seek(0)
                raise InputError("docker compose up", f"it failed ({_last_line(output.read())}): {_DOCTOR}")
            self._days.look()
            ended = {container.service for container in containers if container.code == 0}


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
