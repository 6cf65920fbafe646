"""Containers for units that docker-compose.yml does not have: the override file, the commands that use it, and its removal."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from tests.conftest import HOUSE
from tests.testbed.test_patience import stand_in

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed.engines import more_units
from coldaisle_testbed.engines.compose import ComposeRun

if TYPE_CHECKING:
    from coldaisle_testbed.engines.containers import Containers

PARSED = yaml.safe_load((HOUSE / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKER = """
echo "$@" >>calls
case "$*" in
  *" config "*) cat parsed.json ;;
  *" up "*)
    while [ $# -gt 0 ]; do case "$1" in -f) override=$2 ;; esac; shift; done
    cp "$override" override.json
    echo no space left on device
    exit 1 ;;
esac
"""
"""A Docker command that notes its calls, knows the parsed file, and cannot start anything."""


class Nothing:
    """Containers of which there are none."""

    def see(self) -> list[Any]:
        """Return no container."""
        return []

    def raise_failure(self, _: list[Any]) -> None:
        """Find no failure."""


def plan_of(*devices: dict[str, Any]) -> Plan:
    """Return the plan of a quarter of an hour with these groups of devices."""
    scenario = Scenario.check(
        {
            "name": "more", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 0.25,
            "site": {"devices": list(devices)},
        },
        "test",
    )  # fmt: skip
    return build_plan(scenario, "test")


def test_a_further_unit_differs_in_name_only() -> None:
    """Its service has image, command, capabilities, limits, mounts and settings of a unit of the file, and another name in its environment."""
    services = more_units.override(PARSED, ["crah-001", "crah-002"])["services"]
    model = PARSED["services"]["inrow-15"]
    assert list(services) == ["crah-001", "crah-002"]
    for unit, service in services.items():
        assert service["environment"].pop("COLDAISLE_UNIT") == unit
        environment = dict(model["environment"])
        assert environment.pop("COLDAISLE_UNIT") == "inrow-15"
        assert service == {**model, "environment": environment}
        assert "build" not in service


def test_only_units_without_a_service_are_missing() -> None:
    """The four units of the file need no other service."""
    assert more_units.missing(more_units.IN_FILE) == []
    assert more_units.missing(["inrow-13", "crah-001"]) == ["crah-001"]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Docker command that cannot start anything; temporary folders are made in its folder ``tmp``."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "parsed.json").write_text(json.dumps(PARSED), encoding="utf-8")
    stand_in(tmp_path, "docker", DOCKER)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_override_file_lives_as_long_as_the_containers(docker: Path) -> None:
    """It has the units that the file lacks; only units of the plan are started; after a failure containers and file are removed."""
    plan = plan_of({"number": 13, "address": 41}, {"name": "crah-{number}", "count": 2, "address": 300})
    run = ComposeRun("x", cast("Containers", Nothing()), plan, docker, lambda _: None)
    with pytest.raises(InputError, match="docker compose up: it failed \\(no space left on device\\)"):
        run.play()
    assert list(json.loads((docker / "override.json").read_text("utf-8"))["services"]) == ["crah-1", "crah-2"]
    build, config, up, down = (docker / "calls").read_text("utf-8").splitlines()
    assert " build " in build
    assert config.endswith(" config --format json")
    services = "broker capture crah-1 crah-2 injector inrow-13 ntp switch timekeeper"
    assert up.endswith(f"/units.json up --detach --no-build --no-deps {services}")
    assert down.endswith("/units.json down --volumes --timeout 2")
    assert list((docker / "tmp").iterdir()) == []


def test_the_four_units_need_no_override(docker: Path) -> None:
    """A site with units of the file alone is played with that file alone."""
    plan = plan_of({"number": 13, "address": 41})
    run = ComposeRun("x", cast("Containers", Nothing()), plan, docker, lambda _: None)
    with pytest.raises(InputError, match="docker compose up"):
        run.play()
    calls = (docker / "calls").read_text("utf-8")
    assert "config" not in calls
    assert calls.count(" -f ") == len(calls.splitlines())
