"""The engine in containers: Docker Compose starts ``docker-compose.yml``, the Docker SDK watches it.

Compose has no SDK, so it is driven as a command; health, exit codes and logs come from the engine itself.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from coldaisle_contracts.addressing import BROKER, NTP
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.engines.containers import Containers, check_network, connect
from coldaisle_testbed.week import prepare

HOUSE = Path(__file__).resolve().parents[3]
"""The checkout, where ``docker-compose.yml`` lies."""
POLL_S = 0.5
COMMAND_S, BUILD_S = 120.0, 3600.0
"""Time a Compose command has, and building the images, which takes minutes where nothing is cached, s."""
_BUILT = ("plan", "broker", "ntp", "capture", "injector", "inrow-13")
"""Services that build the images of a run; the others use theirs."""


def answers() -> bool:
    """Tell whether this machine has a Docker Engine that answers."""
    try:
        connect().close()
    except InputError:
        return False
    return True


def play(plan: Plan, stage: Path, progress: Callable[[str], None]) -> int:
    """Play a plan in containers, into ``stage``; nothing of them is left when this returns.

    Args:
        plan: what to play.
        stage: the run's folder, made here; gone again when this fails.
        progress: told one line a step.

    Returns:
        The number of shards: 1, for the containers play all days in one go.

    Raises:
        InputError: if this machine lacks what the engine needs.
        FederateError: if a container failed, with its name and its last words.
    """
    stage = stage.resolve()
    with closing(connect()) as client:
        check_network(client)
        prepare(stage, plan)
        try:
            _open(stage)
            project = f"coldaisle-{os.getpid()}"
            ComposeRun(project, Containers(client, project), plan.scenario.units, stage, progress).play()
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
    _take_over(stage)
    return 1


class ComposeRun:
    """One run of the Compose file, under a project name of its own.

    Args:
        project: that name.
        containers: what the engine sees of it.
        units: the units that take part.
        stage: the run's folder, with plan and room for journals and captures.
        progress: told one line a step.
    """

    def __init__(
        self,
        project: str,
        containers: Containers,
        units: tuple[str, ...],
        stage: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._containers, self._progress = containers, progress
        self._ending = {"timekeeper", "capture", "injector", *units}
        self._services = sorted(self._ending | {BROKER.name, NTP.name})
        self._command = ["docker", "compose", "-p", project, "-f", str(HOUSE / "docker-compose.yml")]
        self._env = os.environ | {"COLDAISLE_RUNS": str(stage), "COLDAISLE_STAGE": "."}

    def play(self) -> None:
        """Build, start, watch to the end, take everything down.

        Raises:
            InputError: if Compose cannot build or start.
            FederateError: if a container failed.
        """
        self._progress("building the images (cached after the first time)")
        self._compose("build", *_BUILT, patience_s=BUILD_S)
        self._progress("starting the containers")
        try:
            with self._starting() as failure:
                self._watch(failure)
        finally:
            self._compose("down", "--volumes", "--timeout", "2")

    def _compose(self, *arguments: str, patience_s: float = COMMAND_S) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                [*self._command, *arguments],
                env=self._env,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,  # Ctrl-C is for the command line, which takes the containers down
                timeout=patience_s,
            )
        except FileNotFoundError as error:
            raise InputError("docker compose", "install the Docker command line with Compose v2") from error
        except subprocess.TimeoutExpired as error:
            remedy = f"did not end within {patience_s:g} s: see what the engine does with docker ps and docker events"
            raise InputError(f"docker compose {arguments[0]}", remedy) from error
        if done.returncode:
            raise InputError(f"docker compose {arguments[0]}", f"failed: {_last_line(done.stderr)}")

    @contextmanager
    def _starting(self) -> Iterator[Callable[[], InputError | None]]:
        """Start everything and yield a function that returns why starting failed, if it did."""
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(  # noqa: S603 - our own arguments
                [*self._command, "up", "--detach", "--no-build", "--no-deps", *self._services],
                env=self._env,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

            def failure() -> InputError | None:
                if not process.poll():
                    return None
                said.seek(0)
                return InputError("docker compose up", f"failed: {_last_line(said.read())}")

            try:
                yield failure
            finally:
                process.kill()
                process.wait()

    def _watch(self, start_failure: Callable[[], InputError | None]) -> None:
        ended: set[str] = set()
        while not ended >= self._ending:
            time.sleep(POLL_S)
            not_started = start_failure()
            seen = self._containers.see()
            self._containers.raise_failure(
                seen
            )  # says more than Compose, which may have failed because of it
            if not_started is not None:
                raise not_started
            for one in sorted(one.service for one in seen if one.code == 0 and one.service not in ended):
                self._progress(f"{one} done")
                ended.add(one)


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _open(stage: Path) -> None:
    """Let the users of the containers write into the run's folders."""
    for path in (stage, *stage.rglob("*/")):
        path.chmod(0o777)


def _take_over(stage: Path) -> None:
    """Give every file of the run to the owner of its folder: containers write as users of their own."""
    owner = stage.stat()
    for path in (stage, *stage.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
        elif path.stat().st_uid != owner.st_uid:
            copy = path.with_name(f"{path.name}.own")
            shutil.copyfile(path, copy)
            copy.replace(path)
        path.chmod(path.stat().st_mode & ~0o022)
