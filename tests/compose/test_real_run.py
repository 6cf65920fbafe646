"""Real runs in containers: the smoke scenario, and what becomes of a run when a container fails."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from tests.netns.catalogue import PLAN

from coldaisle_analysis import ledger
from coldaisle_contracts.errors import FederateError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.containers import connect
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
    """The machine's Docker Engine, no run on it; whatever a test starts there has to be gone afterwards."""
    with closing(connect()) as client:
        assert remains(client) == [], (
            "a run holds the engine: docker compose -p coldaisle --profile live down -v"
        )
        yield client
        assert remains(client) == []


def remains(client: docker.DockerClient) -> list[str]:
    """Return the names of what runs hold on the engine: containers by Compose service, and networks."""
    networks = [str(network.name) for network in client.networks.list()]
    return sorted(containers(client)) + [name for name in networks if "coldaisle" in name]


def containers(client: docker.DockerClient) -> dict[str, str]:
    """Return the containers of runs by Compose service."""
    found = client.api.containers(all=True, filters={"label": SERVICE})
    return {one["Labels"][SERVICE]: one["Id"] for one in found if one["Image"].startswith("coldaisle-")}


@pytest.fixture
def plan() -> Plan:
    """The plan of the smoke scenario."""
    path = HOUSE / "scenarios" / "hour.toml"
    return build_plan(load_scenario(path), str(path))


@pytest.mark.usefixtures("engine")
def test_an_hour_in_containers_adds_up(plan: Plan, tmp_path: Path) -> None:
    """Containers play the smoke scenario, every reading and act is accounted for, and they are gone afterwards."""
    stage = tmp_path / ".hour"
    assert compose.play(plan, stage, lambda _: None) == 1
    assert ledger.check(stage) == []
    sealed = list(read_journal(stage / "journal" / "capture.jsonl"))
    assert sum(line["packets"] for line in sealed) > 500
    assert sum(line["kernel_drops"] for line in sealed) == 0
    owner = stage.stat().st_uid
    assert {path.stat().st_uid for path in stage.rglob("*")} == {owner}
    assert not [path for path in stage.rglob("*") if path.stat().st_mode & 0o022]


@pytest.mark.netns
@pytest.mark.usefixtures("engine")
def test_the_whole_catalogue_is_the_same_on_both_engines(catalogue_run: Path, tmp_path: Path) -> None:
    """Every variant of every kind in containers: everything adds up, and the semantic digest is that of the netns engine."""
    stage = tmp_path / ".catalogue"
    compose.play(PLAN, stage, lambda _: None)
    account = ledger.settled(stage)
    assert ledger.check(stage, account) == []
    assert ledger.semantic_digest(account) == ledger.semantic_digest(ledger.settled(catalogue_run))


def strike(engine: docker.DockerClient, name: str, blow: str) -> None:
    """Kill a container, pause it, or stop its programs so that the engine sees nothing wrong."""
    container = containers(engine)[name]
    if blow == "hang":
        engine.api.exec_start(engine.api.exec_create(container, ["sh", "-c", "kill -STOP -1"])["Id"])
    else:
        getattr(engine.api, blow)(container)


@pytest.mark.parametrize(
    ("blow", "what"),
    [("kill", "was killed by SIGKILL"), ("pause", "stalled"), ("hang", "did not ask for time")],
)
def test_a_failing_container_is_named(
    engine: docker.DockerClient, plan: Plan, tmp_path: Path, blow: str, what: str
) -> None:
    """A unit that dies, stalls or hangs ends the run within 30 s, with its name, and nothing is left behind."""
    stage = stage_of(tmp_path / "hour")
    struck: list[float] = []

    def strike_when_it_works() -> None:
        until = time.monotonic() + PATIENCE_S
        while not (stage / "journal" / "inrow-15.jsonl").exists() and time.monotonic() < until:
            time.sleep(0.05)
        struck.append(time.monotonic())
        strike(engine, "inrow-15", blow)

    thread = threading.Thread(target=strike_when_it_works)
    thread.start()
    with pytest.raises(FederateError, match=what) as failure, stage_for(tmp_path / "hour"):
        compose.play(plan, stage, lambda _: None)
    ended = time.monotonic()
    thread.join()
    assert failure.value.name == "inrow-15"
    assert ended - struck[0] < 30
    assert list(tmp_path.iterdir()) == []
