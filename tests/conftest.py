"""Fixtures for several tests: the published captures, and real runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.beside import Shared, Together, is_worker, rank_of
from tests.made_package import Packages
from xdist.remote import Producer

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for

HOUSE = Path(__file__).resolve().parents[1]
_WITHOUT_ROOT = "needs root: network namespaces and packet sockets"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Keep tests together that share something."""
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker begin with the longest tests; report real runs as not run, with the reason, if this user may not make a namespace."""
    if is_worker(config):
        items.sort(key=lambda item: rank_of(item.nodeid))
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("netns"):
            item.add_marker(pytest.mark.skip(reason=_WITHOUT_ROOT))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """Packages that add kinds and models, installed for the time of a test."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Packages(folder, monkeypatch)
    yield made
    monkeypatch.undo()
    made.forget()


@pytest.fixture(scope="session")
def dad() -> Path:
    """Folder of the published DAD captures."""
    folder = Path(os.environ.get("COLDAISLE_DAD", HOUSE.parent / "shared" / "data" / "dad"))
    if not folder.is_dir():
        pytest.skip(f"the published DAD captures are not in {folder}: name their folder in COLDAISLE_DAD")
    return folder


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What all workers of this session make only once."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if is_worker(request.config) else own) / "shared"
    folder.mkdir(mode=0o700, exist_ok=True)
    return Shared(folder)


@pytest.fixture(scope="session")
def hour_run(shared: Shared) -> Path:
    """A finished run of the smoke scenario on the netns engine, with its dataset and without models. It is read only."""
    from coldaisle_testbed import conclude, shard_folders, sharding  # noqa: PLC0415 - heavy, and seldom needed

    def make(folder: Path) -> Path:
        file = HOUSE / "scenarios" / "hour.toml"
        plan = build_plan(load_scenario(file), str(file))
        with stage_for(folder / "hour") as stage:
            shard_folders.prepare(stage, plan)
            sharding.play(plan, stage, 1, lambda _: None)
            order = Order(engine="netns", shards=1, analyse=False, latest=False)
            return conclude.conclude(stage, order, Progress())

    return shared.once("hour", make)


@pytest.fixture(scope="session")
def catalogue_run(shared: Shared) -> Path:
    """A real run of every variant of every kind on the netns engine, not concluded. It is read only."""
    from tests.netns.catalogue import DAYS, PLAN  # noqa: PLC0415

    from coldaisle_testbed import shard_folders, sharding  # noqa: PLC0415 - heavy, and seldom needed

    def make(folder: Path) -> Path:
        run = folder / "run"
        shard_folders.prepare(run, PLAN)
        sharding.play(PLAN, run, DAYS, lambda _: None)
        return run

    return shared.once("catalogue", make)
