"""Containers of a run as the Docker Engine reports them, and the one at fault when the run fails."""

import re
import time
from dataclasses import dataclass

import docker
from docker.errors import DockerException, NotFound

from coldaisle_contracts.errors import FederateError, InputError
from coldaisle_testbed.processes import ending

_KILLED = 128
"""A larger exit code is this plus the number of a signal."""
_AFTERMATH_S = 0.5
"""Time after a failure in which the other containers fail, too, in s: the timekeeper states the first."""
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NO_ENGINE = (
    "it does not answer: start it (systemctl start docker), join the group docker, or use --engine netns"
)


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


@dataclass(frozen=True)
class Container:
    """Container of the run as the engine reports it.

    Attributes:
        id: its id.
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
        """Exit code; ``None`` while it runs."""
        exited = re.match(r"Exited \((\d+)\)", self.status)
        return int(exited[1]) if exited else None

    @property
    def failed(self) -> bool:
        """Whether the run cannot go on: it stalled or ended badly. A daemon that ends while the time is kept ends badly."""
        if self.code is None:
            return "(unhealthy)" in self.status or self.state in {"paused", "dead"}
        return self.code != 0


class Containers:
    """The containers of one Compose project.

    Args:
        client: the engine.
        project: the project's name.
    """

    def __init__(self, client: docker.DockerClient, project: str) -> None:
        self._api, self._project = client.api, project

    def see(self) -> list[Container]:
        """Return every container of the project, also those that ended."""
        rows = self._api.containers(all=True, filters={"label": f"{_PROJECT}={self._project}"})
        return [Container(row["Id"], row["Labels"][_SERVICE], row["State"], row["Status"]) for row in rows]

    def raise_failure(self, containers: list[Container]) -> None:
        """Raise if any container failed, for the one at fault: the one that the timekeeper names, else the first.

        Raises:
            FederateError: with its name, the failure and its last words.
        """
        if not any(container.failed for container in containers):
            return
        time.sleep(_AFTERMATH_S)
        failed = {
            container.service: container for container in [*containers, *self.see()] if container.failed
        }
        if "timekeeper" in failed:
            verdict = self._last_words(failed["timekeeper"])
            for container in self.see():
                accused = re.search(
                    rf"coldaisle: {re.escape(container.service)} (.*?)(, so the run|;|$)", verdict
                )
                if accused:
                    event = self._ending(container) if accused[1] == "died" and container.code else accused[1]
                    raise FederateError(container.service, event, self._last_words(container))
        first = min(failed.values(), key=self._ended_at)
        raise FederateError(first.service, self._ending(first), self._last_words(first))

    def _inspect(self, container: Container) -> dict[str, object]:
        try:
            return dict(self._api.inspect_container(container.id)["State"])
        except NotFound:
            return {}

    def _ended_at(self, container: Container) -> str:
        ended = str(self._inspect(container).get("FinishedAt", ""))
        return ended if not ended.startswith("0001") else "9"  # has not ended: sorted after all that have

    def _ending(self, container: Container) -> str:
        if container.code is None:
            return f"stalled: its container is {container.status or container.state}"
        if container.code <= _KILLED:
            return ending(container.code)
        memory = " because memory ran out" if self._inspect(container).get("OOMKilled") else ""
        return ending(_KILLED - container.code) + memory

    def _last_words(self, container: Container, lines: int = 3) -> str:
        try:
            output = self._api.logs(container.id, tail=lines)
        except DockerException:
            return ""
        return " | ".join(output.decode(errors="replace").strip().splitlines())
