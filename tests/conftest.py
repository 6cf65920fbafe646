"""Fixtures for several tests: the published captures, and real runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.made_package import Packages

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for

HOUSE = Path(__file__).resolve().parents[1]
_WITHOUT_ROOT = "needs root: network namespaces and packet sockets"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Report real runs as not run, with the reason, if this user may not make a namespace."""
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
def hour_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the smoke scenario on the netns engine, with its dataset and without models. It is read only."""
    from coldaisle_testbed import conclude, shard_folders, sharding  # noqa: PLC0415 - heavy, and seldom needed

    file = HOUSE / "scenarios" / "hour.toml"
    plan = build_plan(load_scenario(file), str(file))
    final = tmp_path_factory.mktemp("runs") / "hour"
    with stage_for(final) as stage:
        shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, 1, lambda _: None)
        order = Order(engine="netns", shards=1, analyse=False, latest=False)
        return conclude.conclude(stage, order, Progress())


@pytest.fixture(scope="session")
def catalogue_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of every variant of every kind on the netns engine, not concluded. It is read only."""
    from tests.netns.catalogue import DAYS, PLAN  # noqa: PLC0415

    from coldaisle_testbed import shard_folders, sharding  # noqa: PLC0415 - heavy, and seldom needed

    run = tmp_path_factory.mktemp("catalogue") / "run"
    shard_folders.prepare(run, PLAN)
    sharding.play(PLAN, run, DAYS, lambda _: None)
    return run
