"""Real runs in containers: the smoke scenario, and the end of a run when a container fails."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from tests.netns import datacentre, office
from tests.netns.catalogue import PLAN
from tests.stopwatch import Stopwatch

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import semantic_digest, settle
from coldaisle_contracts.background import DNSMASQ, PAGES
from coldaisle_contracts.errors import FederateError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.software import Software
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.containers import connect
from coldaisle_testbed.obedience.observed import fields
from coldaisle_testbed.stage import stage_for, stage_of

HOUSE = Path(__file__).resolve().parents[2]
SERVICE = "com.docker.compose.service"
PATIENCE_S = 120.0

pytestmark = [
    pytest.mark.compose,
    pytest.mark.skipif(not compose.answers(), reason="needs a Docker Engine that answers"),
]


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """The machine's Docker Engine without any run; after the test nothing of a run may be left on it."""
    with closing(connect()) as client:
        assert remains(client) == [], (
            "a run holds the engine: docker compose -p coldaisle --profile live down -v"
        )
        yield client
        assert remains(client) == []


def remains(client: docker.DockerClient) -> list[str]:
    """Return the names of what runs have on the engine: containers by Compose service, and networks."""
    networks = [str(network.name) for network in client.networks.list()]
    return sorted(containers(client)) + [name for name in networks if "coldaisle" in name]


def containers(client: docker.DockerClient) -> dict[str, str]:
    """Return the containers of runs by Compose service."""
    containers = client.api.containers(all=True, filters={"label": SERVICE})
    return {
        container["Labels"][SERVICE]: container["Id"]
        for container in containers
        if container["Image"].startswith("coldaisle-")
    }


@pytest.fixture
def plan() -> Plan:
    """The plan of the smoke scenario."""
    path = HOUSE / "scenarios" / "hour.toml"
    return build_plan(load_scenario(path), str(path))


def run_inside(engine: docker.DockerClient, service: str, script: str) -> None:
    """Run a shell script in a container of a run."""
    engine.api.exec_start(engine.api.exec_create(containers(engine)[service], ["sh", "-c", script])["Id"])


def at_work(stage: Path) -> None:
    """Wait until a run has its first readings."""
    until = time.monotonic() + PATIENCE_S
    while not (stage / "journal" / "inrow-15.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)


def test_an_hour_in_containers_adds_up(engine: docker.DockerClient, plan: Plan, tmp_path: Path) -> None:
    """Containers play the smoke scenario, tcpdump stops for 3 s, and every reading, act and frame is accounted for.

    All files belong to the owner of the run's folder, no other user may write them, and every image has listed its software.
    """
    stage = tmp_path / ".hour"

    def stop_tcpdump() -> None:
        at_work(stage)
        send = (
            "for one in /proc/[0-9]*; do if grep -qx tcpdump $one/comm; then kill -%s ${one#/proc/}; fi; done"
        )
        run_inside(engine, "capture", send % "STOP")
        time.sleep(3)
        run_inside(engine, "capture", send % "CONT")

    thread = threading.Thread(target=stop_tcpdump)
    thread.start()
    compose.play(plan, stage, lambda _: None)
    thread.join()
    assert ledger.check(stage) == []
    sealed = list(read_journal(stage / "journal" / "capture.jsonl"))
    assert sum(line["packets"] for line in sealed) > 500
    assert sum(line["kernel_drops"] for line in sealed) == 0
    owner = stage.stat().st_uid
    assert {path.stat().st_uid for path in stage.rglob("*")} == {owner}
    assert not [path for path in stage.rglob("*") if path.stat().st_mode & 0o022]
    assert set(Software.of_run(stage)) == {"broker", "capture", "injector", "ntp", "sensors", "testbed"}


SIX = {
    "name": "six", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 0.4,
    "site": {
        "devices": [
            {"number": 13, "address": 41},
            {"name": "crah-{number}", "count": 5, "address": 256, "client": "c{number}s{sensor}", "spread": 0.3},
        ]
    },
    "episodes": [
        {"kind": "modification", "variant": "scale", "unit": "crah-3", "day": 1, "start": "00:10:00", "readings": 2}
    ],
}  # fmt: skip
"""A scenario with one unit of docker-compose.yml, five others, and an attack on one of these."""


def test_units_of_any_site_get_containers(
    engine: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six units play, of which docker-compose.yml has one; everything adds up, no other unit is started, and no temporary file is left."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    plan, seen = build_plan(Scenario.check(SIX, "test"), "test"), set[str]()
    compose.play(plan, tmp_path / ".six", lambda _: seen.update(containers(engine)))
    assert seen == {*plan.scenario.units, "broker", "capture", "injector", "ntp", "switch", "timekeeper"}
    account = settle(tmp_path / ".six")
    assert ledger.check(tmp_path / ".six", account) == []
    assert len(account.readings) == 6 * 4 * plan.scenario.slots
    assert list(place.iterdir()) == []


def test_background_traffic_in_containers(engine: docker.DockerClient, tmp_path: Path) -> None:
    """Workstations get containers, dnsmasq and the status page answer them, and the run is the same as in network namespaces."""
    stage, seen = tmp_path / ".office", set[str]()
    compose.play(office.PLAN, stage, lambda _: seen.update(containers(engine)))
    assert {*office.PLAN.workstations, DNSMASQ, PAGES} < seen
    account = settle(stage)
    assert ledger.check(stage, account) == []
    assert semantic_digest(account) == office.DIGEST
    assert len(account.evidence.fetches) > 70
    assert "services" in Software.of_run(stage)


def test_a_data_centre_in_containers(engine: docker.DockerClient, tmp_path: Path) -> None:
    """Every kind of device, each dialect, TLS, workstations and a chain: the run is the same as in network namespaces."""
    stage, seen = tmp_path / ".datacentre", set[str]()
    compose.play(datacentre.PLAN, stage, lambda _: seen.update(containers(engine)))
    assert {*datacentre.PLAN.devices, *datacentre.PLAN.workstations} < seen
    account = settle(stage)
    assert ledger.check(stage, account) == []
    assert semantic_digest(account) == datacentre.DIGEST


NO_ZERO = "tcp.checksum != 0xffff"
"""Linux writes 0xffff for a checksum of 0, once in 65,536 frames: these are not wrong on purpose."""


def frames(stage: Path) -> tuple[set[int], set[int]]:
    """Return the frame lengths of 1,000 bytes and more in the raw captures, and the lengths of frames with a wrong TCP checksum.

    How often each length occurs depends on timing, because unacknowledged frames are sent again.
    """
    lengths: set[int] = set()
    wrong: set[int] = set()
    for raw in sorted((stage / "capture" / "raw").glob("*.pcap")):
        lengths |= {int(size) for (size,) in fields(raw, "frame.len >= 1000", "frame.len")}
        wrong |= {int(size) for (size,) in fields(raw, f"tcp.checksum.status == 0 && {NO_ZERO}", "frame.len")}
    return lengths, wrong


@pytest.mark.netns
@pytest.mark.usefixtures("engine")
def test_the_whole_catalogue_is_the_same_on_both_engines(catalogue_run: Path, tmp_path: Path) -> None:
    """Every variant of every kind adds up in containers, and the semantic digest is that of the netns engine.

    The frames are alike, too: the same long frames, none longer than Ethernet's 1,514 bytes, and the same lengths with wrong checksums.
    """
    stage = tmp_path / ".catalogue"
    compose.play(PLAN, stage, lambda _: None)
    account = settle(stage)
    assert ledger.check(stage, account) == []
    assert semantic_digest(account) == semantic_digest(settle(catalogue_run))
    lengths, wrong = frames(stage)
    assert max(lengths) == 1514
    assert wrong
    assert (lengths, wrong) == frames(catalogue_run)


def strike(engine: docker.DockerClient, name: str, blow: str) -> None:
    """Kill a container, pause it, or stop its programs without a sign for the engine."""
    if blow == "hang":
        run_inside(engine, name, "kill -STOP -1")
    else:
        getattr(engine.api, blow)(containers(engine)[name])


@pytest.mark.parametrize(
    ("blow", "what"),
    [("kill", "was killed by SIGKILL"), ("pause", "stalled"), ("hang", "gave no sign of life")],
)
def test_a_failing_container_is_named(
    engine: docker.DockerClient, plan: Plan, tmp_path: Path, blow: str, what: str
) -> None:
    """A unit that dies, stalls or hangs ends the run within 30 s with its name, and no file is left."""
    stage = stage_of(tmp_path / "hour")
    struck: list[Stopwatch] = []

    def strike_when_it_works() -> None:
        at_work(stage)
        struck.append(Stopwatch())
        strike(engine, "inrow-15", blow)

    thread = threading.Thread(target=strike_when_it_works)
    thread.start()
    with pytest.raises(FederateError, match=what) as failure, stage_for(tmp_path / "hour"):
        compose.play(plan, stage, lambda _: None)
    took_s = struck[0].unstalled_s()
    thread.join()
    assert failure.value.name == "inrow-15"
    assert took_s < 30
    assert list(tmp_path.iterdir()) == []
