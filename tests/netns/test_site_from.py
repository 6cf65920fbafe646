"""A site, played and found again in its capture."""

from pathlib import Path

import pytest

from coldaisle_analysis.fitting import site_from
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.site_parameters import Site
from coldaisle_testbed import shard_folders, sharding

pytestmark = pytest.mark.netns
GROUPS = (
    {"name": "row{number:02}", "number": 8, "count": 3, "address": 300, "client": "row{number:02}{sensor}", "spread": 0.8},
    {"name": "hall{number}b", "count": 2, "address": 67, "client": "hall{number}b{sensor}", "medians": (12, 16, 21, 28)},
    {"number": 7, "address": 2, "medians": (11, 15.5, 20, 26)},
)  # fmt: skip
SITE = Site.check({"devices": GROUPS, "noise": (0.03,) * 4, "drift": 0.01, "excursion_share": 0}, "site")


def test_a_played_site_is_found_in_its_capture(tmp_path: Path) -> None:
    """Units, addresses and client ids are the same, and medians within 0.1 °C."""
    scenario = {"name": "six", "seed": 5, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 0.5, "interval_s": 120,
                "site": SITE}  # fmt: skip
    shard_folders.prepare(tmp_path / "run", plan := build_plan(Scenario.model_validate(scenario)))
    sharding.play(plan, tmp_path / "run", 1, lambda _: None)
    lines, out = list[str](), tmp_path / "site.toml"
    site = site_from.run(sorted((tmp_path / "run" / "capture").glob("*.pcap")), out, lines.append)
    assert {name: (unit.host, unit.clients) for name, unit in site.units.items()} == {
        name: (unit.host, unit.clients) for name, unit in SITE.units.items()
    }
    for name, unit in SITE.units.items():
        assert site.units[name].medians == pytest.approx(unit.medians, abs=0.1)
    assert 'In the scenario: site = "site.toml" and interval_s = 120.' in lines
    assert [line for line in lines if "Not as" in line and "96 readings" not in line] == []
