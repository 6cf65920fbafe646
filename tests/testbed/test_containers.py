"""The container at fault when a run fails, found from the engine's data."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from coldaisle_contracts.errors import PLAY_AGAIN, FederateError
from coldaisle_testbed.engines import containers
from coldaisle_testbed.engines.containers import Containers

if TYPE_CHECKING:
    import docker


class Engine:
    """The part of the SDK in use: containers by service, with status, end time and log."""

    def __init__(self, **services: tuple[str, str, str]) -> None:
        self._services = services

    def containers(self, **_: Any) -> list[dict[str, Any]]:
        """Return the containers as the engine lists them."""
        return [
            {"Id": name, "Labels": {"com.docker.compose.service": name}, "State": "exited", "Status": status}
            for name, (status, _, _) in self._services.items()
        ]

    def inspect_container(self, name: str) -> dict[str, Any]:
        """Return the state of a container."""
        return {
            "State": {"FinishedAt": self._services[name][1], "OOMKilled": "memory" in self._services[name][2]}
        }

    def logs(self, name: str, **_: Any) -> bytes:
        """Return the log of a container."""
        return self._services[name][2].encode()


def fault(monkeypatch: pytest.MonkeyPatch, **services: tuple[str, str, str]) -> FederateError:
    """Return the error raised for these containers."""
    monkeypatch.setattr(containers, "_AFTERMATH_S", 0.0)
    project = Containers(cast("docker.DockerClient", SimpleNamespace(api=Engine(**services))), "any")
    with pytest.raises(FederateError) as failure:
        project.raise_failure(project.see())
    return failure.value


def test_the_first_to_fail_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a verdict of the timekeeper the container that failed first is at fault, with its last words."""
    error = fault(
        monkeypatch,
        capture=("Exited (3) 1 second ago", "2026-01-01T00:00:02Z", "the run ended"),
        injector=("Exited (3) 1 second ago", "2026-01-01T00:00:01Z", "no answer"),
    )
    assert (
        str(error)
        == f"injector ended with exit code 3, so the run was ended; its last words: no answer; {PLAY_AGAIN}"
    )


def test_the_timekeepers_verdict_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container that the timekeeper accuses is at fault, even if others ended before."""
    error = fault(
        monkeypatch,
        timekeeper=(
            "Exited (3) now",
            "2026-01-01T00:00:02Z",
            "coldaisle: capture gave no sign of life for 22 s, so the run was ended; it",
        ),
        injector=("Exited (3) now", "2026-01-01T00:00:01Z", "ended the run"),
        capture=("Up 2 minutes", "0001-01-01T00:00:00Z", "capturing"),
    )
    assert str(error) == (
        f"capture gave no sign of life for 22 s, so the run was ended; its last words: capturing; {PLAY_AGAIN}"
    )


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("Exited (1) 1 second ago", "ended with exit code 1"),
        ("Exited (137) 1 second ago", "was killed by SIGKILL because memory ran out"),
        ("Up 9 seconds (unhealthy)", "stalled: its container is Up 9 seconds (unhealthy)"),
    ],
)
def test_a_daemon_may_not_end_badly_or_stall(monkeypatch: pytest.MonkeyPatch, status: str, what: str) -> None:
    """The broker must not fail or stall: its own end before the run's gives exit code 1 (until-over), a later end 0."""
    error = fault(monkeypatch, broker=(status, "2026-01-01T00:00:01Z", "memory"))
    assert (error.name, error.what) == ("broker", what)


def test_nothing_is_raised_while_all_is_well() -> None:
    """Containers that are done, created or healthy raise no error."""
    engine = Engine(
        plan=("Exited (0) now", "", ""), broker=("Up (healthy)", "", ""), capture=("Created", "", "")
    )
    containers = Containers(cast("docker.DockerClient", SimpleNamespace(api=engine)), "any")
    containers.raise_failure(containers.see())
    assert [container.code for container in containers.see()] == [0, None, None]
