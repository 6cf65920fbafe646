"""The containers of a run as the Docker Engine sees them, and whose fault it is when one fails."""

import re
import signal
import time
from dataclasses import dataclass

import docker
from docker.errors import DockerException, NotFound

from coldaisle_contracts.errors import FederateError, InputError

_KILLED = 128
"""Exit codes beyond this are it and the number of the signal."""
_AFTERMATH_S = 0.5
"""What one failure does to the others takes so long: the timekeeper's verdict comes first, s."""
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NO_ENGINE = (
    "does not answer: start it (systemctl start docker), join the group docker, or use --engine netns"
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

    def see(self) -> list[Seen]:
        """Return every container of the project, those that ended too."""
        listed = self._api.containers(all=True, filters={"label": f"{_PROJECT}={self._project}"})
        return [Seen(one["Id"], one["Labels"][_SERVICE], one["State"], one["Status"]) for one in listed]

    def raise_failure(self, seen: list[Seen]) -> None:
        """Raise for the container at fault, if any failed: the one the timekeeper accuses, else the first.

        Raises:
            FederateError: with its name, what happened to it and its last words.
        """
        if not any(one.failed for one in seen):
            return
        time.sleep(_AFTERMATH_S)
        failed = {one.service: one for one in [*seen, *self.see()] if one.failed}
        if "timekeeper" in failed:
            verdict = self._last_words(failed["timekeeper"])
            for one in self.see():
                accused = re.search(rf"coldaisle: {re.escape(one.service)} (.*?)(;|$)", verdict)
                if accused:
                    what = self._ending(one) if accused[1] == "died" and one.code else accused[1]
                    raise FederateError(one.service, what, self._last_words(one))
        first = min(failed.values(), key=self._ended_at)
        raise FederateError(first.service, self._ending(first), self._last_words(first))

    def _inspect(self, one: Seen) -> dict[str, object]:
        try:
            return dict(self._api.inspect_container(one.id)["State"])
        except NotFound:
            return {}

    def _ended_at(self, one: Seen) -> str:
        ended = str(self._inspect(one).get("FinishedAt", ""))
        return ended if not ended.startswith("0001") else "9"  # has not ended yet: after all that have

    def _ending(self, one: Seen) -> str:
        if one.code is None:
            return f"stalled: its container is {one.status or one.state}"
        if one.code <= _KILLED:
            return f"ended with exit code {one.code}"
        memory = " because memory ran out" if self._inspect(one).get("OOMKilled") else ""
        return f"was killed by {signal.Signals(one.code - _KILLED).name}{memory}"

    def _last_words(self, one: Seen, lines: int = 3) -> str:
        try:
            said = self._api.logs(one.id, tail=lines)
        except DockerException:
            return ""
        return " | ".join(said.decode(errors="replace").strip().splitlines())
