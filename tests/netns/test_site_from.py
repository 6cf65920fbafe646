"""A site, played and found again in its capture."""

from pathlib import Path

import pytest

from coldaisle_analysis.fitting import site_from
from coldaisle_contracts.manifest import digest_of
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.site_parameters import Site
from coldaisle_testbed import conclude, shard_folders, sharding, verification
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for

pytestmark = pytest.mark.netns
GROUPS = (
    {"name": "row{number:02}", "number": 8, "count": 3, "address": 300, "client": "row{number:02}{sensor}", "spread": 0.8},
    {"name": "hall{number}b", "count": 2, "address": 67, "client": "hall{number}b{sensor}", "medians": (12, 16, 21, 28)},
    {"number": 7, "address": 2, "medians": (11, 15.5, 20, 26)},
)  # fmt: skip
SITE = Site.check({"devices": GROUPS, "noise": (0.03,) * 4, "drift": 0.01, "excursion_share": 0}, "site")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the site without an episode."""
    scenario = {"name": "six", "seed": 5, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 0.5, "interval_s": 120,
                "site": SITE}  # fmt: skip
    plan = build_plan(Scenario.model_validate(scenario))
    with stage_for(tmp_path_factory.mktemp("runs") / "six") as stage:
        shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, 1, lambda _: None)
        return conclude.conclude(
            stage, Order(engine="netns", shards=1, analyse=False, latest=False), Progress()
        )


def test_a_played_site_is_found_in_its_capture(played: Path, tmp_path: Path) -> None:
    """Units, addresses and client ids are the same, and medians within 0.1 °C."""
    lines, out = list[str](), tmp_path / "site.toml"
    site = site_from.run(sorted((played / "capture").glob("*.pcap")), out, lines.append)
    assert {name: (unit.host, unit.clients) for name, unit in site.units.items()} == {
        name: (unit.host, unit.clients) for name, unit in SITE.units.items()
    }
    for name, unit in SITE.units.items():
        assert site.units[name].medians == pytest.approx(unit.medians, abs=0.1)
    assert 'In the scenario: site = "site.toml" and interval_s = 120.' in lines
    assert [line for line in lines if "Not as" in line and "96 readings" not in line] == []


def test_a_run_without_an_episode_is_verified(played: Path) -> None:
    """The attacker's journal is empty, and no frame is an attack."""
    assert (played / "journal" / "injector.jsonl").read_text() == ""
    assert verification.verify(played).manifest_sha256 == digest_of(played)
