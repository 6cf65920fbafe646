"""The doctor's checks of this machine, and the remedies for what is missing."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from coldaisle_contracts.errors import InputError
from coldaisle_testbed import doctor
from coldaisle_testbed.engines import containers


def test_each_failure_has_its_remedy_and_nothing_else_has() -> None:
    """A failed check has a remedy, and a passed check has none."""
    checks = doctor.checks()
    assert len({check.name for check in checks}) == len(checks)
    for check in checks:
        assert check.finding
        assert bool(check.remedy) != check.ok, check


def test_missing_programs_and_virtual_time_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty PATH every program is reported as missing, and each remedy names its package."""
    monkeypatch.setenv("PATH", "")
    checks = {check.name: check for check in doctor.checks()}
    assert "apt-get install --no-install-recommends chrony" in checks["chronyd"].remedy
    for name in ("mosquitto", "chronyd", "tcpdump", "tshark", "libfaketime", "Docker Compose"):
        assert not checks[name].ok


@pytest.mark.parametrize(
    ("which", "variable"),
    [
        ("notebook_port", "COLDAISLE_PORT"),
        ("desk_port", "COLDAISLE_DESK_PORT"),
        ("alarms_port", "COLDAISLE_ALARMS_PORT"),
    ],
)
def test_a_taken_port_is_noticed(which: str, variable: str) -> None:
    """A port of JupyterLab or of the alarms that another program uses is reported."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        checks = {check.name: check for check in doctor.checks(**{which: number})}
    port = checks[f"port {number}"]
    assert not port.ok
    assert port.remedy.startswith(f"set {variable} to another port")


def test_too_little_room_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Disk and memory are compared with what a run needs."""
    monkeypatch.setattr(doctor, "DISK", 2**60)
    monkeypatch.setattr(doctor, "MEMORY", 2**60)
    checks = {check.name: check for check in doctor.checks(tmp_path)}
    assert not checks["disk space"].ok
    assert not checks["memory"].ok


def test_an_engine_that_does_not_answer_is_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If Docker does not answer, one sentence names the other engine as well."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(InputError, match=r"does not answer: .*--engine netns"), closing(containers.connect()):
        pass
