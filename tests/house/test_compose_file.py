"""docker-compose.yml says what the contracts say, and gives nobody more than they need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from coldaisle_contracts.addressing import BROKER, GATEWAY, HOSTS, NETWORK, NTP, UNITS, Host

HOUSE = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CAPABILITIES = {
    "plan": {"SETUID", "SETGID"},
    "injector": {"NET_RAW"},
    "capture": {"NET_RAW"},
    "analysis": {"CHOWN", "SETUID", "SETGID"},
    "live": {"SETUID", "SETGID"},
    **{unit: {"NET_ADMIN"} for unit in UNITS},
}
"""What each service may do beyond nothing."""


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_addresses_are_those_of_the_contracts(host: Host) -> None:
    """Every host of the plan has its service, with its IPv4 and its MAC address."""
    service = SERVICES[host.name]
    assert service["networks"] == {"aisle": {"ipv4_address": host.ip}}
    assert service["mac_address"] == host.mac


def test_nobody_else_is_on_the_test_network() -> None:
    """Only the plan's hosts are on the test network; time server and capture share the broker's place on it."""
    on_it = {name for name, service in SERVICES.items() if "aisle" in service.get("networks", ())}
    assert on_it == {host.name for host in HOSTS}
    for name in (NTP.name, "capture"):
        assert SERVICES[name]["network_mode"] == "service:broker"
    assert (NTP.ip, NTP.mac) == (BROKER.ip, BROKER.mac)


def test_the_test_network_is_internal() -> None:
    """The network is the contracts' one and no route leaves it."""
    aisle = COMPOSE["networks"]["aisle"]
    assert aisle["internal"] is True
    assert aisle["driver_opts"] == {"com.docker.network.bridge.inhibit_ipv4": "true"}
    assert aisle["ipam"]["config"] == [{"subnet": str(NETWORK), "gateway": str(GATEWAY)}]


@pytest.mark.parametrize("name", SERVICES)
def test_services_have_no_more_than_they_need(name: str) -> None:
    """Every service drops all capabilities and gets back the listed ones, on a read-only file system."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", ())) == CAPABILITIES.get(name, set())
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["init"] is True
    assert "privileged" not in service


def test_programs_of_the_run_are_not_root() -> None:
    """Only those that need a capability, or to become somebody, are root."""
    for name, service in SERVICES.items():
        image = service["image"].removeprefix("coldaisle-")
        dockerfile = (HOUSE / image / "Dockerfile").read_text(encoding="utf-8")
        is_root = service.get("user") == "root" or "USER coldaisle" not in dockerfile
        assert is_root == (name in CAPABILITIES), name


def test_units_differ_in_name_and_address_only() -> None:
    """The four units are one anchor with four environments."""
    own = {"environment", "mac_address", "networks", "build"}
    shared = [{k: v for k, v in SERVICES[unit].items() if k not in own} for unit in UNITS]
    assert all(unit == shared[0] for unit in shared)
    assert [SERVICES[unit]["environment"]["COLDAISLE_UNIT"] for unit in UNITS] == list(UNITS)


def test_each_image_is_built_once() -> None:
    """Services that share an image leave building it to one of them, so that two never race."""
    builders = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(builders) == sorted({service["image"] for service in SERVICES.values()})
    assert all("build" in service or service["pull_policy"] == "never" for service in SERVICES.values())


def test_what_is_served_is_served_to_this_machine_only() -> None:
    """JupyterLab and the listener for alarms are published on the loopback address, away from the test network, and nothing else is."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"analysis": ["127.0.0.1:8888:8888"], "alarms": ["127.0.0.1:1884:1884"]}
    assert all(SERVICES[name]["networks"] == ["desk"] for name in ("analysis", "live", "alarms"))


@pytest.mark.parametrize("name", ["timekeeper", "broker", "ntp", "capture", "analysis"])
def test_services_others_wait_for_have_a_health_check(name: str) -> None:
    """Whoever stays up while others wait for it can be asked how it is."""
    assert SERVICES[name]["healthcheck"]["test"]


def test_no_variable_is_needed() -> None:
    """Every variable in the file has a default: `docker compose up` needs nothing else."""
    for part in (HOUSE / "docker-compose.yml").read_text(encoding="utf-8").split("${")[1:]:
        assert ":-" in part.partition("}")[0]
