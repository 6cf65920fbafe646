"""The engine in containers: Docker Compose starts ``docker-compose.yml``, the Docker SDK watches it.

Compose has no SDK, so it is driven as a command; health, exit codes and logs come from the engine itself.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import docker
from docker.errors import DockerException, NotFound

from coldaisle_contracts.addressing import BROKER, NETWORK, NTP
from coldaisle_contracts.errors import FederateError, InputError
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.week import prepare

HOUSE = Path(__file__).resolve().parents[3]
"""The checkout, where ``docker-compose.yml`` lies."""
_BUILT = ("plan", "broker", "ntp", "capture", "injector", "inrow-13")
"""Services that build the images of a run; the others use theirs."""
POLL_S = 0.5
_KILLED = 128
"""Exit codes beyond this are it and the number of the signal."""
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NO_ENGINE = (
    "does not answer: start it (systemctl start docker), join the group docker, or use --engine netns"
)


@dataclass(frozen=True)
class Seen:
    """A container of the run as the engine sees it.

    Attributes:
        id: the container.
        service: its Compose service.
        state: ``created``, ``running``, ``paused``, ``exited``, ``dead``.
        status: the state in words, with exit code or health, such as ``Exited (3) 1 second ago``.
    """

    id: str
    service: str
    state: str
    status: str

    @property
    def code(self) -> int | None:
        """Exit code, ``None`` while it has not ended."""
        found = re.match(r"Exited \((\d+)\)", self.status)
        return int(found[1]) if found else None


def connect() -> docker.DockerClient:
    """Return a client of the machine's Docker Engine.

    Raises:
        InputError: if none answers.
    """
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        raise InputError("the Docker Engine", _NO_ENGINE) from error
    return client


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
        _check_network(client)
        prepare(stage, plan)
        try:
            _open(stage)
            ComposeRun(client, plan.scenario.units, stage, progress).play()
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
    _take_over(stage)
    return 1


def _check_network(client: docker.DockerClient) -> None:
    """Refuse when a network of the engine overlaps the test network, and say whose it is."""
    for network in client.networks.list():
        for pool in (network.attrs["IPAM"] or {}).get("Config") or ():
            if ":" in pool.get("Subnet", ":") or not IPv4Network(pool["Subnet"]).overlaps(NETWORK):
                continue
            project = (network.attrs["Labels"] or {}).get(_PROJECT)
            remedy = (
                f"docker compose -p {project} down -v" if project else f"docker network rm {network.name}"
            )
            raise InputError(f"network {NETWORK}", f"the Docker network {network.name} holds it: {remedy}")


class ComposeRun:
    """One run of the Compose file, under a project name of its own.

    Args:
        client: the engine.
        units: the units that take part.
        stage: the run's folder, with plan and room for journals and captures.
        progress: told one line a step.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        units: tuple[str, ...],
        stage: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._client, self._progress = client, progress
        self._ending = {"timekeeper", "capture", "injector", *units}
        self._services = sorted(self._ending | {BROKER.name, NTP.name})
        self._project = f"coldaisle-{os.getpid()}"
        self._command = ["docker", "compose", "-p", self._project, "-f", str(HOUSE / "docker-compose.yml")]
        self._env = os.environ | {"COLDAISLE_RUNS": str(stage), "COLDAISLE_STAGE": "."}

    def play(self) -> None:
        """Build, start, watch to the end, take everything down.

        Raises:
            InputError: if Compose cannot build or start.
            FederateError: if a container failed.
        """
        self._progress("building the images (cached after the first time)")
        self._compose("build", *_BUILT)
        self._progress("starting the containers")
        try:
            with self._starting() as starting:
                self._watch(starting)
        finally:
            self._compose("down", "--volumes", "--timeout", "2")

    def _compose(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                [*self._command, *arguments],
                env=self._env,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,  # Ctrl-C is for the command line, which takes the containers down
            )
        except FileNotFoundError as error:
            raise InputError("docker compose", "install the Docker command line with Compose v2") from error
        if done.returncode:
            raise InputError(f"docker compose {arguments[0]}", f"failed: {_last_line(done.stderr)}")
        return done.stdout

    @contextmanager
    def _starting(self) -> Iterator[Callable[[], None]]:
        """Start everything and yield a function that raises when starting failed."""
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(  # noqa: S603 - our own arguments
                [*self._command, "up", "--detach", "--no-build", "--no-deps", *self._services],
                env=self._env,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

            def check() -> None:
                if process.poll():
                    said.seek(0)
                    raise InputError("docker compose up", f"failed: {_last_line(said.read())}")

            try:
                yield check
            finally:
                process.kill()
                process.wait()

    def _watch(self, check_start: Callable[[], None]) -> None:
        ended: set[str] = set()
        while not ended >= self._ending:
            time.sleep(POLL_S)
            seen = self._seen()
            self._raise_failure(seen)
            check_start()
            for one in sorted(one.service for one in seen if one.code == 0 and one.service not in ended):
                self._progress(f"{one} done")
                ended.add(one)

    def _seen(self) -> list[Seen]:
        listed = self._client.api.containers(all=True, filters={"label": f"{_PROJECT}={self._project}"})
        return [Seen(one["Id"], one["Labels"][_SERVICE], one["State"], one["Status"]) for one in listed]

    def _raise_failure(self, seen: list[Seen]) -> None:
        """Raise for the container at fault: the one the timekeeper accuses, else the first that failed."""
        failed = {one.service: one for one in seen if _failed(one)}
        if not failed:
            return
        time.sleep(POLL_S)  # what one failure does to the others, the timekeeper's verdict first
        seen = self._seen()
        failed |= {one.service: one for one in seen if _failed(one)}
        if "timekeeper" in failed:
            verdict = self._last_words(failed["timekeeper"])
            for one in seen:
                accused = re.search(rf"coldaisle: {re.escape(one.service)} (.*?)(;|$)", verdict)
                if accused:
                    what = self._ending_of(one) if accused[1] == "died" and one.code else accused[1]
                    raise FederateError(one.service, what, self._last_words(one))
        first = min(failed.values(), key=self._ended_at)
        raise FederateError(first.service, self._ending_of(first), self._last_words(first))

    def _inspect(self, one: Seen) -> dict[str, object]:
        try:
            state = self._client.api.inspect_container(one.id)["State"]
        except NotFound:
            return {}
        return dict(state)

    def _ended_at(self, one: Seen) -> str:
        ended = str(self._inspect(one).get("FinishedAt", ""))
        return ended if not ended.startswith("0001") else "9"  # has not ended yet: after all that have

    def _ending_of(self, one: Seen) -> str:
        if one.code is None:
            return f"stalled: its container is {one.status or one.state}"
        if one.code <= _KILLED:
            return f"ended with exit code {one.code}"
        memory = " because memory ran out" if self._inspect(one).get("OOMKilled") else ""
        return f"was killed by {signal.Signals(one.code - _KILLED).name}{memory}"

    def _last_words(self, one: Seen, lines: int = 3) -> str:
        try:
            said = self._client.api.logs(one.id, tail=lines)
        except DockerException:
            return ""
        return " | ".join(said.decode(errors="replace").strip().splitlines())


def _failed(one: Seen) -> bool:
    if one.code is None:
        return "(unhealthy)" in one.status or one.state in {"paused", "dead"}
    return one.code != 0 or one.service in (BROKER.name, NTP.name)


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
