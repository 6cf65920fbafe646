"""docker-compose.yml agrees with the contracts and gives every service only the rights that it needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.published import UNITS

from coldaisle_analysis.export import eve
from coldaisle_contracts import numbering
from coldaisle_contracts.addressing import BROKER, NTP
from coldaisle_contracts.background import DHCP_PORT, DNS_PORT, DNSMASQ, HTTP_PORT, PAGES
from coldaisle_contracts.cable import SWITCH
from coldaisle_contracts.kinds import KINDS
from coldaisle_testbed import namespaces, services
from coldaisle_testbed.engines import more_units
from coldaisle_testbed.engines.compose import HOUSE as FOLDER
from coldaisle_testbed.engines.compose import project_of

HOUSE = Path(__file__).resolve().parents[2]
TEXT = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWNER = {"SETUID", "SETGID", "KILL"}
"""Capabilities to change to the owner of runs/, and for the container's init to end that user's programs."""
CAPABILITIES = {
    "notebook": OWNER,
    "desk": OWNER,
    "analysis": OWNER,
    "live": OWNER,
    "alarms": OWNER,
    "judge": OWNER,
    "campaign": OWNER,
    "worker": OWNER
    | {"SYS_ADMIN", "NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE", "CHOWN", "DAC_OVERRIDE", "FOWNER"},
    "timekeeper": OWNER | {"CHOWN"},
    "switch": OWNER | {"NET_ADMIN"},
    "capture": OWNER | {"NET_ADMIN", "NET_RAW"},
    "injector": OWNER | {"NET_ADMIN", "NET_RAW"},
    DNSMASQ: OWNER | {"NET_ADMIN"},
    PAGES: OWNER,
    **{unit: OWNER | {"NET_ADMIN"} for unit in UNITS},
}
"""The capabilities of each service; a service that is not listed has none."""
PLUGGED_IN = {"capture", "injector", *UNITS}
OUTSIDE = {"notebook", "live", "alarms"}
"""Services on a network of the machine, which is not the test network."""
CLUSTER = {"scheduler", "worker", "campaign"}
"""Services of the profile cluster."""
BACKGROUND = {DNSMASQ, PAGES}
"""Services of the profile background, which the command line starts for a site with background traffic."""


def image(service: dict[str, Any]) -> str:
    """Return the folder of the image that a service runs."""
    return str(service["image"]).partition(":")[0].removeprefix("coldaisle-")


def test_no_container_network_reaches_the_test_network() -> None:
    """Hosts of the test network have an empty network namespace until the switch plugs them in; broker and NTP share the capture's."""
    assert set(COMPOSE["networks"]) == {"outside"}
    joined = {name for name, service in SERVICES.items() if service.get("network_mode") == "service:capture"}
    assert joined == {BROKER.name, NTP.name} | BACKGROUND
    assert (NTP.ip, NTP.mac) == (BROKER.ip, BROKER.mac)
    for name in (*PLUGGED_IN, "switch", "timekeeper", "verdict", "judge", "scheduler"):
        assert SERVICES[name]["network_mode"] == "none", name
    assert {name for name, service in SERVICES.items() if "networks" in service} == OUTSIDE
    assert SERVICES["analysis"]["network_mode"] == "service:notebook"
    assert SERVICES["desk"]["network_mode"] == "service:notebook"


def test_hosts_know_the_switch() -> None:
    """Exactly the hosts that are plugged in get the path of the switch, in the folder that the timekeeper opens."""
    sockets = {
        name: service.get("environment", {}).get("COLDAISLE_SWITCH") for name, service in SERVICES.items()
    }
    assert sockets == {name: f"/federation/{SWITCH}" if name in PLUGGED_IN else None for name in SERVICES}


@pytest.mark.parametrize("name", ["switch", "capture", "injector", *UNITS])
def test_nobody_speaks_ipv6_or_forwards(name: str) -> None:
    """Every network namespace that frames pass has IPv6, forwarding and tail loss probes switched off, as on the netns engine."""
    assert SERVICES[name]["sysctls"].items() >= COMPOSE["x-quiet"].items()


def test_both_engines_have_the_same_settings() -> None:
    """Every namespace of the netns engine gets the kernel's settings that the containers get."""
    settings = {f"net.{setting.replace('/', '.')}": value for setting, value in namespaces._SYSCTLS.items()}
    assert settings == COMPOSE["x-quiet"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_have_no_more_than_they_need(name: str) -> None:
    """Every service drops all capabilities, adds only the listed ones, and has a read-only file system."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", ())) == CAPABILITIES.get(name, set())
    mounting = ["apparmor=unconfined", "systempaths=unconfined"] if name == "worker" else []
    assert service["security_opt"] == ["no-new-privileges:true", *mounting]
    assert service["read_only"] is True
    assert service["init"] is True
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_bounded(name: str) -> None:
    """Every service has a limit on memory, processes and temporary files."""
    service = SERVICES[name]
    assert re.fullmatch(r"\d+g", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 4096
    assert all(re.search(r":size=\d+[mg]$", mount) for mount in service["tmpfs"])
    assert "size=" in COMPOSE["volumes"]["federation"]["driver_opts"]["o"]


def test_programs_of_the_run_are_not_root() -> None:
    """Only services that need the owner of runs/ start as root, and they change to that user first; all others have a user of their own."""
    for name, service in SERVICES.items():
        if name == "worker":  # it is the engine netns, which needs root
            assert service["user"] == "root"
        elif name in CAPABILITIES:
            assert service["user"] == "root"
            script = (HOUSE / "testbed" / "keep-time").read_text(encoding="utf-8")
            script += (HOUSE / "analysis" / "notebook").read_text(encoding="utf-8")
            assert (service.get("entrypoint") or service.get("command", ["keep-time"]))[0] in (
                "as-owner",
                "keep-time",
                "notebook",
                "with-password",
            )
            assert script.count("exec as-owner /runs") == 2
        else:
            dockerfile = (HOUSE / image(service) / "Dockerfile").read_text(encoding="utf-8")
            assert "USER coldaisle" in dockerfile or service["user"] == "coldaisle", name


def test_every_image_can_have_another_base() -> None:
    """One variable names a base with a digest for all images; without it the Dockerfiles' default is used."""
    builds = [service["build"] for service in SERVICES.values() if "build" in service]
    assert all(build["args"] == {"BASE": "${COLDAISLE_BASE:-debian:trixie-slim}"} for build in builds)


def test_the_alarms_need_a_password() -> None:
    """The listener requires the password that its container makes; the watch reads it from a file that only the owner can read."""
    conf = (HOUSE / "broker" / "alarms.conf").read_text(encoding="utf-8").splitlines()
    assert {"allow_anonymous false", "password_file passwords"} <= set(conf)
    assert SERVICES["alarms"]["command"][:2] == ["with-password", "/runs"]
    assert SERVICES["alarms"]["command"][3:] == ["mosquitto", "-c", "/etc/coldaisle/alarms.conf"]
    assert not any("password" in word for word in SERVICES["live"]["command"])


def test_nothing_is_open_to_everybody() -> None:
    """No folder of a run is writable for all users, and only its group may enter the timekeeper's folder."""
    assert "mode=0755" in COMPOSE["volumes"]["federation"]["driver_opts"]["o"]
    assert "chmod 2750 /federation" in (HOUSE / "testbed" / "keep-time").read_text(encoding="utf-8")


def test_suricata_knows_the_site() -> None:
    """Its configuration names the units and the broker of the contracts, and each rule is for a kind of attack and has that kind's number."""
    config = yaml.safe_load((HOUSE / "judge" / "suricata.yaml").read_text(encoding="utf-8"))
    groups = config["vars"]["address-groups"]
    assert set(groups["UNITS"].strip("[]").split(",")) == {unit.ip for unit in UNITS.values()}
    assert groups["BROKER"] == BROKER.ip
    rules = [
        line
        for line in (HOUSE / "judge" / "mqtt.rules").read_text("utf-8").splitlines()
        if line[:1] not in ("", "#")
    ]
    kinds = [
        (re.findall(r"coldaisle_kind ([\w-]+);", rule)[0], int(re.findall(r"sid:(\d+);", rule)[0]))
        for rule in rules
    ]
    assert len({sid for _, sid in kinds}) == len(rules)
    assert all(sid % 100 == eve.SIGNATURES[kind] % 100 and not KINDS[kind].benign for kind, sid in kinds)


def test_units_differ_in_name_only() -> None:
    """The four units share one anchor and differ in their environments; one of them builds the image."""
    added = {"environment", "build", "pull_policy"}
    shared = [{k: v for k, v in SERVICES[unit].items() if k not in added} for unit in UNITS]
    assert all(unit == shared[0] for unit in shared)
    assert [SERVICES[unit]["environment"]["COLDAISLE_UNIT"] for unit in UNITS] == list(UNITS)


def test_other_units_get_services_of_their_own() -> None:
    """The file has the units that the engine in containers counts on, and no unit of a site can have the name of another service."""
    assert tuple(UNITS) == more_units.IN_FILE
    assert set(SERVICES) - set(UNITS) <= numbering._RESERVED


def test_a_scenario_finds_its_site() -> None:
    """Wherever a container has the scenarios, it has the sites beside them, which a scenario names by a relative path."""
    mounts = [set(map(str, service.get("volumes", ()))) for service in SERVICES.values()]
    reading = [places for places in mounts if "./scenarios:/scenarios:ro" in places]
    assert len(reading) == 2
    assert all("./sites:/sites:ro" in places for places in reading)


def test_each_image_is_built_once_and_never_stale() -> None:
    """Of the services that share an image exactly one builds it; the build cache detects changed sources."""
    builders = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(builders) == sorted({service["image"] for service in SERVICES.values()})
    for service in SERVICES.values():
        assert service["pull_policy"] == ("build" if "build" in service else "never")


def test_names_follow_the_folder() -> None:
    """Two checkouts have different project and image names; the command line uses the images of its own checkout."""
    assert COMPOSE["name"] == "coldaisle${PWD:-}"
    assert {service["image"].partition(":")[2] for service in SERVICES.values()} == {
        "${COLDAISLE_IMAGES:-${COMPOSE_PROJECT_NAME:-coldaisle}}"
    }
    assert project_of(Path("/a/My Lab/coldaisle")) == "coldaisleamylabcoldaisle"
    assert project_of(Path("/a/x/coldaisle")) != project_of(Path("/a/y/coldaisle"))
    assert FOLDER == HOUSE


def test_what_is_served_is_served_to_this_machine_only() -> None:
    """Only JupyterLab, the desk beside it and the listener for alarms publish ports: on the loopback address, away from the test network."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "notebook": [
            "127.0.0.1:${COLDAISLE_PORT:-8888}:8888",
            "127.0.0.1:${COLDAISLE_DESK_PORT:-8899}:8899",
        ],
        "alarms": ["127.0.0.1:${COLDAISLE_ALARMS_PORT:-1884}:1884"],
    }


def test_the_port_is_taken_before_anything_is_played() -> None:
    """All other services wait for JupyterLab, which waits for none: if its port is taken, `up` ends before a plan is made."""
    assert "depends_on" not in SERVICES["notebook"]
    waiting = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    reached = {"notebook"}
    while more := {name for name, others in waiting.items() if others & reached} - reached:
        reached |= more
    assert reached == set(SERVICES) - {"alarms", "judge"} - CLUSTER


def test_the_terminal_hears_who_speaks_to_people() -> None:
    """Only services that print progress are attached to the terminal; the output of broker, units and attacker is not shown."""
    attached = {name for name, service in SERVICES.items() if service.get("attach", True)}
    assert attached == {"notebook", "desk", "analysis", "live"}


@pytest.mark.parametrize(
    "name",
    [
        "notebook",
        "desk",
        "analysis",
        "timekeeper",
        "switch",
        "capture",
        "broker",
        "ntp",
        "scheduler",
        DNSMASQ,
        PAGES,
    ],
)
def test_services_others_wait_for_have_a_health_check(name: str) -> None:
    """A service that keeps running while others wait for it has a health check."""
    healthcheck = SERVICES[name]["healthcheck"]
    assert healthcheck["test"]
    assert healthcheck["start_period"] == "60s", "a busy machine starts a program slowly"


def test_background_traffic_is_no_part_of_the_default_run() -> None:
    """`docker compose up` starts none of its services; on both engines they get the same arguments, and may use their ports without rights."""
    assert {
        name for name, service in SERVICES.items() if service.get("profiles") == ["background"]
    } == BACKGROUND
    commands = services.commands(Path("/"))
    assert SERVICES[DNSMASQ]["command"][5:-1] == commands[DNSMASQ][:-1]
    assert SERVICES[PAGES]["command"][5:] == commands[PAGES][1:]
    least = int(SERVICES["capture"]["sysctls"]["net.ipv4.ip_unprivileged_port_start"])
    assert least == min(DNS_PORT, DHCP_PORT, HTTP_PORT)


def test_nobody_reaches_the_scheduler() -> None:
    """Dask has no password, and a worker is root of its container: all of the cluster is on the loopback of one namespace without a network."""
    assert SERVICES["scheduler"]["network_mode"] == "none"
    assert {SERVICES[name]["network_mode"] for name in CLUSTER - {"scheduler"}} == {"service:scheduler"}
    assert not any({"ports", "networks"} & set(SERVICES[name]) for name in CLUSTER)
    assert {"--host", "127.0.0.1"} <= set(SERVICES["scheduler"]["command"])
    assert {"tcp://127.0.0.1:8786", "--host=127.0.0.1"} <= set(SERVICES["worker"]["command"])
    assert all(SERVICES[name]["profiles"] == ["cluster"] for name in CLUSTER)


def test_no_variable_is_needed() -> None:
    """Every variable in the file has a default: `docker compose up` needs no setting."""
    for part in TEXT.split("${")[1:]:
        assert ":-" in part.partition("}")[0]


def test_every_variable_is_explained() -> None:
    """The page on containers explains every variable that a user may set."""
    page = (HOUSE / "docs" / "containers.md").read_text(encoding="utf-8")
    by_command_line = {"COLDAISLE_STAGE", "COLDAISLE_IMAGES"}  # set by the command line
    for name in set(re.findall(r"\$\{(COLDAISLE_\w+)", TEXT)) - by_command_line:
        assert name in page, name
